import { instantMsMax } from '../instant.js';
import { cronOf } from './cron.js';
import { exclusionOf, gaveUp, leapsMax, type ResumeAt } from './exclusion.js';
import { nextInstant } from './local-times.js';
import { reachOf } from './reach.js';
import type { AtRule, EveryRule, Timing } from './rule.js';

/**
 * The occurrences of a timing: its nominal times, whole epoch ms. All of it is a function of the timing and an instant: no
 * state, no clock. A search is bounded: what does not come before the year 3000 does not come; where exclusions leave nothing in
 * 20,000 leaps it throws, for that is no end.
 */
interface Course {
  /** The first after that instant, by rule, dates and patterns. */
  readonly next: (afterMs: number) => number | null;
  readonly excluded: ReadonlySet<number>;
}

const courses = new WeakMap<Timing, Course>();

function courseOf(timing: Timing): Course {
  const found = courses.get(timing);
  if (found !== undefined) return found;
  const course = { next: nextBy(timing), excluded: new Set(timing.exclude.timesMs) };
  courses.set(timing, course);
  return course;
}

function nextBy({ rule, exclude }: Timing): Course['next'] {
  switch (rule.kind) {
    case 'cron': {
      const resumeAt = exclusionOf(exclude, cronOf(rule.cron).pattern);
      return (afterMs) => nextInstant(rule, resumeAt, afterMs);
    }
    case 'every': {
      const resumeAt = exclusionOf(exclude, reachOf(rule));
      return (afterMs) => nextLeft((ms) => nextMultiple(rule, ms), resumeAt, afterMs);
    }
    case 'at': {
      const resumeAt = exclusionOf(exclude, undefined);
      return (afterMs) => nextLeft((ms) => nextListed(rule, ms), resumeAt, afterMs);
    }
  }
}

function nextMultiple({ everyMs, anchorMs }: EveryRule, afterMs: number): number | null {
  const sinceMs = (((afterMs - anchorMs) % everyMs) + everyMs) % everyMs;
  const nextMs = afterMs - sinceMs + everyMs;
  return nextMs > instantMsMax ? null : nextMs;
}

function nextListed({ atMs }: AtRule, afterMs: number): number | null {
  return atMs.find((ms) => ms > afterMs) ?? null;
}

/** Without a zone local time is UTC. */
function nextLeft(next: Course['next'], resumeAt: ResumeAt, afterMs: number): number | null {
  let atMs = next(afterMs);
  for (let leaps = 0; atMs !== null && leaps < leapsMax; leaps += 1) {
    const onMs = resumeAt(atMs);
    if (onMs === undefined) return atMs;
    atMs = next(onMs - 1);
  }
  if (atMs !== null) throw gaveUp();
  return null;
}

/** The first nominal time strictly after that instant; null when there is none any more. */
export function nextNominal(timing: Timing, afterMs: number): number | null {
  if (afterMs >= instantMsMax) return null;
  const course = courseOf(timing);
  let atMs = course.next(Math.max(Math.floor(afterMs), (timing.startMs ?? 1) - 1));
  while (atMs !== null && course.excluded.has(atMs)) atMs = course.next(atMs);
  return atMs !== null && timing.endMs !== null && atMs >= timing.endMs ? null : atMs;
}

/** The last nominal time strictly before that instant; null when there is none since 1970. About thirty times the work of `nextNominal`. */
export function previousNominal(timing: Timing, beforeMs: number): number | null {
  let lastMs = someBefore(timing, beforeMs);
  let highMs = beforeMs;
  while (lastMs !== null && lastMs < highMs) {
    const middleMs = Math.floor((lastMs + highMs) / 2);
    const nextMs: number | null = nextNominal(timing, middleMs);
    if (nextMs !== null && nextMs < beforeMs) lastMs = nextMs;
    else highMs = middleMs;
  }
  return lastMs;
}

/** Any nominal time before that instant, looked for further and further back. */
function someBefore(timing: Timing, beforeMs: number): number | null {
  const floorMs = timing.startMs ?? 1;
  for (let backMs = 1_000; ; backMs *= 8) {
    const fromMs = Math.max(floorMs, beforeMs - backMs);
    const foundMs = nextNominal(timing, fromMs - 1);
    if (foundMs !== null && foundMs < beforeMs) return foundMs;
    if (fromMs === floorMs) return null;
  }
}

/** The nominal times from `fromMs` up to but not at `toMs`, at most `max` of them. */
export function occurrences(timing: Timing, range: { fromMs: number; toMs?: number; max: number }): number[] {
  const { fromMs, toMs = Infinity, max } = range;
  const found: number[] = [];
  let atMs = nextNominal(timing, fromMs - 1);
  while (atMs !== null && atMs < toMs && found.length < max) {
    found.push(atMs);
    atMs = nextNominal(timing, atMs);
  }
  return found;
}
