import { type Duration, durationMs } from '../duration.js';
import { invalid } from '../errors.js';
import { wholeNumber } from '../options.js';

/** What becomes of nominal times at which nobody could fire: nobody led, Redis was away, the schedule was paused. */
export type CatchUp = 'skip' | 'one' | { readonly all: number };

/** What becomes of an occurrence while the one before it is not settled yet. */
export type Overlap = 'allow' | 'skip' | 'bufferOne' | { readonly bufferAll: number } | 'cancelOther';

/** How a schedule deals with what does not go by its rule. */
export interface SchedulePolicy {
  /**
   * Of times that are more than 10 s late (or twice the lock's TTL, if that is longer), or came in a pause: `skip` none;
   * `one` (default) the last, if none has come since; `{ all: max }` each, the earliest first, up to `max` (1 to 100,000) until
   * it has caught up.
   */
  readonly catchUp?: CatchUp | undefined;
  /** Times longer ago than that are not caught up with, from 10s. Default: however long ago. */
  readonly window?: Duration | undefined;
  /**
   * While the former occurrence is not settled (it waits, is at work, or waits for another attempt): `allow` (default) the next
   * one runs beside it; `skip` it is left out; `bufferOne` one waits until the former is settled, further ones are left out;
   * `{ bufferAll: max }` up to `max` (1 to 1,000) wait; `cancelOther` the former is cancelled.
   */
  readonly overlap?: Overlap | undefined;
  /** So many occurrences in all, from 1. Default: no limit. */
  readonly limit?: number | undefined;
  /**
   * When so many occurrences in a row have become dead letters the schedule pauses itself, with a note, from 1. Looked at when a
   * later one comes, of the last ten, up to the first that is not settled. Default: never.
   */
  readonly pauseAfter?: number | undefined;
}

/** The same, checked, every default written out. */
export interface Policy {
  readonly catchUp: CatchUp;
  readonly windowMs: number | null;
  readonly overlap: Overlap;
  readonly limit: number | null;
  readonly pauseAfter: number | null;
}

export const policyNames = ['catchUp', 'window', 'overlap', 'limit', 'pauseAfter'] as const;

const windowMsMin = 10_000;

export function resolvePolicy({ catchUp, window, overlap, limit, pauseAfter }: SchedulePolicy): Policy {
  return {
    catchUp: catchUpOf(catchUp ?? 'one'),
    windowMs: window === undefined ? null : durationMs(window, 'window', { min: windowMsMin }),
    overlap: overlapOf(overlap ?? 'allow'),
    limit: limit === undefined ? null : wholeNumber(limit, 'limit', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    pauseAfter: pauseAfter === undefined ? null : wholeNumber(pauseAfter, 'pauseAfter', { min: 1, max: 1_000_000 }),
  };
}

function catchUpOf(given: CatchUp): CatchUp {
  if (given === 'skip' || given === 'one') return given;
  const all = only(given, 'all');
  if (all === undefined) throw invalid("catchUp must be 'skip', 'one' or { all: max }");
  return { all: wholeNumber(all, 'catchUp.all', { min: 1, max: 100_000 }) };
}

function overlapOf(given: Overlap): Overlap {
  if (typeof given === 'string' && ['allow', 'skip', 'bufferOne', 'cancelOther'].includes(given)) return given;
  const bufferAll = only(given, 'bufferAll');
  if (bufferAll === undefined) {
    throw invalid("overlap must be 'allow', 'skip', 'bufferOne', 'cancelOther' or { bufferAll: max }");
  }
  return { bufferAll: wholeNumber(bufferAll, 'overlap.bufferAll', { min: 1, max: 1_000 }) };
}

/** The value of an object that has this one property. */
function only(given: unknown, name: string): number | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const [first, second] = Object.entries(given);
  return first?.[0] === name && second === undefined ? (first[1] as number) : undefined;
}
