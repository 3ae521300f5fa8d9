import { types } from 'node:util';
import { durationMs, formatDuration } from '../duration.js';
import { RejectTask } from '../errors.js';
import type { Random } from '../random.js';
import { type BackoffFunction, type BackoffPolicy, defaultBackoff, retryDelayMs } from '../backoff.js';

/**
 * What becomes of a delivery whose handler has ended: decided here, purely; written elsewhere, once. Nothing here
 * throws, whatever the handler threw and whatever its backoff function does: a task must not hang on a bad error.
 */
export type Outcome = { kind: 'returned' } | Failure;

export type Failure = { kind: 'threw'; error: unknown } | { kind: 'timed_out'; afterMs: number };

export type Settlement =
  | { kind: 'complete' }
  /** `backoffFault`: the handler's backoff function failed, in these words, and the default backoff was taken. */
  | { kind: 'retry'; delayMs: number; backoffFault?: string }
  | { kind: 'bury'; reason: 'rejected' | 'max_attempts' | 'bad_record' };

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attemptsMax: number;
  readonly backoff: BackoffPolicy | BackoffFunction;
}

/** The attempt that ended, the policy that holds for it, and where jitter is drawn from. */
export interface Tried {
  attempt: number;
  policy: RetryPolicy;
  random: Random;
}

export function settle(outcome: Outcome, tried: Tried): Settlement {
  if (outcome.kind === 'returned') return { kind: 'complete' };
  if (outcome.kind === 'threw' && isRejection(outcome.error)) return { kind: 'bury', reason: 'rejected' };
  // Not ===: a deploy may lower the limit below the attempt a task has reached.
  if (tried.attempt >= tried.policy.attemptsMax) return { kind: 'bury', reason: 'max_attempts' };
  return retry(outcome, tried);
}

/** By name too: a handler module may load another copy of this library than the worker that runs it. */
function isRejection(error: unknown): boolean {
  return isError(error) && (error instanceof RejectTask || textAt(error, 'name') === 'RejectTask');
}

function retry(failure: Failure, { attempt, policy, random }: Tried): Settlement {
  const { backoff } = policy;
  if (typeof backoff !== 'function') return { kind: 'retry', delayMs: retryDelayMs(attempt, backoff, random) };
  try {
    const answer: unknown = backoff(attempt, errorOf(failure));
    if (types.isPromise(answer)) answer.catch(() => {}); // refused below; its rejection must not end the process
    return { kind: 'retry', delayMs: durationMs(answer as number, 'what the backoff function returns') };
  } catch (error) {
    const delayMs = retryDelayMs(attempt, defaultBackoff, random);
    return { kind: 'retry', delayMs, backoffFault: describeError(error) };
  }
}

function errorOf(failure: Failure): unknown {
  if (failure.kind === 'threw') return failure.error;
  const error = new Error(describeFailure(failure));
  error.name = 'TimeoutError';
  return error;
}

/** The failure as `lastError` keeps it. */
export function describeFailure(failure: Failure): string {
  return failure.kind === 'threw' ? describeError(failure.error) : `timed out after ${formatDuration(failure.afterMs)}`;
}

const descriptionLengthMax = 500;

/**
 * Whatever was thrown, on one line of at most 500 characters, without its stack: it is kept in Redis and shown in
 * terminals. Of a thrown object that is no error only `message` is told: the rest may be somebody's payload.
 */
export function describeError(error: unknown): string {
  const line = oneLine(wordsOf(error));
  return line === '' ? 'an empty message was thrown' : line;
}

function wordsOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error === 'function') return 'a function was thrown';
  if (typeof error !== 'object' || error === null) return `${String(error)} was thrown`;
  // Node's AggregateError of a refused connection has a code and an empty message.
  const words = textAt(error, 'message') || textAt(error, 'code');
  const name = textAt(error, 'name');
  if (words === '') return name || 'an object without a message was thrown';
  return name === '' || name === 'Error' || !isError(error) ? words : `${name}: ${words}`;
}

function isError(value: unknown): value is object {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false; // a revoked proxy does not even tell its prototype
  }
}

/** The property if it is text; a getter may throw, a revoked proxy always does. */
function textAt(holder: object, key: 'name' | 'message' | 'code'): string {
  try {
    const text: unknown = (holder as Record<string, unknown>)[key];
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}

function oneLine(text: string): string {
  const start = text.slice(0, 4 * descriptionLengthMax); // a message of megabytes is not worth a pass over all of it
  const line = start.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= descriptionLengthMax && start.length === text.length) return line;
  return `${line.slice(0, descriptionLengthMax - 1).replace(/[\ud800-\udbff]$/, '')}…`; // half a character is none
}
