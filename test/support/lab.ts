/**
 * A queue on a real Redis for tests of the public classes: a server for each test file, a queue of its own for each
 * test. What a test makes here is stopped when it is over, and an error a worker or leader told of fails the test that
 * did not expect it.
 */
import { afterEach, beforeEach, expect } from 'vitest';
import { type PartitionKeys, partitionKeys } from '../../src/keys.js';
import {
  type ConnectionOption,
  type Handlers,
  Leader,
  type LeaderOptions,
  type Observation,
  Queue,
  type QueueOptions,
  type TaskMap,
  Worker,
  type WorkerEvents,
  type WorkerOptions,
} from '../../src/index.js';
import type { RedisLaunchOptions, RedisServer } from '../../src/redis/embedded.js';
import { Link } from '../../src/redis/link.js';
import type { Reply } from '../../src/redis/reply.js';
import { runScript, type Script } from '../../src/redis/script.js';
import { next, join } from '../../src/redis/scripts.generated.js';
import { until, useRedis } from './redis.js';

export interface Told {
  readonly event: keyof WorkerEvents;
  readonly id: string;
  readonly of: Readonly<Record<string, unknown>>;
}

/** What a worker told, in order. */
export class Diary {
  readonly told: Told[] = [];
  readonly errors: unknown[] = [];

  constructor(worker: Worker) {
    for (const event of ['completed', 'failed', 'retried', 'dead', 'recovered', 'leaseLost', 'log'] as const) {
      worker.on(event, (of: object) => {
        this.told.push({ event, id: (of as { id: string }).id, of: of as Record<string, unknown> });
      });
    }
    worker.on('error', (error) => this.errors.push(error));
  }

  all(event: keyof WorkerEvents, id?: string): Told[] {
    return this.told.filter((one) => one.event === event && (id === undefined || one.id === id));
  }

  /** The first of this event, for this id when one is given, as soon as it is told. */
  async next(event: keyof WorkerEvents, id?: string): Promise<Told['of']> {
    await until(() => this.all(event, id).length > 0, `${event} ${id ?? ''} among ${JSON.stringify(this.told)}`);
    return (this.all(event, id)[0] as Told).of;
  }

  events(id: string): string[] {
    return this.told.filter((one) => one.id === id).map(({ event }) => event);
  }
}

interface Stoppable {
  stop(options?: { force?: boolean }): Promise<void>;
}

let made = 0;

export class Lab {
  readonly server: RedisServer;
  readonly name: string;
  readonly keys: PartitionKeys;
  readonly queue: Queue;
  readonly link: Link;
  readonly observations: Observation[] = [];
  /** Errors of workers and leaders; a test that expects some empties it. */
  errors: unknown[] = [];
  readonly #running: Stoppable[] = [];
  readonly #queues: { close(): Promise<void> }[] = [];

  constructor(server: RedisServer) {
    made += 1;
    this.server = server;
    this.name = `q${made}`;
    this.keys = partitionKeys('duestream', this.name, 0);
    this.link = new Link({ connection: server.connection, purpose: 'test' });
    this.queue = this.newQueue();
  }

  readonly observe = (observation: Observation): void => {
    this.observations.push(observation);
  };

  newQueue<M extends TaskMap = TaskMap>(options: QueueOptions = {}): Queue<M> {
    const queue = new Queue<M>(this.name, { connection: this.server.connection, ...options });
    this.#queues.push(queue);
    return queue;
  }

  /** A running worker; its lease of 10s is far beyond what a test takes. */
  async worker(handlers: Handlers<TaskMap>, options: WorkerOptions = {}): Promise<{ worker: Worker; diary: Diary }> {
    const worker = new Worker(this.name, handlers, { ...this.workerOptions, ...options });
    const diary = new Diary(worker);
    worker.on('error', (error) => this.errors.push(error));
    this.#running.push(worker);
    await worker.start();
    return { worker, diary };
  }

  get workerOptions(): WorkerOptions {
    const { connection } = this.server;
    return { connection, lease: '10s', drain: '10s', observe: this.observe };
  }

  async leader(options: LeaderOptions = {}): Promise<Leader> {
    const { connection } = this.server;
    const leader = new Leader(this.name, { connection, observe: this.observe, ...options });
    leader.on('error', (error) => this.errors.push(error));
    this.#running.push(leader);
    await leader.start();
    return leader;
  }

