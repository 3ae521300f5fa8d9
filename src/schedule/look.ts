import { aheadMs, type Standing } from './step.js';

/** How soon somebody else sees a move through that was cut short. */
const movingLookMs = 1_000;
/**
 * How often it is looked whether the one that others wait for is settled: after a fiftieth of the time that it has taken by
 * now, within these bounds. There may be thousands that wait for long, and each look is a write.
 */
const waitingLookMs = { least: 100, most: 5_000, share: 1 / 50 } as const;

/** When the schedule is to be looked at again; null: never, unless somebody changes it. */
export function lookMs({ definition, cursor }: Standing, nowMs: number): number | null {
  if (cursor.moving !== null) return nowMs + movingLookMs;
  if (cursor.pause !== null) return null;
  const { waiting, nextMs, backfill } = cursor;
  // Who must look at the former occurrence first is not looked at ahead; who is behind takes turns with the others.
  const aheadOf = definition.policy.overlap === 'allow' ? 0 : aheadMs;
  const ownMs = nextMs === null ? null : Math.max(nextMs + aheadOf, nowMs);
  const waitMs = nowMs + aheadMs + waitingMs(nowMs - (cursor.waitingSinceMs ?? nowMs));
  const looks = [ownMs, waiting.length > 0 ? waitMs : null, backfill?.lookMs ?? null];
  const set = looks.filter((ms) => ms !== null);
  return set.length === 0 ? null : Math.min(...set);
}

function waitingMs(sinceMs: number): number {
  const { least, most, share } = waitingLookMs;
  return Math.round(Math.min(most, Math.max(least, sinceMs * share)));
}
