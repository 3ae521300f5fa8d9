/**
 * A stage for the kill tests: a Redis, a queue, and the real processes of the command line around it. Whatever is
 * started here is ended with the test, frozen or not.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { type LeaderInfo, type NewTask, Queue, type QueueStats } from '../../src/index.js';
import { group, partitionKeys } from '../../src/keys.js';
import { launchRedis, type RedisLaunchOptions, type RedisServer } from '../../src/redis/embedded.js';
import type { Link } from '../../src/redis/link.js';
import { Command, type Result } from './cli.js';
import { Journal } from './journal.js';
import { linkTo, until } from './redis.js';

/** How many tasks a kill test runs. */
export const tasksMax: number = Number(process.env['DUESTREAM_TEST_TASKS'] ?? 20_000);

/** Generous: what is asserted is that it comes about, not how fast this machine is. */
export const endMs: number = 60_000 + 3 * tasksMax;

/** A line of an import. */
export type MixedTask = NewTask & { id: string; atMs?: number };

const handlers = join(dirname(fileURLToPath(import.meta.url)), 'handlers/journal.mjs');
const queueName = 'stage';

export class Stage {
  readonly redis: RedisServer;
  readonly folder: string;
  readonly journal: Journal;
  readonly queue: Queue;
  readonly link: Link;
  readonly #commands: Command[] = [];

  private constructor(redis: RedisServer, folder: string) {
    this.redis = redis;
    this.folder = folder;
    this.journal = new Journal(folder);
    this.queue = new Queue(queueName, { connection: redis.connection, repeatFor: '60s' });
    this.link = linkTo(redis.connection);
  }

