import type { Queue, ScheduleSummary } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { notFound } from '../failure.js';
import { print, printJson, table, timeText } from '../output.js';
import { scheduleText } from '../schedule-text.js';
import { noteIfNew, withQueue } from '../with-queue.js';

export const list: Command = {
  flags: { ...json, ...connected },
  examples: [['schedule list mail', 'all of them, by name, and when each comes next']],
  run: listSchedules,
};

export const show: Command = {
  flags: { ...json, ...connected },
  examples: [['schedule show mail nightly', 'its next ten times and its last, what was not fired and why']],
  run: async (args) => {
    const info = await withQueue(args, (queue) => queue.schedules.get(args.word('schedule')));
    if (args.on('json')) printJson(info);
    if (info === null) throw unknownSchedule(args);
    if (!args.on('json')) print(scheduleText(info));
  },
};

export function unknownSchedule(args: Arguments): Error {
  const queue = args.word('queue');
  return notFound(`queue ${queue} has no schedule ${args.word('schedule')}; see duestream schedule list ${queue}`);
}

async function listSchedules(args: Arguments): Promise<void> {
  const all = await withQueue(args, allOf);
  await noteIfNew(args);
  if (args.on('json')) return printJson(all);
  if (all.length === 0) return print(`${args.word('queue')} has no schedules`);
  const rows = all.map(({ name, state, rule, next, last, count }) => {
    return [name, state, rule, timeText(next), timeText(last), String(count)];
  });
  print(table([['NAME', 'STATE', 'RULE', 'NEXT', 'LAST', 'COUNT'], ...rows]));
}

/** By name; one that two pages tell of, as Redis may, is there once. */
async function allOf(queue: Queue): Promise<ScheduleSummary[]> {
  const found = new Map<string, ScheduleSummary>();
  let after: string | null = '';
  while (after !== null) {
    const page: Awaited<ReturnType<Queue['schedules']['list']>> = await queue.schedules.list({ after, limit: 1_000 });
    for (const one of page.schedules) found.set(one.name, one);
    ({ after } = page);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
