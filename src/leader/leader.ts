import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { emitSafely } from '../emit.js';
import { DuestreamError } from '../errors.js';
import { type Health, healthOf } from '../health.js';
import { type Common, type CommonOptions, resolveCommon } from '../options.js';
import { newToken } from '../random.js';
import { type ConnectionOption, defaultConnection } from '../redis/connection.js';
import type { Link } from '../redis/link.js';
import { openLink } from '../redis/observed-link.js';
import { OneServer } from '../redis/one-server.js';
import { Partitions } from '../redis/partition.js';
import { listen } from '../redis/listen.js';
import type { Subscriber } from '../redis/subscriber.js';
import type { Caller } from '../redis/script.js';
import { introduce, openServers, type Servers } from '../redis/servers.js';
import { judgeServer } from '../redis/suitability.js';
import { checkQueueName } from '../task.js';
import { Leadership } from './leadership.js';
import { type LeaderTuning, type ResolvedTuning, resolveTuning } from './options.js';

export interface LeaderOptions extends CommonOptions<ConnectionOption>, LeaderTuning {}

export interface LeaderEvents {
  elected: [{ readonly term: number }];
  stepped_down: [{ readonly reason: 'resigned' | 'lost' | 'refused' }];
  error: [error: unknown];
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
  #running: { servers: Servers; lockNodes: Link[]; subscriber: Subscriber; leadership: Leadership } | undefined;
  #stopping: Promise<void> | undefined;
  #unsuitable: string | undefined;

  constructor(queue: string, options: LeaderOptions = {}) {
    super();
    this.queue = checkQueueName(queue);
    this.#common = resolveCommon(options, defaultConnection, ['lockNodes', 'lockTtl']);
    this.#tuning = resolveTuning(options, this.#common.connection);
  }

  get seat(): 'leader' | 'follower' {
    return this.#running?.leadership.isLeading ? 'leader' : 'follower';
  }

  /** Starts to bid; resolves at once. Redis may be away: it keeps trying. Idempotent; not after `stop`. */
  async start(): Promise<void> {
    if (this.#stopping) throw new DuestreamError('ERR_CLOSED', `the leader of "${this.queue}" was stopped`);
    if (this.#running) return;
    const { clock, random, observe, prefix } = this.#common;
    const servers = openServers(this.#common, 'leader');
    const partitions = new Partitions({ queue: this.queue, prefix, callerFor: (key) => servers.callerFor(key) });
    const { home } = partitions;
    const lockNodes = this.#tuning.ownVotes
      ? [servers.openLink('lock', home.keys.lock)]
      : this.#tuning.lockNodes.map((node) => openLink(this.#common, 'lock', node));
    const oneServer = new OneServer(clock, () =>
      this.#tuning.ownVotes ? [servers.linkFor(home.keys.lock), ...lockNodes] : [],
    );
    const leadership = new Leadership({
      queue: this.queue,
      partitions,
      lockNodes,
      oneServer,
      lockTtlMs: this.#tuning.lockTtlMs,
      identity: { id: newToken(), host: hostname(), pid: process.pid },
      clock,
      random,
      observe,
      onSeat: (seat, event) => {
        if (seat.role === 'leader' && event === 'elected') this.#tell('elected', { term: seat.term });
        if (event === 'resigned' || event === 'lost' || event === 'refused')
          this.#tell('stepped_down', { reason: event });
      },
      onError: (error) => this.#tell('error', error),
    });
    const subscriber = listen(this.#common, { partitions, servers }, (signal) => leadership.hear(signal));
    this.#running = { servers, lockNodes, subscriber, leadership };
    void introduce(servers, prefix, this.queue);
    void this.#judge(servers.callerFor(home.keys.meta));
    leadership.start();
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
      running.leadership.isFailing && 'promotion is failing',
      this.#unsuitable !== undefined && this.#unsuitable,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    if (!this.#running) return;
    const { servers, lockNodes, subscriber, leadership } = this.#running;
    await leadership.stop();
    await Promise.all([subscriber.stop(), servers.stop(), ...lockNodes.map((node) => node.stop())]);
  }

  /** A server that may lose tasks is worth an error before it does. */
  async #judge(commands: Caller): Promise<void> {
    this.#unsuitable = await judgeServer(commands);
    if (this.#unsuitable) this.#tell('error', new DuestreamError('ERR_UNSUITABLE_REDIS', this.#unsuitable));
  }

  #tell(...event: [string, ...unknown[]]): void {
    emitSafely(this, `leader of "${this.queue}"`, event);
  }
}
