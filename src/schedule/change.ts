import { ended } from './backfill.js';
import { type Cursor, newCursor, withPassed } from './cursor.js';
import type { Definition } from './definition.js';
import { nextNominal, occurrences } from './nominal.js';
import type { Standing } from './step.js';

/** What becomes of a schedule when somebody writes it. */
export type Change = { kind: 'created' | 'changed'; standing: Standing } | { kind: 'unchanged' | 'older' | 'conflict' };

/**
 * Of what stands and what is wanted. A higher version wins; a lower one changes nothing, for it is an older process's; the
 * same version with other contents is a conflict: nobody can tell which of the two is meant.
 */
export function change(stands: Standing | undefined, wanted: Definition, nowMs: number): Change {
  if (stands === undefined) {
    const cursor = newCursor(wanted.version, nowMs, nextNominal(wanted.timing, nowMs));
    return { kind: 'created', standing: { definition: wanted, cursor } };
  }
  const { definition: former } = stands;
  if (wanted.version < former.version) return { kind: 'older' };
  if (wanted.version > former.version) return { kind: 'changed', standing: changed(stands, wanted, nowMs) };
  return { kind: isSame(former, wanted) ? 'unchanged' : 'conflict' };
}

/** What has come and was not fired yet stays to be decided when the rule is the same; a new rule begins now. */
function changed({ definition: former, cursor }: Standing, wanted: Definition, nowMs: number): Standing {
  const isSameRule = isSame(former.timing, wanted.timing);
  const ruled = isSameRule ? cursor : withoutRule({ definition: former, cursor }, nowMs);
  const { limit } = wanted.policy;
  const isOver = limit !== null && cursor.count >= limit;
  const keepsNext = isSameRule && cursor.nextMs !== null;
  const afterMs = Math.max(nowMs, cursor.fired.at(-1) ?? 0); // the last may have been handed over ahead of its time
  const nextMs = keepsNext ? cursor.nextMs : nextNominal(wanted.timing, afterMs);
  return { definition: wanted, cursor: { ...ruled, version: wanted.version, nextMs: isOver ? null : nextMs } };
}

/** What the former rule has left undecided is listed as not fired; where a backfill has been stays known. */
function withoutRule({ definition, cursor }: Standing, nowMs: number): Cursor {
  const { nextMs, waiting, backfill, pause } = cursor;
  const filled = backfill === null ? cursor : ended(cursor, backfill);
  let left: Cursor = { ...filled, waiting: [], waitingSinceMs: null };
  for (const ms of waiting) left = withPassed(left, { fromMs: ms, toMs: ms, count: 1, why: 'overlap' });
  const undecided =
    nextMs === null ? [] : occurrences(definition.timing, { fromMs: nextMs, toMs: nowMs + 1, max: undecidedMax });
  const [fromMs, toMs] = [undecided[0], undecided.at(-1)];
  if (fromMs === undefined || toMs === undefined) return left;
  return withPassed(left, { fromMs, toMs, count: undecided.length, why: pause === null ? 'missed' : 'paused' });
}

/** Of a rule that was missed for longer the first ones are listed. */
const undecidedMax = 1_000;

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export function paused(cursor: Cursor, note: string, nowMs: number): Cursor {
  return { ...cursor, pause: { sinceMs: nowMs, note } };
}

/** What came in the pause is caught up with by the schedule's policy. */
export function resumed(cursor: Cursor, nowMs: number): Cursor {
  return { ...cursor, pause: null, resumedMs: nowMs, failures: 0 };
}
