import { ended } from './backfill.js';
import { type Cursor, newCursor, withPassed } from './cursor.js';
import type { Definition } from './definition.js';
import { nextNominal, occurrences, previousNominal } from './nominal.js';
import type { Timing } from './rule.js';
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
  const { limit } = wanted.policy;
  const ruled = isSameRule ? withinLimit(cursor, limit) : withoutRule({ definition: former, cursor }, nowMs);
  const isOver = limit !== null && cursor.count >= limit;
  const keepsNext = isSameRule && cursor.nextMs !== null;
  const afterMs = Math.max(nowMs, cursor.fired.at(-1) ?? 0); // the last may have been handed over ahead of its time
  const nextMs = keepsNext ? cursor.nextMs : nextNominal(wanted.timing, afterMs);
  return { definition: wanted, cursor: { ...ruled, version: wanted.version, nextMs: isOver ? null : nextMs } };
}

/** Of what waits no more than may still be fired; the others are listed. */
function withinLimit(cursor: Cursor, limit: number | null): Cursor {
  const room = limit === null ? cursor.waiting.length : Math.max(0, limit - cursor.count);
  const waiting = cursor.waiting.slice(0, room);
  const waitingSinceMs = waiting.length === 0 ? null : cursor.waitingSinceMs;
  return leftOut({ ...cursor, waiting, waitingSinceMs }, cursor.waiting.slice(room));
}

function leftOut(cursor: Cursor, times: readonly number[]): Cursor {
  return times.reduce((left, ms) => withPassed(left, { fromMs: ms, toMs: ms, count: 1, why: 'overlap' }), cursor);
}

/** What the former rule has left undecided is listed as not fired; where a backfill has been stays known. */
function withoutRule({ definition, cursor }: Standing, nowMs: number): Cursor {
  const { nextMs, waiting, backfill, pause } = cursor;
  const filled = backfill === null ? cursor : ended(cursor, backfill);
  const left = leftOut({ ...filled, waiting: [], waitingSinceMs: null }, waiting);
  if (nextMs === null || nextMs > nowMs) return left;
  const undecided = undecidedOf(definition.timing, nextMs, nowMs);
  return withPassed(left, { fromMs: nextMs, ...undecided, why: pause === null ? 'missed' : 'paused' });
}

/** A rule that can't be worked out here, in a zone that this process does not know, say, must not stand in the way of a new one. */
function undecidedOf(timing: Timing, fromMs: number, nowMs: number): { toMs: number; count: number } {
  try {
    const times = occurrences(timing, { fromMs, toMs: nowMs + 1, max: undecidedMax });
    const lastMs = times.length === undecidedMax ? previousNominal(timing, nowMs + 1) : times.at(-1);
    return { toMs: lastMs ?? fromMs, count: Math.max(1, times.length) };
  } catch {
    return { toMs: fromMs, count: 1 };
  }
}

/** More are not counted: it takes some µs for each. */
const undecidedMax = 1_000;

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export function paused(cursor: Cursor, note: string, nowMs: number): Cursor {
  return { ...cursor, pause: { sinceMs: nowMs, note } };
}

/** What came in the pause is caught up with by the schedule's policy. Of those that were fired before nothing is held against it. */
export function resumed(cursor: Cursor, nowMs: number): Cursor {
  const judgedMs = cursor.fired.at(-1) ?? cursor.judgedMs;
  return { ...cursor, pause: null, resumedMs: nowMs, failures: 0, judgedMs };
}
