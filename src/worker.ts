import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { Consumer } from './consumer/consumer.js';
import type { EmitWorkerEvent, WorkerEvents } from './consumer/events.js';
import { emitSafely } from './emit.js';
import { DuestreamError } from './errors.js';
import { type Handlers, type ResolvedHandler, resolveHandlers } from './handler.js';
import { type Health, healthOf } from './health.js';
import { Leadership } from './leader/leadership.js';
import { newToken } from './random.js';
import { listen } from './redis/listen.js';
import type { Link } from './redis/link.js';
import { openLink } from './redis/observed-link.js';
import { OneServer } from './redis/one-server.js';
import { type Partition, Partitions } from './redis/partition.js';
import type { Caller } from './redis/script.js';
import { introduce, openServers, type Servers } from './redis/servers.js';
import { judgeServer } from './redis/suitability.js';
import type { Subscriber } from './redis/subscriber.js';
import { checkQueueName, type TaskMap } from './task.js';
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from './worker-options.js';

interface Running {
  readonly servers: Servers;
  readonly readers: readonly Link[];
  readonly lockNodes: readonly Link[];
  readonly subscriber: Subscriber;
  readonly consumers: readonly Consumer[];
  readonly leadership: Leadership | undefined;
}

/**
 * Runs a queue's tasks: a consumer for each partition and, unless `leader: 'never'`, a candidate for the leadership
 * beside it. The two meet in Redis, not here.
 *
 * It installs no signal handlers: call `stop()` in yours. An `error` nobody listens to is logged, not thrown.
 */
export class Worker<M extends TaskMap = TaskMap> extends EventEmitter<WorkerEvents> implements AsyncDisposable {
  readonly queue: string;
  readonly #options: ResolvedWorkerOptions;
  readonly #handlers: ReadonlyMap<string, ResolvedHandler>;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  #forced = new AbortController();
  #unsuitable: string | undefined;

  constructor(queue: string, handlers: NoInfer<Handlers<M>>, options: WorkerOptions = {}) {
    super();
    this.queue = checkQueueName(queue);
    this.#options = resolveWorkerOptions(options, `${hostname()}:${process.pid}`);
    this.#handlers = resolveHandlers(handlers, this.#options.defaults);
  }

  /** The names this worker has handlers for. */
  get names(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  /** How many handlers are at work. */
  get inFlight(): number {
    return this.#running?.consumers.reduce((sum, consumer) => sum + consumer.inFlight, 0) ?? 0;
  }

  /** Starts to work; resolves at once. Redis may be away: it keeps trying. Idempotent; not after `stop`. */
  async start(): Promise<void> {
    if (this.#stopping) throw new DuestreamError('ERR_CLOSED', `the worker of "${this.queue}" was stopped`);
    if (this.#running) return;
    const { common, leader, tuning } = this.#options;
    const servers = openServers(common, 'worker');
    const { prefix } = common;
    const partitions = new Partitions({ queue: this.queue, prefix, callerFor: (key) => servers.callerFor(key) });
    const readers = leader === 'only' ? [] : partitions.all.map(({ keys }) => servers.openLink('reader', keys.stream));
    const votes = tuning.ownVotes
      ? (): Link[] => [servers.openLink('lock', partitions.home.keys.lock)]
      : (): Link[] => tuning.lockNodes.map((node) => openLink(common, 'lock', node));
    const lockNodes = leader === 'never' ? [] : votes();
    const consumers = readers.map((reader, at) => this.#consumer(partitions.all[at] as Partition, { servers, reader }));
    const leadership = leader === 'never' ? undefined : this.#leadership(partitions, { servers, lockNodes });
    const subscriber = listen(common, { partitions, servers }, (signal) => {
      leadership?.hear(signal);
      for (const consumer of consumers) consumer.hear(signal);
    });
    this.#running = { servers, readers, lockNodes, subscriber, consumers, leadership };
    void introduce(servers, prefix, this.queue);
    void this.#judge(servers.callerFor(partitions.home.keys.meta));
    leadership?.start();
    for (const consumer of consumers) consumer.start();
  }

  /**
   * Reads no more, lets handlers finish up to the drain time, then aborts them; hands back what was not started, frees
   * the leadership. `force` aborts them at once, also while a stop is under way. Idempotent.
   */
  async stop({ force = false }: { force?: boolean } = {}): Promise<void> {
    if (force) this.#forced.abort();
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  health(): Health {
    const running = this.#running;
    if (!running || this.#stopping) return healthOf(false, ['not running']);
    return healthOf(true, [
      !running.servers.isUp && 'Redis is unreachable',
      running.leadership?.isFailing === true && 'promotion is failing',
      this.#unsuitable !== undefined && this.#unsuitable,
      ...running.consumers.flatMap((consumer) => consumer.problems),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    if (!this.#running) return;
    const { servers, readers, lockNodes, subscriber, consumers, leadership } = this.#running;
    const { drainMs } = this.#options;
    await Promise.all([
      leadership?.stop(),
      ...consumers.map((consumer) => consumer.stop(drainMs, this.#forced.signal)),
    ]);
    await Promise.all([subscriber, servers, ...readers, ...lockNodes].map((connection) => connection.stop()));
  }

  #consumer(partition: Partition, { servers, reader }: { servers: Servers; reader: Link }): Consumer {
    const { common, id: worker, concurrency, leaseMs, lostMax, tuning } = this.#options;
    const { clock, random, observe } = common;
    const emit = this.#emit;
    const handlers = this.#handlers;
    const { lockTtlMs } = tuning;
    const limits = { concurrency, leaseMs, lostMax, lockTtlMs };
    const commands = (): Link => servers.linkFor(partition.keys.stream);
    return new Consumer({ commands, reader, ...limits, partition, handlers, worker, clock, random, observe, emit });
  }

  #leadership(partitions: Partitions, { servers, lockNodes }: Pick<Running, 'servers' | 'lockNodes'>): Leadership {
    const { common, tuning } = this.#options;
    const { clock, random, observe } = common;
    return new Leadership({
      queue: this.queue,
      partitions,
      lockNodes,
      oneServer: new OneServer(clock, () =>
        tuning.ownVotes ? [servers.linkFor(partitions.home.keys.lock), ...lockNodes] : [],
      ),
      lockTtlMs: tuning.lockTtlMs,
      clock,
      random,
      observe,
      identity: { id: newToken(), host: hostname(), pid: process.pid },
      onSeat: () => {},
      onError: (error) => this.#emit('error', error),
    });
  }

  /** A server that may lose tasks is worth an error before it does. */
  async #judge(commands: Caller): Promise<void> {
    this.#unsuitable = await judgeServer(commands);
    if (this.#unsuitable) this.#emit('error', new DuestreamError('ERR_UNSUITABLE_REDIS', this.#unsuitable));
  }

  readonly #emit: EmitWorkerEvent = (event, ...args) => {
    if (event !== 'error' && this.listenerCount(event) === 0) return; // nearly always: and it is asked for each task
    emitSafely(this, `worker of "${this.queue}"`, [event, ...args]);
  };
}
