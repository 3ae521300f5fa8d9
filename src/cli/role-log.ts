import type { Observation } from '../index.js';
import { lineOf } from './failure.js';
import { note } from './output.js';
import { withoutSecrets } from './redis-address.js';

/** A process that meets more kinds of errors than this has other troubles than a repeated line. */
const toldMax = 100;

/**
 * What a role says of its troubles. An outage makes every loop fail again and again: that Redis is away is said once,
 * and that it is back; any other error once until then.
 */
export class RoleLog {
  readonly #addresses: readonly string[];
  /** Address of a server → its connections that are down. */
  readonly #down = new Map<string, Set<string>>();
  readonly #told = new Set<string>();
  #closed = false;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  tell(error: unknown): void {
    const line = withoutSecrets(lineOf(error), this.#addresses);
    if (this.#closed || this.#told.has(line)) return;
    if (this.#told.size >= toldMax) this.#told.clear();
    this.#told.add(line);
    note(line);
  }

  /** Bound: it is handed on as it is. */
  readonly observe = (observation: Observation): void => {
    if (observation.type !== 'redis_up' || this.#closed) return;
    const { connection, up } = observation;
    const address = connection.replace(/ \w+ \d+$/, ''); // behind it stand what the connection is for, and a number
    const down = this.#down.get(address) ?? new Set();
    this.#down.set(address, down);
    const wasDown = down.size > 0;
    if (up) down.delete(connection);
    else down.add(connection);
    if (wasDown === down.size > 0) return;
    note(wasDown ? `Redis at ${address} is back` : `Redis at ${address} is unreachable; waiting for it`);
    if (wasDown) this.#told.clear();
  };

  /** Connections that end because the role does are no trouble. */
  close(): void {
    this.#closed = true;
  }
}
