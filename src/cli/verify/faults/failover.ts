import type { Cost } from '../history/records.js';
import type { Fault, Making } from './fault.js';

/** How long the old master stays away when another has been promoted. A client waits five seconds for a reply. */
const awayMs = { min: 0, max: 4_000 };

/**
 * A replica is promoted because the master is gone, and the address moves. What had not reached the replica is lost; of a
 * frozen master also what it acknowledges after it has thawed, to those that are connected still, until it is demoted.
 */
export const failoverFaults: readonly Fault[] = [
  onMaster('failover-paused', 'freeze'),
  onMaster('failover-killed', 'kill'),
];

function onMaster(name: string, how: 'freeze' | 'kill'): Fault {
  return {
    name,
    missing: ({ replicas }) => (replicas === undefined ? 'its Redis has no replicas in this campaign' : undefined),
    plan: ({ lockNodes }) => {
      // A queue's own Redis that loses a lock gives its vote again.
      const costs: readonly Cost[] = lockNodes.length > 0 ? ['writes'] : ['writes', 'votes'];
      const run = async ({ arena: { replicas }, draws, wait }: Making): Promise<void> => {
        const old = await replicas?.failOver(how);
        if (replicas === undefined || old === undefined) return;
        await wait(draws.between(awayMs.min, awayMs.max));
        await replicas.bringBack(old, how);
        await replicas.demoted(old);
      };
      return { target: 'redis', costs, holds: ['redis'], run };
    },
  };
}
