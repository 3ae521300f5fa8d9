import type { CatchUp, Overlap, SchedulePolicy, ScheduleTiming } from '../index.js';
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

const allMax = 1_000;

/** What is done where things do not go by the rule, as flags. */
export const policyFlags: Readonly<Record<string, Flag>> = {
  'catch-up': {
    describe: `Of times that were missed: skip, one (default: the last), all (at most ${allMax}) or all:N (at most N)`,
  },
  window: { describe: 'Times missed longer ago than that are not caught up with, from 10s' },
  overlap: {
    describe:
      'While the former occurrence is not settled: allow (default), skip, buffer-one, buffer-all (at most 1000), buffer-all:N, cancel-other',
  },
  limit: { describe: 'So many occurrences in all (default: no limit)' },
  'pause-after': { describe: 'Pauses itself when so many in a row became dead letters (default: never)' },
};

const most = Number.MAX_SAFE_INTEGER;

export function policyOf(args: Arguments): SchedulePolicy {
  const catchUp = catchUpOf(args.text('catch-up'));
  const overlap = overlapOf(args.text('overlap'));
  const window = args.text('window');
  const limit = args.whole('limit', { min: 1, max: most });
  const pauseAfter = args.whole('pause-after', { min: 1, max: most });
  return {
    ...(catchUp !== undefined && { catchUp }),
    ...(overlap !== undefined && { overlap }),
    ...(window !== undefined && { window }),
    ...(limit !== undefined && { limit }),
    ...(pauseAfter !== undefined && { pauseAfter }),
  };
}

function catchUpOf(text: string | undefined): CatchUp | undefined {
  if (text === undefined || text === 'skip' || text === 'one') return text;
  const max = maxOf(text, 'all');
  if (max !== undefined) return { all: max };
  throw usage(`--catch-up must be skip, one, all or all:N, got ${JSON.stringify(text.slice(0, 40))}`);
}

const overlaps: ReadonlyMap<string, Overlap> = new Map([
  ['allow', 'allow'],
  ['skip', 'skip'],
  ['buffer-one', 'bufferOne'],
  ['cancel-other', 'cancelOther'],
]);

function overlapOf(text: string | undefined): Overlap | undefined {
  if (text === undefined) return undefined;
  const max = maxOf(text, 'buffer-all');
  const overlap = max === undefined ? overlaps.get(text) : { bufferAll: max };
  if (overlap !== undefined) return overlap;
  const expected = [...overlaps.keys(), 'buffer-all or buffer-all:N'].join(', ');
  throw usage(`--overlap must be one of ${expected}, got ${JSON.stringify(text.slice(0, 40))}`);
}

/** Of `all` or `all:N`. */
function maxOf(text: string, word: string): number | undefined {
  if (text === word) return allMax;
  const [, digits] = new RegExp(`^${word}:(\\d{1,15})$`).exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
