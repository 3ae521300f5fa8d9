import { type ConnectionOption, checkConnection, describeConnection, type RedisConnection } from './connection.js';

/** Where a connection leads. It is asked anew for each life of it: what has one name may have moved. */
export interface Target {
  /** For messages, without secrets. */
  readonly shown: string;
  /** Where that is now, for the next client. Rejects when nobody knows. */
  locate(): Promise<ConnectionOption>;
  /** Looks whether a client that is connected leads to what was wanted; rejects when it does not. */
  confirm?(client: RedisConnection): Promise<void>;
  /** Of a node of a cluster: whether this error reply means that the connection leads elsewhere than it should by now. */
  misleads?(error: Error): boolean;
}

/** What users give as a connection, as a target. Throws ERR_INVALID_ARGUMENT when it can't be one. No I/O. */
export function targetOf(connection: ConnectionOption | Target): Target {
  if (typeof connection === 'object' && connection !== null && 'locate' in connection) return connection;
  checkConnection(connection);
  return { shown: describeConnection(connection), locate: () => Promise.resolve(connection) };
}
