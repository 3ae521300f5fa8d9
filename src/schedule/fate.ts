import type { Cursor } from './cursor.js';
import type { Standing } from './step.js';

/**
 * A time that is late by less is on time, whatever the policy: it takes as long to find another leader, and more. Of a longer
 * lock TTL it is twice that.
 */
export const graceMsMin = 10_000;
/** Nominal times looked at in one plan: 10 ms of work at most. What is left comes with the next. */
export const timesMax = 200;

export interface Instants {
  readonly nowMs: number;
  /** False: enough was worked out for now, the rest comes with the next look. Each plan looks at one time at least. */
  readonly hasTime?: () => boolean;
  /** How late a time may be and be on time. */
  readonly graceMs: number;
}

/** A nominal time, and the one after it. */
export interface Time {
  readonly nominalMs: number;
  readonly nextMs: number | null;
}

/** `paused`, `missed`, `coalesced`: it is passed over, and that is why. */
export type Fate = 'fire' | 'catch up' | 'missed' | 'coalesced' | 'paused';

/** What a schedule's policy makes of a time that has come. */
export function fateOf({ definition, cursor }: Standing, { nominalMs, nextMs }: Time, at: Instants): Fate {
  const { catchUp, windowMs } = definition.policy;
  const why = whyLate(cursor, nominalMs, at);
  if (why === null) return 'fire';
  if (catchUp === 'skip' || (windowMs !== null && at.nowMs - nominalMs > windowMs)) return why;
  if (catchUp !== 'one') return cursor.caughtUp < catchUp.all ? 'catch up' : why;
  if (nextMs === null || nextMs > at.nowMs) return 'fire';
  return why === 'paused' ? 'paused' : 'coalesced';
}

/** Why a time was not fired when it came; null: it is on time. */
export function whyLate(
  { resumedMs }: Cursor,
  nominalMs: number,
  { nowMs, graceMs }: Instants,
): 'paused' | 'missed' | null {
  if (resumedMs !== null && nominalMs < resumedMs) return 'paused';
  return nowMs - nominalMs > graceMs ? 'missed' : null;
}
