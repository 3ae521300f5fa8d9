import type { Cursor } from './cursor.js';
import type { Standing } from './step.js';

/** The occurrences, of the last ones, whose ends were not looked at yet, in their order. */
export function unjudged({ fired, judgedMs }: Cursor): readonly number[] {
  return fired.filter((ms) => judgedMs === null || ms > judgedMs);
}

/** The cursor with the end of the first of these counted; so many that died in a row pause the schedule. */
export function judge({ definition, cursor }: Standing, ended: 'dead' | 'settled', nowMs: number): Cursor {
  const judgedMs = unjudged(cursor)[0] ?? cursor.judgedMs;
  const failures = ended === 'dead' ? cursor.failures + 1 : 0;
  const { pauseAfter } = definition.policy;
  const judged = { ...cursor, judgedMs, failures };
  if (pauseAfter === null || failures < pauseAfter) return judged;
  return { ...judged, pause: { sinceMs: nowMs, note: `${failures} in a row became dead letters` } };
}
