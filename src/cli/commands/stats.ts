import { scheduler } from 'node:timers/promises';
import { listQueues, type PartitionStats, Queue, type QueueStats } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { exitCodeOf, exitCodes, lineOf, usage } from '../failure.js';
import { note, print, printJson, table, timeText } from '../output.js';
import { type Connection, connectionOf } from '../redis-address.js';
import { noteIfNew, oneShot } from '../with-queue.js';

export const command: Command = {
  flags: {
    watch: { describe: 'Again every second: redrawn on a terminal, else a line for each queue', isSwitch: true },
    'by-partition': { describe: 'The figures of each partition, too', isSwitch: true },
    ...json,
    ...connected,
  },
  examples: [
    ['stats', 'all queues'],
    ['stats mail --watch', 'one queue, every second'],
    ['stats mail --by-partition', 'and a row for each of its partitions'],
  ],
  run: stats,
};

const watchEveryMs = 1_000;
const home = '\u001b[H\u001b[J';

/** What `--json` prints, and no more: its fields are fixed. */
type Row = Pick<
  QueueStats,
  | 'queue'
  | 'paused'
  | 'scheduled'
  | 'due'
  | 'ready'
  | 'active'
  | 'dead'
  | 'consumers'
  | 'leader'
  | 'partitions'
  | 'former'
  | 'waiting'
  | 'partlyPaused'
  | 'schedules'
  | 'nextSchedule'
  | 'byPartition'
>;

async function stats(args: Arguments): Promise<number> {
  const isWatching = args.on('watch');
  if (isWatching && args.on('json')) throw usage('--json prints one document, --watch never ends: give one of them');
  const reader = new StatsReader(args);
  try {
    const { rows, failures } = await reader.read();
    await noteIfNew(args);
    if (isWatching) await watch(reader);
    show(args, rows);
    return tell(failures);
  } finally {
    await reader.close();
  }
}

interface Failed {
  readonly queue: string;
  readonly error: unknown;
}

async function watch(reader: StatsReader): Promise<never> {
  for (;;) {
    const { rows, failures } = await reader.read();
    if (process.stdout.isTTY) print(`${home}${textOf(rows)}`);
    else for (const row of rows) print(linesOf(row).join('\n'));
    tell(failures);
    await scheduler.wait(watchEveryMs);
  }
}

/** The exit code that goes with them. */
function tell(failures: readonly Failed[]): number {
  for (const { queue, error } of failures) note(`${queue}: ${lineOf(error)}`);
  const [first] = failures;
  return first === undefined ? exitCodes.ok : exitCodeOf(first.error);
}

function show(args: Arguments, rows: readonly Row[]): void {
  if (args.on('json')) printJson(args.text('queue') === undefined ? rows : rows[0]);
  else print(textOf(rows));
}

/** One queue, or all there are at that moment; connections are kept from one look to the next. */
class StatsReader {
  readonly #options: Connection & typeof oneShot;
  readonly #only: string | undefined;
  readonly #byPartition: boolean;
  readonly #queues = new Map<string, Queue>();

  constructor(args: Arguments) {
    this.#options = { ...connectionOf(args), ...oneShot };
    this.#only = args.text('queue');
    this.#byPartition = args.on('by-partition');
  }

  /** In a cluster one queue may be away and the others there. When none is there, it is as if one was asked for. */
  async read(): Promise<{ rows: Row[]; failures: Failed[] }> {
    const { repeatFor: _notItsOption, ...options } = this.#options;
    const names = this.#only === undefined ? (await listQueues(options)).toSorted() : [this.#only];
    const failures: Failed[] = [];
    const read = async (queue: string): Promise<Row[]> => {
      try {
        return [rowOf(await this.#queue(queue).stats({ byPartition: this.#byPartition }))];
      } catch (error) {
        failures.push({ queue, error });
        return [];
      }
    };
    const rows = (await Promise.all(names.map(read))).flat();
    if (rows.length === 0 && failures[0]) throw failures[0].error;
    return { rows, failures };
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

function rowOf(stats: QueueStats): Row {
  const { queue, paused, scheduled, due, ready, active, dead, consumers, leader, ...more } = stats;
  const { partitions, former, waiting, partlyPaused, schedules, nextSchedule, byPartition } = more;
  const counts = { scheduled, due, ready, active, dead, consumers };
  const kept = { schedules, nextSchedule };
  const row = { queue, paused, ...counts, leader, partitions, former, waiting, partlyPaused, ...kept };
  return byPartition === undefined ? row : { ...row, byPartition };
}

/** The queues, below them a line for each that has schedules, and their partitions where those were asked for. */
function textOf(rows: readonly Row[]): string {
  const parts = rows.flatMap(({ queue, byPartition = [] }) => {
    return byPartition.map((part) => [queue, stateOfPart(part), String(part.partition), ...countsOf(part)]);
  });
  const all = [tableOf(rows), rows.flatMap(scheduleLine).join('\n')];
  if (parts.length > 0) all.push(table([['QUEUE', 'STATE', 'PARTITION', ...countHeads], ...parts]));
  return all.filter((text) => text !== '').join('\n\n');
}

function scheduleLine({ queue, schedules, nextSchedule }: Row): string[] {
  if (schedules === 0) return [];
  const next = nextSchedule === null ? 'none has a next time' : `next ${timeText(nextSchedule)}`;
  return [`${queue}: ${schedules} ${schedules === 1 ? 'schedule' : 'schedules'}, ${next}`];
}

function tableOf(rows: readonly Row[]): string {
  if (rows.length === 0) return 'no queues yet: a queue is there once something was added to it';
  const head = ['QUEUE', 'STATE', 'PARTITIONS', ...countHeads, 'LEADER'];
  return table([
    head,
    ...rows.map((row) => [row.queue, stateOf(row), String(row.partitions), ...countsOf(row), leaderOf(row)]),
  ]);
}

const countNames = ['scheduled', 'due', 'ready', 'active', 'dead', 'consumers'] as const;
const countHeads = countNames.map((name) => name.toUpperCase());

type Counted = Pick<QueueStats, (typeof countNames)[number]>;

function countsOf(counted: Counted): string[] {
  return countNames.map((name) => String(counted[name]));
}

function stateOf({ paused, partlyPaused, former }: Row): string {
  if (partlyPaused) return 'partly paused';
  if (paused) return 'paused';
  return former.length > 0 ? 'growing' : 'running';
}

function stateOfPart({ paused, waiting }: PartitionStats): string {
  if (paused) return 'paused';
  return waiting ? 'waiting' : 'running';
}

function leaderOf({ leader }: Row): string {
  return leader === null ? 'none' : `${leader.host}:${leader.pid}`;
}

/** One for the queue, and one for each partition that was asked for. */
function linesOf(row: Row): string[] {
  const shown = (counted: Counted): string[] => countNames.map((name) => `${name}=${counted[name]}`);
  const { queue, partitions, byPartition = [] } = row;
  const whole = [queue, stateOf(row), ...shown(row), `leader=${leaderOf(row)}`, `partitions=${partitions}`];
  if (row.schedules > 0) whole.push(`schedules=${row.schedules}`);
  const parts = byPartition.map((part) => [queue, stateOfPart(part), `partition=${part.partition}`, ...shown(part)]);
  return [whole, ...parts].map((words) => words.join(' '));
}
