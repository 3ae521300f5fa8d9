import { durationMsMax } from './duration.js';
import { DuestreamError, invalid } from './errors.js';
import { formatVersion } from './layout.js';

/** A task's name → its payload's type. */
export type TaskMap = Record<string, unknown>;

/** The state of a task; the last three are ends that are kept for a while. A completed task is gone. */
export type TaskState = 'scheduled' | 'ready' | 'active' | 'dead' | 'cancelled' | 'expired';

/** How a delivery ended. */
export type Settled = 'completed' | 'retried' | 'dead' | 'cancelled' | 'expired' | 'handed_back';

/** What a handler gets. */
export interface Task<P = unknown, N extends string = string> {
  readonly id: string;
  readonly name: N;
  readonly payload: P;
  /** The key it was added with, if it was. */
  readonly key?: string;
  /** The instant before which it must not start: epoch ms of the Redis server's clock. */
  readonly due: number;
  /** Which try this is: 1, 2, 3 …, counting failures. A recovery is a new delivery of the same attempt. */
  readonly attempt: number;
  /** Which delivery of this attempt: 1 unless a lease was lost. */
  readonly delivery: number;
}

export interface TaskFailure {
  readonly attempt: number;
  readonly message: string;
  /** Epoch ms of the worker's clock. */
  readonly at: number;
}

/** What `queue.get` tells of a task. */
export interface TaskInfo {
  readonly id: string;
  readonly key?: string;
  readonly name: string;
  readonly payload: unknown;
  readonly state: TaskState;
  /** Epoch ms; null when the task has ended. */
  readonly due: number | null;
  readonly attempt: number;
  /** How often this attempt was handed out so far. */
  readonly deliveries: number;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  readonly lastError: TaskFailure | null;
  /** Why and when it ended, for a dead, cancelled or expired task. */
  readonly reason?: string;
  readonly endedAt?: number;
}

/** The options of a task that travel in its record. */
export interface RecordOptions {
  /** What said which partition it belongs to, where that is not its id. */
  readonly key?: string;
  readonly maxAttempts?: number;
  readonly backoff?: { readonly type: 'fixed' | 'exponential'; readonly delayMs: number; readonly maxMs: number };
  readonly timeoutMs?: number;
}

/** The options in a record as Redis keeps it, yet to be checked: short keys, defaults left out. */
type WireOptions = Partial<Record<'m' | 'b' | 't' | 'k' | 'v', unknown>>;
type WireBackoff = [type: 'fixed' | 'exponential', delayMs: number, maxMs: number];

export interface TaskRecord extends RecordOptions {
  readonly name: string;
  readonly payload: unknown;
  readonly createdAtMs: number | null;
}

/** The record's text. The payload comes as the JSON it was checked as, and is not encoded twice. */
export function encodeRecord(name: string, payloadJson: string, options: RecordOptions): string {
  const { maxAttempts, backoff, timeoutMs, key } = options;
  let more = '';
  if (maxAttempts !== undefined) more += `,"m":${maxAttempts}`;
  if (backoff) more += `,"b":["${backoff.type}",${backoff.delayMs},${backoff.maxMs}]`;
  if (timeoutMs !== undefined) more += `,"t":${timeoutMs}`;
  if (key !== undefined) more += `,"k":${JSON.stringify(key)}`;
  return recordText(`[${JSON.stringify(name)}`, payloadJson, more && `{${more.slice(1)}}`);
}

/** `[name,payload,{options}]`, without what is empty at its end. `add` puts the server's time in front. */
function recordText(head: string, payloadJson: string, rest: string): string {
  if (rest !== '') return `${head},${payloadJson},${rest}]`;
  return payloadJson === 'null' ? `${head}]` : `${head},${payloadJson}]`;
}

/** The name's place: behind the time of creation, if that is there. */
function nameAt(wire: readonly unknown[]): 0 | 1 {
  return Number.isSafeInteger(wire[0]) ? 1 : 0;
}

/** Null where they are left out. What is no object there, but a number, say, has none of them either. */
function optionsIn(wire: readonly unknown[]): WireOptions | null {
  return wire[nameAt(wire) + 2] ?? null;
}

