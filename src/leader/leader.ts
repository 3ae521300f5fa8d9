import { EventEmitter } from 'node:events';
import { emitSafely } from '../emit.js';
import { DuestreamError, messageOf } from '../errors.js';
import { type Health, healthOf } from '../health.js';
import { type Common, type CommonOptions, resolveCommon } from '../options.js';
import { type ConnectionOption, defaultConnection } from '../redis/connection.js';
import { type Listening, listen } from '../redis/listen.js';
import type { Caller } from '../redis/script.js';
import { openServers, type Servers } from '../redis/servers.js';
import { settlePartitions } from '../redis/settle.js';
import { judgeServer } from '../redis/suitability.js';
import { checkQueueName } from '../task.js';
import { Candidate } from './candidate.js';
import type { SeatEvent } from './elector.js';
import { type LeaderTuning, type ResolvedTuning, resolveTuning } from './options.js';
import type { Seat } from './trust.js';

export interface LeaderOptions extends CommonOptions<ConnectionOption>, LeaderTuning {}

export interface LeaderEvents {
  elected: [{ readonly term: number }];
  stepped_down: [{ readonly reason: 'resigned' | 'lost' | 'refused' }];
  error: [error: unknown];
}

interface Running {
  readonly servers: Servers;
  /** There is one once it is known how many partitions there are. */
  leading: { readonly candidate: Candidate; readonly listening: Listening } | undefined;
  readonly began: Promise<void>;
}

/**
 * A process that only leads: it bids for the queue's leadership, and while it has it moves due tasks to the stream. Start
 * as many as you like; one leads, the others wait. A Worker does the same beside its own work unless told
 * `leader: 'never'`. It installs no signal handlers; an `error` nobody listens to is logged, not thrown.
 */
export class Leader extends EventEmitter<LeaderEvents> implements AsyncDisposable {
  readonly queue: string;
  readonly #common: Common<ConnectionOption>;
  readonly #tuning: ResolvedTuning;
  readonly #ended = new AbortController();
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  #unsuitable: string | undefined;
  #unsettled = 'how many partitions the queue has is not known yet';

  constructor(queue: string, options: LeaderOptions = {}) {
    super();
    this.queue = checkQueueName(queue);
    this.#common = resolveCommon(options, defaultConnection, ['lockNodes', 'lockTtl']);
    this.#tuning = resolveTuning(options, this.#common.connection);
  }

  get seat(): 'leader' | 'follower' {
    return this.#running?.leading?.candidate.isLeading ? 'leader' : 'follower';
  }

  /** Starts to bid; resolves at once. Redis may be away: it keeps trying. Idempotent; not after `stop`. */
  async start(): Promise<void> {
    if (this.#stopping) throw new DuestreamError('ERR_CLOSED', `the leader of "${this.queue}" was stopped`);
    if (this.#running) return;
    const servers = openServers(this.#common, 'leader');
    this.#running = { servers, leading: undefined, began: this.#begin(servers) };
  }

  /** Finishes the running step, tells the others and frees the lock: one of them leads within 100 ms. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  health(): Health {
    const running = this.#running;
    if (!running || this.#stopping) return healthOf(false, ['not running']);
    return healthOf(true, [
      !running.servers.isUp && 'Redis is unreachable',
      this.#unsuitable !== undefined && this.#unsuitable,
      ...(running.leading?.candidate.problems ?? [this.#unsettled]),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Learns how many partitions there are, and then bids. */
  async #begin(servers: Servers): Promise<void> {
    const { signal } = this.#ended;
    const onFailure = (error: unknown): void => {
      this.#unsettled = messageOf(error);
      if (!signal.aborted) this.#tell('error', error);
    };
    const partitions = await settlePartitions(this.queue, { common: this.#common, servers }, { signal, onFailure });
    if (!partitions || !this.#running) return;
    const candidate = new Candidate({
      queue: this.queue,
      common: this.#common,
      tuning: this.#tuning,
      servers,
      partitions,
      onSeat: (seat, event) => this.#tellSeat(seat, event),
      onError: (error) => this.#tell('error', error),
    });
    const listening = listen(this.#common, { partitions, servers }, (...news) => candidate.hear(...news));
    this.#running.leading = { candidate, listening };
    void this.#judge(servers.callerFor(partitions.home.keys.meta));
    candidate.start();
  }

  async #stop(): Promise<void> {
    this.#ended.abort();
    if (!this.#running) return;
    const { servers, leading, began } = this.#running;
    await leading?.candidate.stop();
    await Promise.all([leading?.listening.stop(), servers.stop()]);
    await began;
  }

  #tellSeat(seat: Seat, event: SeatEvent): void {
    if (seat.role === 'leader' && event === 'elected') this.#tell('elected', { term: seat.term });
    if (event === 'resigned' || event === 'lost' || event === 'refused') this.#tell('stepped_down', { reason: event });
  }

  /** A server that may lose tasks is worth an error before it does. */
  async #judge(commands: Caller): Promise<void> {
    this.#unsuitable = await judgeServer(commands, this.#common.observe);
    if (this.#unsuitable) this.#tell('error', new DuestreamError('ERR_UNSUITABLE_REDIS', this.#unsuitable));
  }

  #tell(...event: [string, ...unknown[]]): void {
    emitSafely(this, `leader of "${this.queue}"`, event);
  }
}
