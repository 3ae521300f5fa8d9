import type { Arena } from '../arena.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Cost } from '../history/records.js';
import type { Fault, Making } from './fault.js';

/** How long a master that was replaced stays away after that. */
const awayMs = { min: 0, max: 2_000 };
/** Before each key of a slot that moves: a partition has about fifteen. */
const stepMs = { min: 5, max: 100 };

/**
 * Faults of the masters of a cluster. What one that is gone had acknowledged, and its replica had not got, is lost, of its
 * partitions and of no others; of a frozen one also what it acknowledges after it has thawed, until it hears that it is
 * none any more. A slot that moves, and a node that is restarted, cost nothing.
 */
export const clusterFaults: readonly Fault[] = [
  onMaster('master-kill', 'kill'),
  onMaster('master-freeze', 'freeze'),
  {
    name: 'slot-moved',
    missing: withoutCluster,
    plan: () => ({ target: 'redis', costs: [], holds: ['redis'], run: moveSlot }),
  },
  {
    name: 'node-restarted',
    missing: withoutCluster,
    plan: () => ({ target: 'redis', costs: [], holds: ['redis'], run: restartNode }),
  },
];

function withoutCluster({ cluster }: Arena): string | undefined {
  return cluster === undefined ? 'its Redis is no cluster in this campaign' : undefined;
}

function onMaster(name: string, how: 'freeze' | 'kill'): Fault {
  return {
    name,
    missing: withoutCluster,
    plan: ({ cluster, lockNodes, partitions }, draws) => {
      const old = (cluster as Cluster).masterOf(draws.pick(partitions));
      const hit = (cluster as Cluster).partitionsOf(old);
      // Where the queue's own Redis votes, the lock is in its first partition, and may be lost.
      const costs: readonly Cost[] = lockNodes.length === 0 && hit.includes(0) ? ['writes', 'votes'] : ['writes'];
      const run = async ({ arena, draws: ownDraws, wait }: Making): Promise<void> => {
        await arena.cluster?.failOver(old, how);
        await wait(ownDraws.between(awayMs.min, awayMs.max));
        await arena.cluster?.bringBack(old, how);
      };
      return { target: 'redis', costs, partitions: hit, holds: ['redis'], run };
    },
  };
}

async function moveSlot({ arena, draws, wait }: Making): Promise<void> {
  const { cluster, partitions } = arena;
  if (cluster === undefined) return;
  const partition = draws.pick(partitions);
  const from = cluster.masterOf(partition);
  const to = draws.pick(cluster.masters.filter((node) => node !== from));
  await cluster.moveSlot(partition, to, () => wait(draws.between(stepMs.min, stepMs.max)));
}

async function restartNode({ arena: { cluster }, draws, wait }: Making): Promise<void> {
  if (cluster === undefined) return;
  await cluster.restart(draws.pick(cluster.nodes));
  await wait(draws.between(0, 1_000));
}
