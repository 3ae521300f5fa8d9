import { type ConnectionOption, checkConnection, describeConnection } from './connection.js';
import type { Target } from './life.js';
import { masterNamedBy } from './named-master.js';

export type { Target } from './life.js';

/** What users give as a connection, as a target. Throws ERR_INVALID_ARGUMENT when it can't be one. No I/O. */
export function targetOf(connection: ConnectionOption | Target): Target {
  if (typeof connection === 'object' && connection !== null && 'locate' in connection) return connection;
  checkConnection(connection);
  return (
    masterNamedBy(connection) ?? {
      shown: describeConnection(connection),
      locate: () => Promise.resolve(connection),
    }
  );
}
