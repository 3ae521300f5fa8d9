import { type Cron, cronOf, nextMatch } from './cron.js';
import { gaveUp, leapsMax, type ResumeAt } from './exclusion.js';
import type { CronRule } from './rule.js';
import { type Segment, zoneOf } from './zone.js';

/**
 * From what a pattern says, which is the time on a clock on the wall, to instants. Time is walked segment by segment, in
 * each of which the offset stays the same and the two differ by a fixed number.
 *
 *   A gap, offset grows:    01:59 | 03:00    02:00 up to 03:00 is in no segment. `shift` runs once at the boundary,
 *                                            however many times were in the gap; `skip` does not run.
 *   A fold, offset shrinks: 02:59 | 02:00    02:00 up to 03:00 is in both. `first` closes them in the later segment,
 *                                            `last` in the earlier one, `both` in none.
 */

const twoDaysMs = 2 * 86_400_000;
/** A pattern that names only times in gaps, which are skipped, is followed for so many changes of the clocks and no longer. */
const segmentsMax = 100;

/** The first instant after `afterMs`; null when the search finds none. */
export function nextInstant(rule: CronRule, resumeAt: ResumeAt, afterMs: number): number | null {
  const cron = cronOf(rule.cron);
  const zone = zoneOf(rule.tz);
  let cursorMs = afterMs;
  for (let count = 0; count < segmentsMax; count += 1) {
    const segment = zone.segmentAt(cursorMs + 1);
    const { toMs, offsetMs, offsetAfterMs } = segment;
    const open = openOf(segment, rule.fold);
    const localMs = nextLeft(cron, resumeAt, Math.max(cursorMs, open.fromMs - 1) + offsetMs);
    if (localMs === null) return null;
    if (localMs - offsetMs < open.toMs) return localMs - offsetMs;
    const isInGap = localMs >= toMs + offsetMs && localMs < toMs + offsetAfterMs;
    if (isInGap && rule.gap === 'shift') return toMs;
    // Nothing matches up to localMs; only a fold has times before it once more.
    const comesAgain = offsetAfterMs < offsetMs && rule.fold !== 'first';
    cursorMs = comesAgain ? toMs - 1 : Math.max(toMs - 1, localMs - twoDaysMs);
  }
  return null;
}

/** The part of a segment in which times count. */
function openOf(segment: Segment, fold: CronRule['fold']): { fromMs: number; toMs: number } {
  const { fromMs, toMs, offsetMs, offsetBeforeMs, offsetAfterMs } = segment;
  const againMs = fold === 'first' ? Math.max(0, offsetBeforeMs - offsetMs) : 0;
  const onceMoreMs = fold === 'last' ? Math.max(0, offsetMs - offsetAfterMs) : 0;
  return { fromMs: fromMs + againMs, toMs: toMs - onceMoreMs };
}

/** The first match that is not left out. */
export function nextLeft(cron: Cron, resumeAt: ResumeAt, afterLocalMs: number): number | null {
  let localMs = nextMatch(cron, afterLocalMs);
  for (let leaps = 0; localMs !== null && leaps < leapsMax; leaps += 1) {
    const onMs = resumeAt(localMs);
    if (onMs === undefined) return localMs;
    localMs = nextMatch(cron, onMs - 1);
  }
  if (localMs !== null) throw gaveUp();
  return null;
}
