import { type Backoff, resolveBackoff } from '../backoff.js';
import { type Duration, durationMs } from '../duration.js';
import { invalid } from '../errors.js';
import { type Instant, instantMs, whenOf } from '../instant.js';
import { wholeNumber } from '../options.js';
import { encodePayload } from '../payload.js';
import { checkText, encodeRecord, type RecordOptions, type TaskLimits } from '../task.js';
import { newIdFor } from './task-place.js';

/** How one task is to be run. Its own options win over its handler's. */
export interface TaskOptions {
  /** Unique in its queue until the task is settled; adding it again is a `duplicate`. Default: a new random id. */
  readonly id?: string;
  /**
   * Tasks of one key lie in one partition of the queue; without a key an id goes by itself. At most 256 bytes. With a key of
   * its own an id is unique in that partition only, and `get`, `cancel` and the others find it sooner when told the key.
   */
  readonly key?: string;
  /** Due that long from now, by the Redis server's clock. `in` and `at` exclude each other; neither means now. */
  readonly in?: Duration;
  /** Due at that instant: a Date, epoch ms, or an ISO string with an offset. One that has passed means now. */
  readonly at?: Instant;
  /** Attempts in all, the first included: 1 to 1,000,000. Default: the handler's, else 5. */
  readonly maxAttempts?: number;
  /** How long to wait before the next attempt. Default: the handler's, else exponential from 1 s to 1 h. */
  readonly backoff?: Backoff;
  /** How long its handler may take, 1 ms to 24 days. Default: the handler's, else no limit. */
  readonly timeout?: Duration;
  /** Not started within this long after it is due: never run, but counted and listed as expired. */
  readonly expiresIn?: Duration;
  /** Not started by then: never run, but counted and listed as expired. One that has passed: it never runs at all. */
  readonly expiresAt?: Instant;
}

export interface NewTask<N extends string = string, P = unknown> extends TaskOptions {
  readonly name: N;
  readonly payload?: P;
}

/** A task as the add script takes it, checked. A class for the reason that a delivery that was read is one. */
export class AddItem {
  readonly name: string;
  readonly id: string;
  readonly when: string;
  readonly expires: string;
  readonly record: string;
  /** What says which partition it belongs to: its key, or its id. */
  readonly placedBy: string;
  /** Given by whoever adds it: it may be there already. */
  readonly hasOwnId: boolean;

  constructor(of: AddItem) {
    this.name = of.name;
    this.id = of.id;
    this.when = of.when;
    this.expires = of.expires;
    this.record = of.record;
    this.placedBy = of.placedBy;
    this.hasOwnId = of.hasOwnId;
  }
}

/** A timer of Node's can't wait longer. */
export const timeoutMsMax: number = 2 ** 31 - 1;
export const attemptsMax = 1_000_000;

const noOptions: RecordOptions = {};

const known = new Set([
  'name',
  'payload',
  'id',
  'key',
  'in',
  'at',
  'maxAttempts',
  'backoff',
  'timeout',
  'expiresIn',
  'expiresAt',
]);

/** What `add` takes one by one, as one; an undefined payload is none. */
export function newTask(name: string, payload: unknown, options?: TaskOptions): NewTask {
  if (options === undefined) return payload === undefined ? { name } : { name, payload };
  if (typeof options !== 'object' || options === null) throw invalid('options must be an object');
  const twice = ['name', 'payload'].find((key) => key in options);
  if (twice !== undefined) throw invalid(`unknown task option "${twice}": add takes the ${twice} before the options`);
  return payload === undefined ? { name, ...options } : { name, payload, ...options }; // quick in this order only
}

/** Checks all of it, before anything is sent. How many partitions there are matters for the id of a task with a key. */
export function toItem(task: NewTask, limits: TaskLimits, partitions: number): AddItem {
  if (typeof task !== 'object' || task === null) throw invalid(`a task must be an object, got ${typeof task}`);
  for (const key in task) {
    if (!known.has(key)) throw invalid(`unknown task option "${key}": expected one of ${[...known].join(', ')}`);
  }
  const name = checkText(task.name, 'name', limits.nameBytesMax);
  const key = task.key === undefined ? undefined : checkText(task.key, 'key', limits.idBytesMax);
  const id = task.id === undefined ? newIdFor(key, partitions) : checkText(task.id, 'id', limits.idBytesMax);
  const when = whenOf(task);
  const payload = 'payload' in task ? encodePayload(task.payload, { maxBytes: limits.payloadBytesMax }) : 'null';
  const record = encodeRecord(name, payload, recordOptions(task));
  const expires = expiresOf(task, when);
  return new AddItem({ name, id, when, expires, record, placedBy: key ?? id, hasOwnId: task.id !== undefined });
}

function recordOptions({ key, maxAttempts, backoff, timeout }: TaskOptions): RecordOptions {
  const none = maxAttempts === undefined && backoff === undefined && timeout === undefined && key === undefined;
  if (none) return noOptions;
  return {
    ...(key !== undefined && { key }),
    ...(maxAttempts !== undefined && {
      maxAttempts: wholeNumber(maxAttempts, 'maxAttempts', { min: 1, max: attemptsMax }),
    }),
    ...(backoff !== undefined && { backoff: resolveBackoff(backoff, 'backoff') }),
    ...(timeout !== undefined && { timeoutMs: durationMs(timeout, 'timeout', { min: 1, max: timeoutMsMax }) }),
  };
}

function expiresOf({ expiresIn, expiresAt }: TaskOptions, when: string): string {
  if (expiresIn !== undefined && expiresAt !== undefined) throw invalid('give expiresIn or expiresAt, not both');
  if (expiresIn !== undefined) return `+${durationMs(expiresIn, 'expiresIn', { min: 1 })}`;
  if (expiresAt === undefined) return '';
  const expiresMs = instantMs(expiresAt, 'expiresAt');
  if (!when.startsWith('+') && expiresMs <= Number(when)) throw invalid('expiresAt must be later than at');
  return String(expiresMs);
}
