import type { RedisServer } from '../../src/redis/embedded.js';
import type { RedisConnection } from '../../src/redis/connection.js';
import type { ScriptDefinition } from '../../src/redis/script.js';
import { intercepted } from './intercepted.js';

export interface Losses {
  /** The replies of this script are lost. */
  script: ScriptDefinition;
  /** How many of them. */
  times: number;
  /** Only calls that carry items: a next that ends something, and not one that only reads. */
  withItems?: boolean;
  /** What happens while the reply is on its way. */
  meanwhile?: () => Promise<unknown>;
}

/**
 * A connection that loses replies: Redis does what it was told, and before its answer arrives the connection is gone. Lost
 * so far: `lost.count`.
 */
export function lossy(server: RedisServer, losses: Losses): { make: () => RedisConnection; lost: { count: number } } {
  const lost = { count: 0 };
  const { sha1, source, keys, args: names } = losses.script;
  const make = intercepted(server, async (args, disconnect) => {
    if (!args.slice(0, 2).includes(sha1) && args[1] !== source) return;
    if (losses.withItems && args.length <= 3 + keys.length + names.length) return;
    if (lost.count >= losses.times) return;
    lost.count += 1;
    await losses.meanwhile?.();
    await disconnect();
    throw new Error('Socket closed unexpectedly');
  });
  return { make, lost };
}