  send(...args: (string | number)[]): Promise<Reply> {
    return this.link.send(args.map(String));
  }

  run<K, A, R extends { status: string }>(
    script: Script<K, A, R>,
    args: Omit<NoInfer<A>, 'layout' | 'nowMs' | 'lane' | 'call' | 'group' | 'inRow'>,
  ): Promise<R> {
    const standing = { layout: '1/1', nowMs: 0, lane: '', call: 0, group: '', inRow: 0 };
    return runScript<K, A, R>(this.link, script, { keys: this.keys as K, args: { ...standing, ...args } as A });
  }

  /** Makes what this consumer, or everybody, holds look silent for so long; delivery counts stay. */
  async age(idleMs: number): Promise<number> {
    const pending = await this.pending();
    for (const { entry, consumer, count } of pending) {
      const args = [consumer, 0, entry, 'IDLE', idleMs, 'RETRYCOUNT', count, 'JUSTID'];
      await this.send('XCLAIM', this.keys.stream, 'workers', ...args);
    }
    return pending.length;
  }

  /** A consumer that took deliveries, and never says anything again. */
  async ghost(
    count: number,
    { name = 'ghost', leaseMs = 1_000 }: { name?: string; leaseMs?: number } = {},
  ): Promise<string[]> {
    await this.run(join, { consumer: name, worker: 'a ghost', leaseMs });
    const reply = await this.run(next, { consumer: name, free: count, bytesMax: 1e6, items: [] });
    if (reply.status !== 'ok' || reply.deliveries.length !== count) throw new Error(`got ${JSON.stringify(reply)}`);
    return reply.deliveries.map(({ id }) => id);
  }

  /** What is pending, and with whom. */
  async pending(): Promise<{ entry: string; consumer: string; idleMs: number; count: number }[]> {
    const args = ['XPENDING', this.keys.stream, 'workers', '-', '+', 1000];
    const found = (await this.send(...args)) as [string, string, number, number][];
    return found.map(([entry, consumer, idleMs, count]) => ({ entry, consumer, idleMs, count }));
  }

  async nowMs(): Promise<number> {
    const [seconds, micros] = (await this.send('TIME')) as [string, string];
    return Number(seconds) * 1000 + Number(micros) / 1000;
  }

  /** Waits until the task is in this state, null: gone. */
  async state(id: string, state: string | null): Promise<void> {
    let last: string | null | undefined;
    const look = async (): Promise<boolean> => {
      last = (await this.queue.get(id))?.state ?? null;
      return last === state;
    };
    await until(look, `${id} to be ${state}`).catch((error: unknown) => {
      throw new Error(`${String(error)}, it is ${last}`, { cause: error });
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop({ force: true })));
    await Promise.all(this.#queues.map((queue) => queue.close()));
    await this.link.stop();
  }
}

/** What a machine that stood still for a moment makes of a deadline. */
const slowness = ['ERR_OUTCOME_UNKNOWN', 'ERR_REDIS_UNREACHABLE'];

/** For a test file: its server, and inside each test a lab. */
export function useLab(options: RedisLaunchOptions = {}): () => Lab {
  const redis = useRedis(options);
  let lab: Lab | undefined;
  beforeEach(async () => {
    lab = new Lab(redis());
    await lab.send('FLUSHALL');
  });
  afterEach(async () => {
    const errors = lab?.errors ?? [];
    await lab?.end();
    lab = undefined;
    expect(errors.filter((error) => !slowness.includes(String((error as { code?: unknown }).code)))).toEqual([]);
  });
  return () => {
    if (lab === undefined) throw new Error('the lab is there inside a test only');
    return lab;
  };
}

/** A promise, and what settles it: a handler that waits for the test. */
export class Gate<T = void> {
  open: (value: T) => void = () => {};
  readonly opened: Promise<T> = new Promise((resolve) => {
    this.open = resolve;
  });
}

/** Resolves with why the signal was aborted. */
export function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const tell = (): void => resolve((signal.reason as { why?: string }).why ?? String(signal.reason));
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}

export type { ConnectionOption };
