import type { DeadLetter } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { conflict, notFound, usage } from '../failure.js';
import { print, printJson, table, timeText } from '../output.js';
import { keyFlag, keyOf } from '../task-options.js';
import { noteIfNew, withQueue } from '../with-queue.js';

const limitRange = { min: 1, max: 1_000 };

export const list: Command = {
  flags: {
    limit: { describe: 'How many at most (default: 100)' },
    after: { describe: 'Go on after the page that gave this' },
    key: { describe: 'Only letters of tasks that were added with this key' },
    ...json,
    ...connected,
  },
  examples: [['dead list mail', 'the oldest first']],
  run: listLetters,
};

export const show: Command = {
  flags: { ...keyFlag, ...json, ...connected },
  examples: [['dead show mail digest-7', 'by task id, its newest letter; or by letter number']],
  run: async (args) => {
    const letter = await withQueue(args, (queue) => queue.dead.get(args.word('id'), keyOf(args)));
    if (args.on('json')) printJson(letter);
    if (letter === null) throw unknown(args);
    if (!args.on('json')) print(textOf(letter));
  },
};

export const replay: Command = {
  flags: { ...keyFlag, ...json, ...connected },
  examples: [['dead replay mail digest-7', 'a task again, due now, at its first attempt']],
  run: async (args) => {
    const result = await withQueue(args, (queue) => queue.dead.replay(args.word('id'), keyOf(args)));
    if (args.on('json')) printJson(result);
    if (result.status === 'not_found') throw unknown(args);
    if (result.status === 'conflict') {
      throw conflict(`a task ${result.id} lives anew: cancel it, or wait until it has ended; the letter stays`);
    }
    if (!args.on('json')) print(`${result.id} replayed`);
  },
};

export const purge: Command = {
  flags: { all: { describe: 'All letters of the queue', isSwitch: true }, ...keyFlag, ...json, ...connected },
  examples: [
    ['dead purge mail digest-7', 'one letter'],
    ['dead purge mail --all', 'all of them'],
  ],
  run: purgeLetters,
};

async function listLetters(args: Arguments): Promise<void> {
  const limit = args.whole('limit', limitRange);
  const after = args.text('after');
  const options = { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }), ...keyOf(args) };
  const page = await withQueue(args, (queue) => queue.dead.list(options));
  if (args.on('json')) return printJson(page);
  const hasKeys = page.letters.some(({ key }) => key !== undefined);
  const rows = page.letters.map((letter) => [
    letter.number,
    letter.id,
    ...(hasKeys ? [letter.key ?? '-'] : []),
    letter.name,
    timeText(letter.at),
    String(letter.attempts),
    letter.reason,
  ]);
  print(table([['NUMBER', 'ID', ...(hasKeys ? ['KEY'] : []), 'NAME', 'DIED', 'ATTEMPTS', 'REASON'], ...rows]));
  if (page.after !== null) print(`more: --after ${page.after}`);
  if (page.letters.length === 0) await noteIfNew(args);
}

async function purgeLetters(args: Arguments): Promise<void> {
  const id = args.text('id');
  if (id === undefined && !args.on('all')) throw usage('say which letter, or --all for every letter of the queue');
  if (id !== undefined && args.on('all')) throw usage('give a letter or --all, not both');
  if (id === undefined && args.text('key') !== undefined) throw usage('--key goes with a letter, not with --all');
  const purged = await withQueue(args, (queue) => queue.dead.purge(id, keyOf(args)));
  if (args.on('json')) printJson({ purged });
  if (id !== undefined && purged === 0) throw unknown(args);
  if (!args.on('json')) print(`${purged} purged`);
}

function unknown(args: Arguments): Error {
  const queue = args.word('queue');
  return notFound(`queue ${queue} has no dead letter ${args.word('id')}; see duestream dead list ${queue}`);
}

function textOf({ number, id, key, name, at, reason, attempts, errors, payload }: DeadLetter): string {
  const head = [
    ['number', number],
    ['id', id],
    ...(key === undefined ? [] : [['key', key]]),
    ['name', name],
    ['died', timeText(at)],
    ['reason', reason],
    ['attempts', String(attempts)],
    ['payload', JSON.stringify(payload)],
  ];
  const failures = errors.map((error) => [`attempt ${error.attempt}`, `${timeText(error.at)} ${error.message}`]);
  return table([...head, ...failures]);
}
