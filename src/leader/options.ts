import { type Duration, durationMs } from '../duration.js';
import { invalid } from '../errors.js';
import { checkConnection, type ConnectionOption } from '../redis/connection.js';
import { checkServers } from '../redis/servers.js';

/** What every process that may lead is told; all candidates of a queue must be told the same. */
export interface LeaderTuning {
  /** The Redis servers that vote on who leads: an odd number of independent ones. Default: the queue's own server. */
  readonly lockNodes?: readonly ConnectionOption[];
  /** How long a dead leader's lock lives on. Default 5s; 500ms to 5m. A crash delays promotion by this and a second at most. */
  readonly lockTtl?: Duration;
}

export interface ResolvedTuning {
  /** Undefined: the queue's own server votes, and no other. */
  readonly lockNodes: readonly ConnectionOption[] | undefined;
  readonly lockTtlMs: number;
}

export function resolveTuning({ lockNodes, lockTtl = 5_000 }: LeaderTuning, own: ConnectionOption): ResolvedTuning {
  const lockTtlMs = durationMs(lockTtl, 'lockTtl', { min: 500, max: 300_000 });
  checkServers(own);
  if (lockNodes === undefined) return { lockNodes, lockTtlMs };
  if (!Array.isArray(lockNodes) || lockNodes.length % 2 === 0) {
    throw invalid('lockNodes must be a list of an odd number of Redis servers, such as 1, 3 or 5');
  }
  for (const node of lockNodes as readonly ConnectionOption[]) checkConnection(node);
  return { lockNodes, lockTtlMs };
}