/** The key of a record, of whatever version, if it has one. */
export function keyIn(record: string): string | undefined {
  try {
    const wire: unknown = JSON.parse(record);
    const key = Array.isArray(wire) ? optionsIn(wire)?.k : undefined;
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Without the time of its creation, so that it can be added again. */
export function withoutCreation(record: string): string {
  return record.replace(/^\[\d+,/, '[');
}

export type Decoded =
  | { kind: 'record'; record: TaskRecord }
  | { kind: 'newer'; version: number }
  | { kind: 'bad'; reason: string };

/** Reads a record another process, version or language wrote: never throws. */
export function decodeRecord(text: string): Decoded {
  let wire: unknown;
  try {
    wire = JSON.parse(text);
  } catch {
    return { kind: 'bad', reason: 'not JSON' };
  }
  if (!Array.isArray(wire)) return { kind: 'bad', reason: 'not an array' };
  const at = nameAt(wire);
  const options = optionsIn(wire);
  if (typeof options?.v === 'number' && options.v > formatVersion) return { kind: 'newer', version: options.v };
  const name: unknown = wire[at];
  if (typeof name !== 'string' || name === '') return { kind: 'bad', reason: 'no name' };
  const payload: unknown = wire[at + 1] ?? null;
  const createdAtMs = at === 0 ? null : (wire[0] as number);
  if (options === null) return { kind: 'record', record: { name, payload, createdAtMs } };
  const { m, t, b, k } = options;
  const record: TaskRecord = {
    name,
    payload,
    createdAtMs,
    ...(typeof k === 'string' && { key: k }),
    ...(isPositive(m) && { maxAttempts: m }),
    ...(isPositive(t) && { timeoutMs: t }),
    ...(isBackoff(b) && { backoff: { type: b[0], delayMs: b[1], maxMs: b[2] } }),
  };
  return { kind: 'record', record };
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isBackoff(value: unknown): value is WireBackoff {
  if (!Array.isArray(value)) return false;
  const [type, delayMs, maxMs] = value as unknown[];
  return (type === 'fixed' || type === 'exponential') && isDelay(delayMs) && isDelay(maxMs);
}

function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= durationMsMax;
}

/** The same record with another payload; whatever else it carries, known or not, stays. */
export function withPayload(text: string, payloadJson: string): string {
  const decoded = decodeRecord(text);
  if (decoded.kind !== 'record') {
    const why = decoded.kind === 'bad' ? decoded.reason : `of version ${decoded.version}`;
    throw new DuestreamError('ERR_REDIS_REPLY', `the record that Redis holds can not be changed here: it is ${why}`);
  }
  const wire = JSON.parse(text) as unknown[];
  const payloadAt = nameAt(wire) + 1;
  const head = JSON.stringify(wire.slice(0, payloadAt)).slice(0, -1);
  return recordText(head, payloadJson, JSON.stringify(wire.slice(payloadAt + 1)).slice(1, -1));
}

/** What `runs` keeps of a task that failed: the attempt that comes next and its last few errors. */
export interface Run {
  readonly attempt: number;
  readonly errors: readonly TaskFailure[];
  /** Deliveries of this attempt that were lost before it was handed back: its next entry counts from 1 again. */
  readonly lost: number;
}

const errorsKeptMax = 5;
const firstRun: Run = { attempt: 1, errors: [], lost: 0 };

export function decodeRun(text: string | null): Run {
  if (text === null || text === '') return firstRun;
  try {
    const { a, e, d } = JSON.parse(text) as { a: number; e: [number, number, string][]; d?: number };
    if (!isPositive(a)) return firstRun;
    const errors = e.map(([attempt, at, message]) => ({ attempt, at, message }));
    return { attempt: a, errors, lost: isPositive(d) ? d : 0 };
  } catch {
    return firstRun; // only its count of failures is lost, not the task
  }
}

/** The run after one more failure. */
export function encodeRunAfter(run: Run, failure: TaskFailure): string {
  const errors = [...run.errors, failure].slice(-errorsKeptMax);
  return encodeRun({ attempt: failure.attempt + 1, errors, lost: 0 });
}

/** The run of a delivery that is handed back unstarted. Empty: nothing to keep, it was the first. */
export function encodeRunHandedBack(run: Run, count: number): string {
  return count > 1 ? encodeRun({ ...run, lost: run.lost + count - 1 }) : '';
}

function encodeRun({ attempt: a, errors, lost: d }: Run): string {
  const e = errors.map(({ attempt, at, message }) => [attempt, at, message]);
  return JSON.stringify(d > 0 ? { a, e, d } : { a, e });
}

/** The limits of what a producer gives. */
export interface TaskLimits {
  /** Bytes of a payload's JSON. Default 1 MiB. */
  readonly payloadBytesMax: number;
  /** Bytes of an id. Default 256. */
  readonly idBytesMax: number;
  /** Bytes of a name. Default 128. */
  readonly nameBytesMax: number;
}

export const defaultLimits: TaskLimits = { payloadBytesMax: 1024 * 1024, idBytesMax: 256, nameBytesMax: 128 };

const controlCharacter = /\p{Cc}/u;

/** An id, a key or a name: text without control characters, within its limit. */
export function checkText(value: unknown, field: 'id' | 'key' | 'name', bytesMax: number): string {
  if (typeof value !== 'string') throw invalid(`${field} must be a string, got ${typeof value}`);
  if (value === '') throw invalid(`${field} must not be empty`);
  if (controlCharacter.test(value)) throw invalid(`${field} must not contain control characters`);
  if (!value.isWellFormed()) throw invalid(`${field} must be well-formed Unicode`);
  const bytes = Buffer.byteLength(value);
  if (bytes > bytesMax) throw invalid(`${field} must be at most ${bytesMax} bytes, got ${bytes}`);
  return value;
}

/** A queue's name: it is part of every key, between braces. */
export function checkQueueName(value: unknown): string {
  if (typeof value !== 'string' || !/^[^\s{}\p{Cc}]{1,128}$/u.test(value))
    throw invalid('a queue name is 1 to 128 characters without spaces, braces or control characters');
  return value;
}
