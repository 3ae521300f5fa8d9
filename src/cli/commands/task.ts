import type { TaskInfo } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { conflict, notFound, usage } from '../failure.js';
import { print, printJson, table, timeText } from '../output.js';
import { keyFlag, keyOf, whenFlags, whenOf } from '../task-options.js';
import { noteIfNew, withQueue } from '../with-queue.js';

const states = ['scheduled', 'ready', 'active', 'dead', 'cancelled', 'expired'] as const;
const limitRange = { min: 1, max: 1_000 };

export const get: Command = {
  flags: { ...keyFlag, ...json, ...connected },
  examples: [['task get mail digest-7', 'its state, due time and last error']],
  run: async (args) => {
    const info = await withQueue(args, (queue) => queue.get(args.word('id'), keyOf(args)));
    if (args.on('json')) printJson(info);
    if (info === null) throw unknown(args);
    if (!args.on('json')) print(textOf(info));
  },
};

export const list: Command = {
  flags: {
    state: { describe: `One of ${states.join(', ')} (default: scheduled)` },
    limit: { describe: 'How many at most (default: 100)' },
    after: { describe: 'Go on after the page that gave this' },
    ...json,
    ...connected,
  },
  examples: [['task list mail --state active', 'what is being worked on']],
  run: listTasks,
};

export const cancel: Command = {
  flags: { ...keyFlag, ...json, ...connected },
  examples: [['task cancel mail digest-7', 'it will not run; a handler already at work is told by its signal']],
  run: async (args) => answer(args, await withQueue(args, (queue) => queue.cancel(args.word('id'), keyOf(args)))),
};

export const reschedule: Command = {
  flags: { ...whenFlags, ...keyFlag, ...json, ...connected },
  examples: [['task reschedule mail digest-7 --in 1h', 'due in an hour']],
  run: async (args) => {
    const { in: delay, at } = whenOf(args);
    const when = delay === undefined ? at !== undefined && { at } : { in: delay };
    if (!when) throw usage('say when: --in, --at or --at-ms');
    answer(args, await withQueue(args, (queue) => queue.reschedule(args.word('id'), when, keyOf(args))));
  },
};

export const runNow: Command = {
  flags: { ...keyFlag, ...json, ...connected },
  examples: [['task run mail digest-7', 'now instead of later']],
  run: async (args) => answer(args, await withQueue(args, (queue) => queue.runNow(args.word('id'), keyOf(args)))),
};

async function listTasks(args: Arguments): Promise<void> {
  const state = args.oneOf('state', states) ?? 'scheduled';
  const limit = args.whole('limit', limitRange);
  const after = args.text('after');
  const options = { state, ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) };
  const page = await withQueue(args, (queue) => queue.list(options));
  if (args.on('json')) return printJson(page);
  const hasKeys = page.tasks.some(({ key }) => key !== undefined); // then an id alone may mean several
  const keyed = (cell: string): string[] => (hasKeys ? [cell] : []);
  const rows = page.tasks.map(({ id, key = '', name, state: is, due, endedAt }) => {
    return [id, ...keyed(key), name, is, timeText(due ?? endedAt)];
  });
  const ended = state === 'cancelled' || state === 'expired';
  print(table([['ID', ...keyed('KEY'), 'NAME', 'STATE', ended ? 'ENDED' : 'DUE'], ...rows]));
  if (page.after !== null) print(`more: --after ${page.after}`);
  if (page.tasks.length === 0) await noteIfNew(args);
}

type Answer = Readonly<{ id: string; status: string; state?: string; was?: string; due?: number }>;

/** Prints a transition's answer; one that the task's state forbids is exit code 4, an unknown id 3. */
function answer(args: Arguments, result: Answer): void {
  if (args.on('json')) printJson(result);
  const { id, status, state, was, due } = result;
  if (status === 'not_found') throw unknown(args);
  if (status === 'settled') throw conflict(`task ${id} has already ended: it is ${state}`);
  if (status === 'active') throw conflict(`task ${id} is active: wait until its attempt has ended, or cancel it`);
  if (status === 'paused')
    throw conflict(`the queue is paused: resume it with duestream queue resume ${args.word('queue')}`);
  if (status === 'waiting') {
    const why = 'is new since the queue grew, and hands out what was due before first';
    throw conflict(`task ${id} waits: its partition ${why}; see duestream doctor ${args.word('queue')}`);
  }
  if (args.on('json')) return;
  const from = was === undefined ? '' : ` (was ${was})`;
  print(`${id} ${status}${from}${due === undefined ? '' : `, due ${timeText(due)}`}`);
}

function unknown(args: Arguments): Error {
  const queue = args.word('queue');
  return notFound(
    `queue ${queue} has no task ${args.word('id')}: it was completed, or never added; see duestream task list ${queue}`,
  );
}

function textOf(info: TaskInfo): string {
  const { lastError } = info;
  const isKept = info.state !== 'cancelled' && info.state !== 'expired'; // of these no record is left
  const lines: [string, string | undefined][] = [
    ['id', info.id],
    ['key', info.key],
    ['name', info.name],
    ['state', info.state],
    ['due', isKept ? timeText(info.due) : undefined],
    ['attempt', String(info.attempt)],
    ['deliveries', String(info.deliveries)],
    ['created', isKept ? timeText(info.createdAt) : undefined],
    ['expires', info.expiresAt === null ? undefined : timeText(info.expiresAt)],
    ['ended', info.endedAt === undefined ? undefined : timeText(info.endedAt)],
    ['reason', info.reason],
    [
      'last error',
      lastError ? `attempt ${lastError.attempt}, ${timeText(lastError.at)}: ${lastError.message}` : undefined,
    ],
    ['payload', isKept ? JSON.stringify(info.payload) : undefined],
  ];
  return table(lines.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
