import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { EmitWorkerEvent, WorkerEvents } from './consumer/events.js';
import { emitSafely } from './emit.js';
import { DuestreamError, messageOf } from './errors.js';
import { type Handlers, type ResolvedHandler, resolveHandlers } from './handler.js';
import { type Health, healthOf } from './health.js';
import type { Caller } from './redis/script.js';
import { openServers, type Servers } from './redis/servers.js';
import { settlePartitions } from './redis/settle.js';
import { judgeServer } from './redis/suitability.js';
import { checkQueueName, type TaskMap } from './task.js';
import { Crew } from './worker-crew.js';
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from './worker-options.js';

interface Running {
  readonly servers: Servers;
  /** There is one once it is known how many partitions there are. */
  crew: Crew | undefined;
  readonly began: Promise<void>;
}

/**
 * Runs a queue's tasks: a consumer for each partition and, unless `leader: 'never'`, a candidate for the leadership
 * beside them. They meet in Redis, not here.
 *
 * It installs no signal handlers: call `stop()` in yours. An `error` nobody listens to is logged, not thrown.
 */
export class Worker<M extends TaskMap = TaskMap> extends EventEmitter<WorkerEvents> implements AsyncDisposable {
  readonly queue: string;
  readonly #options: ResolvedWorkerOptions;
  readonly #handlers: ReadonlyMap<string, ResolvedHandler>;
  readonly #ended = new AbortController();
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  #forced = new AbortController();
  #unsuitable: string | undefined;
  #unsettled = 'how many partitions the queue has is not known yet';

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
    return this.#running?.crew?.inFlight ?? 0;
  }

  /** Starts to work; resolves at once. Redis may be away: it keeps trying. Idempotent; not after `stop`. */
  async start(): Promise<void> {
    if (this.#stopping) throw new DuestreamError('ERR_CLOSED', `the worker of "${this.queue}" was stopped`);
    if (this.#running) return;
    const servers = openServers(this.#options.common, 'worker');
    this.#running = { servers, crew: undefined, began: this.#begin(servers) };
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
      this.#unsuitable !== undefined && this.#unsuitable,
      ...(running.crew?.problems ?? [this.#unsettled]),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Learns how many partitions there are, and then goes to work. */
  async #begin(servers: Servers): Promise<void> {
    const { signal } = this.#ended;
    const onFailure = (error: unknown): void => {
      this.#unsettled = messageOf(error);
      if (!signal.aborted) this.#emit('error', error);
    };
    const { common } = this.#options;
    const partitions = await settlePartitions(this.queue, { common, servers }, { signal, onFailure });
    if (!partitions || !this.#running) return;
    void this.#judge(servers.callerFor(partitions.home.keys.meta));
    const own = { queue: this.queue, options: this.#options, handlers: this.#handlers, emit: this.#emit };
    this.#running.crew = new Crew({ ...own, servers, partitions });
    this.#running.crew.start();
  }

  async #stop(): Promise<void> {
    this.#ended.abort();
    if (!this.#running) return;
    const { servers, crew, began } = this.#running;
    await crew?.stop(this.#forced.signal);
    await servers.stop();
    await began;
  }

  /** A server that may lose tasks is worth an error before it does. */
  async #judge(commands: Caller): Promise<void> {
    this.#unsuitable = await judgeServer(commands, this.#options.common.observe);
    if (this.#unsuitable) this.#emit('error', new DuestreamError('ERR_UNSUITABLE_REDIS', this.#unsuitable));
  }

  readonly #emit: EmitWorkerEvent = (event, ...args) => {
    if (event !== 'error' && this.listenerCount(event) === 0) return; // nearly always: and it is asked for each task
    emitSafely(this, `worker of "${this.queue}"`, [event, ...args]);
  };
}
