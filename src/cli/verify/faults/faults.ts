import { clockFaults } from './clock.js';
import type { Fault } from './fault.js';
import { failoverFaults } from './failover.js';
import { lockNodeFaults } from './lock-nodes.js';
import { networkFaults } from './network.js';
import { operatorFaults } from './operator.js';
import { powerFaults } from './power.js';
import { processFaults } from './processes.js';
import { redisFaults } from './redis.js';

/** Everything that a campaign can break. */
export const faults: readonly Fault[] = [
  ...processFaults,
  ...redisFaults,
  ...networkFaults,
  ...operatorFaults,
  ...lockNodeFaults,
  ...clockFaults,
  ...powerFaults,
  ...failoverFaults,
];

export const faultNames: readonly string[] = faults.map(({ name }) => name);
