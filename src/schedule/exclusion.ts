import { type Cron, cronOf, matches } from './cron.js';
import type { Exclude } from './rule.js';

/**
 * What is left out, by the local time that the rule gives. The answer is the local time at which the search goes on: where a
 * pattern leaves out a whole day of the rule it is the next day, so that no search has to look at each second of it.
 */
export type ResumeAt = (localMs: number) => number | undefined;

const dayMs = 86_400_000;

/** A search that was sent on so often ends: it would go on for seconds. Days left out one by one reach 54 years with it. */
export const leapsMax = 20_000;

/** `of`: the rule it is for, none when that has no pattern. */
export function exclusionOf({ dates, crons }: Exclude, of: Cron | undefined): ResumeAt {
  const days = new Set(dates.map((date) => Date.parse(date) / dayMs));
  const patterns = crons.map((text) => {
    const cron = cronOf(text);
    return { cron, unitMs: unitOf(cron, of) };
  });
  return (localMs) => {
    const day = Math.floor(localMs / dayMs);
    if (days.has(day)) return (day + 1) * dayMs;
    const found = patterns.find(({ cron }) => matches(cron, localMs));
    return found && (Math.floor(localMs / found.unitMs) + 1) * found.unitMs;
  };
}

/** The longest of day, hour, minute and second that is left out as a whole whenever one time of the rule in it is. */
function unitOf(cron: Cron, of: Cron | undefined): number {
  const covers = (field: 'second' | 'minute' | 'hour'): boolean =>
    cron.pattern[field].every((isIn, at) => isIn || (of !== undefined && !of.pattern[field][at]));
  if (cron.hasSeconds && !covers('second')) return 1_000;
  if (!covers('minute')) return 60_000;
  return covers('hour') ? dayMs : 3_600_000;
}
