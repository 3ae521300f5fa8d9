import { createClient, type RedisClientOptions } from 'redis';
import type { RedisConnection } from '../../src/redis/connection.js';
import type { RedisServer } from '../../src/redis/embedded.js';

export type AfterReply = (args: readonly string[], disconnect: () => Promise<void>) => Promise<void>;

/** Connections of which a test may hold a reply back, or lose it: `afterReply` runs when Redis has done what it was told. */
export function intercepted(server: RedisServer, afterReply: AfterReply): () => RedisConnection {
  return () => {
    const client = createClient(server.connection as RedisClientOptions);
    const send = client.sendCommand.bind(client);
    const connection = client as unknown as RedisConnection;
    connection.sendCommand = async (args) => {
      const reply = await send(args);
      await afterReply(args, () => client.disconnect());
      return reply;
    };
    return connection;
  };
}
