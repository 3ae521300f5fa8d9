import type { RedisServer } from '../../../testing.js';
import type { Arena } from '../arena.js';
import type { Cost } from '../history/records.js';
import type { Seeded } from '../seeded.js';
import type { Fault, Making } from './fault.js';

/**
 * Faults of the servers that vote. They keep nothing: one that was down comes back empty, and may give its vote a
 * second time while the first still counts.
 */
export const lockNodeFaults: readonly Fault[] = [
  onSome('lock-node-down', { count: 1, costs: ['votes'] }, killed),
  onSome('lock-nodes-down', { count: 2, costs: ['votes'] }, killed),
  onSome('lock-node-hung', { count: 1, costs: [] }, hung),
  onSome('lock-nodes-hung', { count: 2, costs: [] }, hung),
];

async function killed(nodes: readonly RedisServer[], { wait, draws }: Making): Promise<void> {
  await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
  await wait(draws.between(100, 3_000));
  await Promise.all(nodes.map((node) => node.start()));
}

async function hung(nodes: readonly RedisServer[], { wait, draws }: Making): Promise<void> {
  for (const node of nodes) await node.kill('SIGSTOP');
  await wait(draws.between(500, 3_000));
  for (const node of nodes) await node.kill('SIGCONT');
}

function onSome(
  name: string,
  { count, costs }: { count: number; costs: readonly Cost[] },
  run: (nodes: readonly RedisServer[], making: Making) => Promise<void>,
): Fault {
  return {
    name,
    missing: ({ lockNodes }: Arena) =>
      lockNodes.length < 3 ? "the queue's own Redis votes in this campaign" : undefined,
    plan: ({ lockNodes }: Arena, draws: Seeded) => {
      const nodes = draws.shuffled(lockNodes).slice(0, count);
      return { target: 'lock-nodes', costs, holds: ['lock-nodes'], run: (making) => run(nodes, making) };
    },
  };
}
