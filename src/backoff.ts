import { type Duration, durationMs, shown } from './duration.js';
import { invalid } from './errors.js';
import type { Random } from './random.js';

/** How long to wait before a failed task is tried again, as users write it. */
export interface Backoff {
  /** `fixed` waits exactly `delay`; `exponential` anything from nothing to `delay`, doubled with each attempt. */
  type: 'fixed' | 'exponential';
  /** From 0 (`fixed`) or 1 ms (`exponential`) to 100 years. */
  delay: Duration;
  /** Where doubling ends; only for `exponential`, at least `delay`. Default 1 h, or `delay` when that is longer. */
  max?: Duration;
}

/** A handler's own rule: the wait after the failure of `attempt`. It must answer at once, not with a promise. */
export type BackoffFunction = (attempt: number, error: unknown) => Duration;

/** A checked backoff. */
export interface BackoffPolicy {
  readonly type: 'fixed' | 'exponential';
  readonly delayMs: number;
  readonly maxMs: number;
}

const maxMsDefault = 3_600_000;

export const defaultBackoff: BackoffPolicy = Object.freeze({
  type: 'exponential',
  delayMs: 1_000,
  maxMs: maxMsDefault,
});

/** Checks a backoff; `ERR_INVALID_ARGUMENT` names the part of `field` that is wrong. */
export function resolveBackoff(backoff: Backoff, field: string): BackoffPolicy {
  const given: unknown = backoff;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`${field} must be an object { type, delay, max }, got ${shown(given)}`);
  }
  const unknownKey = Object.keys(given).find((key) => !['type', 'delay', 'max'].includes(key));
  if (unknownKey !== undefined) throw invalid(`${field} must have only type, delay and max, got ${shown(unknownKey)}`);
  const { type, delay, max } = backoff;
  if (type !== 'fixed' && type !== 'exponential') {
    throw invalid(`${field}.type must be "fixed" or "exponential", got ${shown(type)}`);
  }
  const delayMs = durationMs(delay, `${field}.delay`, { min: type === 'fixed' ? 0 : 1 });
  if (type === 'fixed') {
    if (max !== undefined) throw invalid(`${field}.max goes with "exponential" only, got ${shown(max)}`);
    return Object.freeze({ type, delayMs, maxMs: delayMs });
  }
  const maxMs = max === undefined ? Math.max(maxMsDefault, delayMs) : durationMs(max, `${field}.max`, { min: delayMs });
  return Object.freeze({ type, delayMs, maxMs });
}

/**
 * The wait before the next attempt, in whole ms. Full jitter, evenly from 0 to the cap: what failed together, because
 * a service was down, does not come back together.
 */
export function retryDelayMs(attempt: number, { type, delayMs, maxMs }: BackoffPolicy, random: Random): number {
  if (type === 'fixed') return delayMs;
  const doublings = Math.min(Math.max(attempt - 1, 0), 52); // past every max; 2^9,999 is Infinity, and 0 times that NaN
  const capMs = Math.min(maxMs, delayMs * 2 ** doublings);
  return Math.min(capMs, Math.floor(random() * (capMs + 1)));
}
