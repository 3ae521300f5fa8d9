import type { ScheduleTiming } from '../index.js';
import type { Arguments } from './arguments.js';
import type { Flag } from './command.js';
import { usage } from './failure.js';

/** When a schedule has its occurrences, as flags. The values are checked by the library. */
export const timingFlags: Readonly<Record<string, Flag>> = {
  cron: { describe: 'A pattern such as "0 3 * * *", or of six fields with seconds first' },
  tz: { describe: 'With --cron: the zone it is in, such as Europe/Berlin (default: UTC)' },
  gap: { describe: 'With --cron: a time that the clocks leap over, shift (run at the end of the gap) or skip' },
  fold: { describe: 'With --cron: a time that comes twice, first, last or both' },
  every: { describe: 'Again and again after that long, such as 90s or 1h30m' },
  anchor: { describe: 'With --every: one of its times, 2027-01-01T09:00+01:00 (default: 1970-01-01T00:00Z)' },
  at: { describe: 'A single time, with its offset from UTC; may be given again' },
  start: { describe: 'No occurrence before that time' },
  end: { describe: 'No occurrence at that time or after it' },
  exclude: { describe: 'A date such as 2027-12-24, or a single time, left out; may be given again' },
  'exclude-cron': { describe: 'A pattern of times to leave out; may be given again' },
  jitter: { describe: 'Due that much later at most, spread by the name of the schedule' },
};

const single = ['cron', 'tz', 'gap', 'fold', 'every', 'anchor', 'start', 'end', 'jitter'] as const;

/** Which of them go together is for the library to say. */
export function timingOf(args: Arguments): ScheduleTiming {
  const given = single.flatMap((name) => {
    const text = args.text(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  const at = args.texts('at');
  const exclude = [...args.texts('exclude'), ...args.texts('exclude-cron').map((cron) => ({ cron }))];
  const timing = {
    ...Object.fromEntries<string>(given),
    ...(at.length > 0 && { at }),
    ...(exclude.length > 0 && { exclude }),
  };
  if ('cron' in timing || 'every' in timing || 'at' in timing) return timing as ScheduleTiming;
  throw usage('give --cron, --every or --at: when it shall run');
}
