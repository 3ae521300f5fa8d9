import { invalid } from '../errors.js';
import { type Cron, cronOf, matches } from './cron.js';
import type { Reach } from './reach.js';
import type { Exclude } from './rule.js';

/**
 * What is left out, by the local time that the rule gives. The answer is the local time at which the search goes on: where a
 * pattern leaves out a whole day of the rule it is the next day, so that no search has to look at each second of it.
 */
export type ResumeAt = (localMs: number) => number | undefined;

const dayMs = 86_400_000;

/** A search that was sent on so often gives up: it would go on for seconds. Days left out one by one reach 54 years with it. */
export const leapsMax = 20_000;

/** That is no end of the rule: it must not be taken for one. */
export function gaveUp(): Error {
  return invalid(`exclude leaves no occurrence, or none that is found in ${leapsMax} steps`);
}

/** `of`: what the rule it is for comes to; undefined where that is not known. */
export function exclusionOf({ dates, crons }: Exclude, of: Reach | undefined): ResumeAt {
  const days = new Set(dates.map((date) => Date.parse(date) / dayMs));
  const patterns = crons.map((text) => {
    const cron = cronOf(text);
    return { cron, unit: unitOf(cron, of) };
  });
  return (localMs) => {
    const day = Math.floor(localMs / dayMs);
    if (days.has(day)) return (day + 1) * dayMs;
    const found = patterns.find(({ cron }) => matches(cron, localMs));
    return found && endOf(found, localMs);
  };
}

interface Unit {
  readonly ms: number;
  readonly field: keyof Reach | undefined;
}

/** Where what it leaves out there ends, of units that follow one another in the next longer one. */
function endOf({ cron, unit: { ms, field } }: { cron: Cron; unit: Unit }, localMs: number): number {
  const at = Math.floor(localMs / ms);
  if (field === undefined) return (at + 1) * ms;
  const isIn = cron.pattern[field];
  let next = (at % isIn.length) + 1;
  while (next < isIn.length && isIn[next]) next += 1;
  return (at - (at % isIn.length) + next) * ms;
}

/** The longest of day, hour, minute and second that is left out as a whole whenever one time of the rule in it is. */
function unitOf(cron: Cron, of: Reach | undefined): Unit {
  const covers = (field: keyof Reach): boolean =>
    cron.pattern[field].every((isIn, at) => isIn || (of !== undefined && !of[field][at]));
  if (cron.hasSeconds && !covers('second')) return { ms: 1_000, field: 'second' };
  if (!covers('minute')) return { ms: 60_000, field: 'minute' };
  return covers('hour') ? { ms: dayMs, field: undefined } : { ms: 3_600_000, field: 'hour' };
}
