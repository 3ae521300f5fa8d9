import { type PreviewedOccurrence, previewSchedule } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, json } from '../command.js';
import { print, printJson, table, timeText } from '../output.js';
import { timingFlags, timingOf } from '../schedule-flags.js';

const nextRange = { min: 1, max: 1_000 };

export const preview: Command = {
  flags: {
    ...timingFlags,
    next: { describe: `How many that run, 1 to ${nextRange.max} (default: 10)` },
    from: { describe: 'The first time to look at (default: now)' },
    to: { describe: 'The time to stop at' },
    name: { describe: "The schedule's name, for its jitter" },
    ...json,
  },
  examples: [
    ["schedule preview --cron '0 3 * * *' --tz Europe/Berlin", 'the next ten times'],
    [
      "schedule preview --cron '30 2 * * *' --tz Europe/Berlin --from 2027-03-27T00:00Z",
      'around a change of the clocks',
    ],
    ['schedule preview --every 90m --anchor 2027-01-01T09:00Z --next 20 --json', 'as one JSON document'],
  ],
  run: async (args) => showPreview(args),
};

function showPreview(args: Arguments): void {
  const [from, to, name] = [args.text('from'), args.text('to'), args.text('name')];
  const count = args.whole('next', nextRange) ?? 10;
  const entries = previewSchedule(timingOf(args), { from, to, name, count });
  if (args.on('json')) printJson(entries.map(entryOf));
  else print(textOf(entries));
}

interface Entry {
  readonly at: string;
  readonly local: string;
  /** When it is due, where jitter makes that another time. */
  readonly due?: string;
  readonly note?: string;
  /** It does not run. */
  readonly skipped?: true;
}

function entryOf({ nominal, due, local, notes, skipped }: PreviewedOccurrence): Entry {
  return {
    at: timeText(nominal),
    local,
    ...(due !== nominal && { due: timeText(due) }),
    ...(notes.length > 0 && { note: notes.join('; ') }),
    ...(skipped && { skipped }),
  };
}

function textOf(entries: readonly PreviewedOccurrence[]): string {
  if (entries.length === 0) return 'no occurrence in that time';
  const hasJitter = entries.some(({ nominal, due }) => nominal !== due);
  const rows = entries.map((occurrence) => {
    const { at, local, due = at, note = '', skipped = false } = entryOf(occurrence);
    return [skipped ? '-' : at, local, ...(hasJitter ? [skipped ? '-' : due] : []), note];
  });
  return table([['AT', 'LOCAL', ...(hasJitter ? ['DUE'] : []), 'NOTE'], ...rows]);
}
