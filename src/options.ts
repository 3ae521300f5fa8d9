import { partitionsMax } from './layout.js';
import { type Clock, systemClock } from './clock.js';
import { type Duration, durationMs, shown } from './duration.js';
import { invalid } from './errors.js';
import { type Observe, tellAll } from './events.js';
import { type Random, systemRandom } from './random.js';

/**
 * What users hand in is resolved and checked once, at the door, and trusted inside. A wrong or unknown option is an
 * error that says what was expected and what was got, not a default silently taken.
 */
export interface CommonOptions<C> {
  /**
   * A Redis URL (`redis+cluster://host:port,host:port` for a cluster, `redis+sentinel://host:port,host:port/master` for a
   * master that Sentinels watch over), node-redis client options, or a function that makes a node-redis client. Default
   * redis://127.0.0.1:6379.
   */
  readonly connection?: C;
  /** What every key begins with. Default `duestream`. No braces, no spaces; at most 64 characters. */
  readonly prefix?: string;
  /**
   * How many partitions the queue has: 1 to 1,024. Its first use settles it, in Redis, for all. Default: what Redis says, or
   * 1 for a new queue. A process that is told another number than Redis has gets ERR_OTHER_LAYOUT.
   */
  readonly partitions?: number;
  /** Gets names and numbers of what happens: `metrics.observe`, or your own. Must not throw. */
  readonly observe?: Observe;
  /** How long one Redis command may take before its connection is thrown away. Default 5s; 100ms to 10m. */
  readonly commandTimeout?: Duration;
  /** @internal for tests */
  readonly clock?: Clock;
  /** @internal for tests */
  readonly random?: Random;
}

export interface Common<C> {
  readonly connection: C;
  readonly prefix: string;
  readonly partitions: number | undefined;
  readonly observe: Observe;
  readonly commandTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

const commonNames = ['connection', 'prefix', 'partitions', 'observe', 'commandTimeout', 'clock', 'random'];

export function resolveCommon<C>(
  options: CommonOptions<C>,
  fallback: C,
  extraNames: readonly string[] = [],
): Common<C> {
  if (typeof options !== 'object' || options === null) throw invalid('options must be an object');
  const unknown = Object.keys(options).find((name) => !commonNames.includes(name) && !extraNames.includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `unknown option "${unknown}": expected one of ${[...commonNames.slice(0, 5), ...extraNames].join(', ')}`,
    );
  }
  const { connection = fallback, prefix = 'duestream', partitions, observe, commandTimeout = 5_000 } = options;
  if (typeof prefix !== 'string' || !/^[^\s{}\p{Cc}]{1,64}$/u.test(prefix)) {
    throw invalid('prefix must be 1 to 64 characters without spaces, braces or control characters');
  }
  if (observe !== undefined && typeof observe !== 'function') throw invalid('observe must be a function');
  return {
    connection,
    prefix,
    partitions:
      partitions === undefined ? undefined : wholeNumber(partitions, 'partitions', { min: 1, max: partitionsMax }),
    observe: tellAll([observe]),
    commandTimeoutMs: durationMs(commandTimeout, 'commandTimeout', { min: 100, max: 600_000 }),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
}

export function checkIsObject(options: unknown, what = 'options'): asserts options is object {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw invalid(`${what} must be an object, got ${shown(options)}`);
}

/** Of a call: an object, or nothing, with no other names than these. */
export function checkOptions(options: unknown, names: readonly string[], what = 'options'): void {
  if (options === undefined) return;
  checkIsObject(options, what);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const expected = names.length === 1 ? names[0] : `one of ${names.join(', ')}`;
  throw invalid(`unknown option ${shown(unknown)}${what === 'options' ? '' : ` of ${what}`}: expected ${expected}`);
}

/** True or false. */
export function checkSwitch(value: unknown, field: string): void {
  if (typeof value !== 'boolean') throw invalid(`${field} must be true or false, got ${shown(value)}`);
}

/** A whole number within its range. */
export function wholeNumber(value: unknown, field: string, range: { min: number; max: number }): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < range.min || value > range.max) {
    throw invalid(`${field} must be a whole number from ${range.min} to ${range.max}, got ${shownNumber(value)}`);
  }
  return value;
}

function shownNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value;
}