  static async open(options: RedisLaunchOptions = {}): Promise<Stage> {
    const redis = await launchRedis(options);
    const stage = new Stage(redis, await mkdtemp(join(tmpdir(), 'duestream-stage-')));
    onTestFinished(() => stage.#close());
    return stage;
  }

  async #close(): Promise<void> {
    for (const { process, ended } of this.#commands) {
      if (process.exitCode === null && process.signalCode === null) process.kill('SIGKILL');
      await ended;
    }
    await this.queue.close();
    await this.redis.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  start(args: readonly string[], url: string = this.redis.url): Command {
    const env = { DUESTREAM_REDIS_URL: url, JOURNAL: this.journal.path, GATE: this.journal.gate };
    const command = new Command(args, { cwd: this.folder, env });
    command.process.stdin?.end();
    this.#commands.push(command);
    return command;
  }

  /** A worker that only works; the others are leaders. */
  async worker(args: readonly string[] = [], url?: string): Promise<Command> {
    const fixed = ['worker', queueName, '--handlers', handlers, '--leader', 'never'];
    const worker = this.start([...fixed, '--lease', '2s', '--lock-ttl', '1s', ...args], url);
    await worker.says(/worker started/);
    return worker;
  }

  async leader(url?: string): Promise<Command> {
    const leader = this.start(['leader', queueName, '--lock-ttl', '1s'], url);
    await leader.says(/leader started/);
    return leader;
  }

  /** Resolves with what the command line says of the leader, once there is one that is not `pid`. */
  async leading(notPid = 0): Promise<LeaderInfo> {
    await until(async () => ((await this.queue.leader())?.pid ?? notPid) !== notPid, 'a leader', endMs);
    const { leader } = await this.json<{ leader: LeaderInfo | null }>(['leader-status', queueName]);
    return leader ?? this.leading(notPid);
  }

  run(...args: string[]): Promise<Result> {
    return this.start(args).ended;
  }

  async json<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Adds them by `duestream import`; resolves when that has ended well. */
  async import(tasks: readonly MixedTask[], url?: string): Promise<void> {
    const { code, stdout, stderr } = await this.startImport(tasks, url).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ read: tasks.length, added: tasks.length, refused: 0, duplicates: 0 });
  }

  /** Adds them by the library, which asks again for a minute when Redis is away. */
  async add(tasks: readonly MixedTask[]): Promise<void> {
    const items = tasks.map(({ atMs, ...task }) => (atMs === undefined ? task : { ...task, at: atMs }));
    for (let from = 0; from < items.length; from += 500) {
      const results = await this.queue.addMany(items.slice(from, from + 500));
      expect(results.filter(({ status }) => status === 'duplicate')).toEqual([]);
    }
  }

  startImport(tasks: readonly MixedTask[], url?: string): Command {
    const file = join(this.folder, 'tasks.ndjson');
    writeFileSync(file, tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
    return this.start(['import', queueName, file, '--json'], url);
  }

  /** Resolves in the middle of it, when so many tasks are completed. */
  async progress(tasks: number): Promise<void> {
    const { queue } = this;
    await until(async () => ((await queue.stats()).counts['complete'] ?? 0) >= tasks, 'progress', endMs);
  }

  /** Resolves when so many handlers are at work. */
  async atWork(count: number): Promise<void> {
    const open = (): number => 2 * this.journal.starts().length - this.journal.lines().length;
    await until(() => open() === count, `${count} handlers at work`, endMs);
  }

  /** Resolves when so many tasks are completed and no work is left. */
  async completed(tasks: number): Promise<QueueStats> {
    let stats = await this.queue.stats();
    const settled = async (): Promise<boolean> => {
      stats = await this.queue.stats();
      return (stats.counts['complete'] ?? 0) >= tasks && stats.active + stats.ready === 0;
    };
    try {
      await until(settled, 'all tasks completed', endMs);
    } catch (error) {
      throw new Error(`${String(error)}: ${JSON.stringify(stats)}\n${this.#said()}`, { cause: error });
    }
    return stats;
  }

  #said(): string {
    return this.#commands.map(({ process, stderr }) => `${process.pid}: ${stderr.slice(-2_000)}`).join('\n');
  }

  /** How many entries were ever added to the stream: one for each promotion, hand-back and task that was due at once. */
  async entriesAdded(): Promise<number> {
    const info = (await this.link.send(['XINFO', 'STREAM', this.keys.stream])) as (string | number)[];
    return Number(info[info.indexOf('entries-added') + 1]);
  }

  get keys(): ReturnType<typeof partitionKeys> {
    return partitionKeys('duestream', queueName, 0);
  }

  /** Nothing is left behind, neither as the command line tells it nor in any key. */
  async expectEmpty(): Promise<void> {
    const none = { scheduled: 0, due: 0, ready: 0, active: 0, dead: 0 };
    expect(await this.json<object>(['stats', queueName])).toMatchObject(none);
    const { due, tasks, runs, stream, live, expiry } = this.keys;
    const left = {
      due: await this.link.send(['ZCARD', due]),
      tasks: await this.link.send(['HLEN', tasks]),
      runs: await this.link.send(['HLEN', runs]),
      stream: await this.link.send(['XLEN', stream]),
      live: await this.link.send(['HLEN', live]),
      expiry: await this.link.send(['ZCARD', expiry]),
      pending: ((await this.link.send(['XPENDING', stream, group])) as unknown[])[0],
    };
    expect(left).toEqual({ due: 0, tasks: 0, runs: 0, stream: 0, live: 0, expiry: 0, pending: 0 });
  }

  /** Freezes the process at a moment when handlers are at work in it, and tells which. */
  async freezeAtWork(worker: Command): Promise<string[]> {
    const pid = worker.process.pid ?? 0;
    let ids: string[] = [];
    const frozenAtWork = (): boolean => {
      worker.kill('SIGSTOP');
      ids = this.journal.atWork(pid).map(({ id }) => id);
      if (ids.length === 0) worker.kill('SIGCONT');
      return ids.length > 0;
    };
    await until(frozenAtWork, 'a handler at work', endMs);
    return ids;
  }
}

/**
 * Tasks as real input has them: a third is due at once, the others within three seconds, told in both ways; and of each
 * ten one fails its first attempt.
 */
export function mixedTasks(count: number, ms = 1): MixedTask[] {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, at) => {
    const flaky = { name: 'flaky', backoff: { type: 'fixed', delay: 50 } } as const;
    const task = { id: `t${at}`, payload: { ms }, ...(at % 10 === 9 ? flaky : { name: 'work' }) };
    const inMs = (at * 7_919) % 3_000;
    if (at % 3 === 0) return task;
    return at % 3 === 1 ? { ...task, in: inMs } : { ...task, atMs: nowMs + inMs };
  });
}

/** Tasks that are at work until the journal's gate opens. */
export function gatedTasks(count: number): MixedTask[] {
  return Array.from({ length: count }, (_, at) => ({ id: `gated${at}`, name: 'gated' }));
}

/** How often these go through the stream when nothing goes wrong. */
export function runsOf(tasks: readonly MixedTask[]): number {
  return tasks.length + tasks.filter(({ name }) => name === 'flaky').length;
}

/** Resolves when so much time has passed: for faults that only time makes, as a lease that runs out. */
export async function passed(ms: number): Promise<void> {
  const fromMs = performance.now();
  await until(() => performance.now() - fromMs > ms, `${ms} ms`, ms + endMs);
}
