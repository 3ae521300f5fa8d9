import { scheduler } from 'node:timers/promises';
import { listQueues, Queue, type QueueStats } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { usage } from '../failure.js';
import { print, printJson, table } from '../output.js';
import { type Connection, connectionOf } from '../redis-address.js';
import { noteIfNew, oneShot } from '../with-queue.js';

export const command: Command = {
  flags: {
    watch: { describe: 'Again every second: redrawn on a terminal, else a line for each queue', isSwitch: true },
    ...json,
    ...connected,
  },
  examples: [
    ['stats', 'all queues'],
    ['stats mail --watch', 'one queue, every second'],
  ],
  run: stats,
};

const watchEveryMs = 1_000;
const home = '\u001b[H\u001b[J';

/** What `--json` prints, and no more: its fields are fixed. */
type Row = Pick<
  QueueStats,
  'queue' | 'paused' | 'scheduled' | 'due' | 'ready' | 'active' | 'dead' | 'consumers' | 'leader'
>;

async function stats(args: Arguments): Promise<void> {
  const isWatching = args.on('watch');
  if (isWatching && args.on('json')) throw usage('--json prints one document, --watch never ends: give one of them');
  const reader = new StatsReader(args);
  try {
    const rows = await reader.read();
    await noteIfNew(args);
    if (isWatching) await watch(reader);
    else show(args, rows);
  } finally {
    await reader.close();
  }
}

async function watch(reader: StatsReader): Promise<never> {
  for (;;) {
    const rows = await reader.read();
    if (process.stdout.isTTY) print(`${home}${tableOf(rows)}`);
    else for (const row of rows) print(lineOf(row));
    await scheduler.wait(watchEveryMs);
  }
}

function show(args: Arguments, rows: readonly Row[]): void {
  if (args.on('json')) printJson(args.text('queue') === undefined ? rows : rows[0]);
  else print(tableOf(rows));
}

/** One queue, or all there are at that moment; connections are kept from one look to the next. */
class StatsReader {
  readonly #options: Connection & typeof oneShot;
  readonly #only: string | undefined;
  readonly #queues = new Map<string, Queue>();

  constructor(args: Arguments) {
    this.#options = { ...connectionOf(args), ...oneShot };
    this.#only = args.text('queue');
  }

  async read(): Promise<Row[]> {
    const { repeatFor: _notItsOption, ...options } = this.#options;
    const names = this.#only === undefined ? (await listQueues(options)).toSorted() : [this.#only];
    return Promise.all(names.map(async (name) => rowOf(await this.#queue(name).stats())));
  }

  #queue(name: string): Queue {
    const queue = this.#queues.get(name) ?? new Queue(name, this.#options);
    this.#queues.set(name, queue);
    return queue;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.close()));
  }
}

function rowOf({ queue, paused, scheduled, due, ready, active, dead, consumers, leader }: QueueStats): Row {
  return { queue, paused, scheduled, due, ready, active, dead, consumers, leader };
}

function tableOf(rows: readonly Row[]): string {
  if (rows.length === 0) return 'no queues yet: a queue is there once something was added to it';
  const head = ['QUEUE', 'STATE', 'SCHEDULED', 'DUE', 'READY', 'ACTIVE', 'DEAD', 'CONSUMERS', 'LEADER'];
  return table([
    head,
    ...rows.map((row) => [row.queue, row.paused ? 'paused' : 'running', ...countsOf(row), leaderOf(row)]),
  ]);
}

function countsOf({ scheduled, due, ready, active, dead, consumers }: Row): string[] {
  return [scheduled, due, ready, active, dead, consumers].map(String);
}

function leaderOf({ leader }: Row): string {
  return leader === null ? 'none' : `${leader.host}:${leader.pid}`;
}

function lineOf(row: Row): string {
  const { queue, paused, scheduled, due, ready, active, dead, consumers } = row;
  const counts = Object.entries({ scheduled, due, ready, active, dead, consumers, leader: leaderOf(row) });
  return `${queue} ${paused ? 'paused' : 'running'} ${counts.map(([name, value]) => `${name}=${value}`).join(' ')}`;
}
