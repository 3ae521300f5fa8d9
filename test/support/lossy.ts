import { createClient, type RedisClientOptions } from 'redis';
import type { RedisServer } from '../../src/redis/embedded.js';
import type { RedisConnection } from '../../src/redis/connection.js';
import type { ScriptDefinition } from '../../src/redis/script.js';

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
  const make = (): RedisConnection => {
    const client = createClient(server.connection as RedisClientOptions);
    const send = client.sendCommand.bind(client);
    const connection = client as unknown as RedisConnection;
    connection.sendCommand = async (args) => {
      const reply = await send(args);
      const { sha1, source, keys, args: names } = losses.script;
      if (!args.slice(0, 2).includes(sha1) && args[1] !== source) return reply;
      if (losses.withItems && args.length <= 3 + keys.length + names.length) return reply;
      if (lost.count >= losses.times) return reply;
      lost.count += 1;
      await losses.meanwhile?.();
      await client.disconnect();
      throw new Error('Socket closed unexpectedly');
    };
    return connection;
  };
  return { make, lost };
}
