import { clockFaults } from './clock.js';
import type { Fault } from './fault.js';
import { clusterFaults } from './cluster.js';
import { failoverFaults } from './failover.js';
import { lockNodeFaults } from './lock-nodes.js';
import { networkFaults } from './network.js';
import { operatorFaults } from './operator.js';
import { powerFaults } from './power.js';
import { processFaults } from './processes.js';
import { everywhereFaults, redisFaults } from './redis.js';

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
  ...clusterFaults,
];

/**
 * What is made on a cluster when nothing is named: its processes reach the nodes directly, and there is no one Redis. Its
 * own faults come twice as often as the others.
 */
export const clusterDeck: readonly Fault[] = [
  ...processFaults,
  ...everywhereFaults,
  ...operatorFaults,
  ...lockNodeFaults,
  ...clusterFaults,
  ...clusterFaults,
];

export const faultNames: readonly string[] = faults.map(({ name }) => name);
