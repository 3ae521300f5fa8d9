import type { Observation } from '../index.js';
import { codeOf, isOfTls, lineOf } from './failure.js';
import { note } from './output.js';
import { withoutSecrets } from './redis-address.js';

/** A process that meets more kinds of errors than this has other troubles than a repeated line. */
const toldMax = 100;
/** A refused password is seen as a failed connection first, and as an error a moment later: which it is, is said once. */
const decideMs = 200;
/** What was under way when the connection came back may still fail for its having been away. */
const aftermathMs = 2_000;
const outageCodes = ['ERR_REDIS_UNREACHABLE', 'ERR_OUTCOME_UNKNOWN'];

/**
 * What a role says of its troubles. An outage makes every loop fail again and again: that Redis is away is said once,
 * and that it is back; the commands that failed meanwhile only when `verbose` asks for them. Any other error is said
 * once until then.
 */
export class RoleLog {
  readonly #addresses: readonly string[];
  readonly #verbose: boolean;
  /** Address of a server → its connections that are down. */
  readonly #down = new Map<string, Set<string>>();
  /** Those that are down and not told of yet. */
  readonly #undecided = new Map<string, NodeJS.Timeout>();
  /** Address of a server → why no connection to it was made, where TLS has to do with it; the last is the newest. */
  readonly #reasons = new Map<string, Set<string>>();
  readonly #told = new Set<string>();
  #aftermath: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(addresses: readonly string[], { verbose = false }: { verbose?: boolean } = {}) {
    this.#addresses = addresses;
    this.#verbose = verbose;
  }

  tell(error: unknown): void {
    const text = lineOf(error);
    const isRefusal = /^(WRONGPASS|NOAUTH|NOPERM)/.test(text);
    if (this.#isOfTheOutage(error) || (isRefusal && this.#aftermath !== undefined)) return;
    const line = isRefusal && this.#addressesDown.length > 0 ? this.#refusal(text) : text;
    this.#tellOnce(withoutSecrets(line, this.#addresses));
  }

  #tellOnce(line: string): void {
    if (this.#closed || this.#told.has(line)) return;
    if (this.#told.size >= toldMax) this.#told.clear();
    this.#told.add(line);
    note(line);
  }

  /** Bound: it is handed on as it is. */
  readonly observe = (observation: Observation): void => {
    if (this.#closed) return;
    if (observation.type === 'redis_up') this.#onUp(observation);
    if (observation.type === 'redis_closed') this.#onClosed(observation.connection);
    if (observation.type === 'redis_error' && observation.error)
      this.#onFailed(observation.connection, observation.error);
    if (observation.type === 'at_risk') this.#warn(observation.risks);
    if (observation.type === 'error') this.tell(observation.error); // most are told as events too, and said once
  };

  /** No error: it may be what was chosen. */
  #warn(risks: readonly string[]): void {
    this.#tellOnce(`warning: this Redis can lose what it has acknowledged: ${risks.join('; ')}`);
  }

  #onUp({ connection, up }: { connection: string; up: boolean }): void {
    const address = addressIn(connection);
    const down = this.#down.get(address) ?? new Set();
    this.#down.set(address, down);
    const wasDown = down.size > 0;
    if (up) down.delete(connection);
    else down.add(connection);
    if (wasDown === down.size > 0) return;
    if (wasDown) this.#onBack(address);
    else this.#decideSoon(address);
  }

  #onFailed(connection: string, error: Error): void {
    const address = addressIn(connection);
    const reason = lineOf(error);
    const known = this.#reasons.get(address) ?? new Set();
    if (!isOfTls(reason) || known.has(reason)) return;
    this.#reasons.set(address, known.add(reason));
    this.#decideSoon(address);
  }

  #decideSoon(address: string): void {
    if (this.#undecided.has(address)) return;
    this.#undecided.set(address, setTimeout(() => this.#tellDown(address), decideMs).unref());
  }

  /** A node that left its cluster will not come back to say so, and nobody waits for it. */
  #onClosed(connection: string): void {
    const address = addressIn(connection);
    const down = this.#down.get(address);
    if (!down?.delete(connection) || down.size > 0 || this.#decided(address)) return;
    note(`Redis at ${address} is not used any more`);
  }

  #onBack(address: string): void {
    this.#tellDown(address);
    note(`Redis at ${address} is back`);
    this.#reasons.delete(address);
    clearTimeout(this.#aftermath);
    this.#aftermath = setTimeout(() => (this.#aftermath = undefined), aftermathMs).unref();
    this.#told.clear();
  }

  #tellDown(address: string): void {
    if (!this.#decided(address) || this.#closed) return;
    const [reason] = Array.from(this.#reasons.get(address) ?? []).slice(-1);
    note(`Redis at ${address} is unreachable${reason === undefined ? '' : `: ${reason}`}; waiting for it`);
  }

  /** False when it was before. */
  #decided(address: string): boolean {
    clearTimeout(this.#undecided.get(address));
    return this.#undecided.delete(address);
  }

  #refusal(text: string): string {
    const addresses = this.#addressesDown;
    for (const address of addresses) this.#decided(address);
    if (text.startsWith('NOPERM')) return `Redis at ${addresses.join(', ')}: ${text}`;
    const [, todo = ''] = /(; .*)/.exec(text) ?? [];
    return `Redis at ${addresses.join(', ')} refused the password${todo}`;
  }

  #isOfTheOutage(error: unknown): boolean {
    if (this.#verbose || !outageCodes.includes(codeOf(error))) return false;
    return this.#addressesDown.length > 0 || this.#aftermath !== undefined;
  }

  get #addressesDown(): string[] {
    return Array.from(this.#down).flatMap(([address, down]) => (down.size > 0 ? [address] : []));
  }

  /** Connections that end because the role does are no trouble. */
  close(): void {
    this.#closed = true;
    for (const timer of [this.#aftermath, ...this.#undecided.values()]) clearTimeout(timer);
  }
}

/** Behind it stand what the connection is for, and a number. */
function addressIn(connection: string): string {
  return connection.replace(/ \w+ \d+$/, '');
}
