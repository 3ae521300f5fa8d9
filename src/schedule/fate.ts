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
  const { nowMs, graceMs } = at;
  const wasInPause = cursor.resumedMs !== null && nominalMs < cursor.resumedMs;
  if (nowMs - nominalMs <= graceMs && !wasInPause) return 'fire';
  const missed = wasInPause ? 'paused' : 'missed';
  if (catchUp === 'skip' || (windowMs !== null && nowMs - nominalMs > windowMs)) return missed;
  if (catchUp !== 'one') return cursor.caughtUp < catchUp.all ? 'catch up' : missed;
  if (nextMs === null || nextMs > nowMs) return 'fire';
  return wasInPause ? 'paused' : 'coalesced';
}
