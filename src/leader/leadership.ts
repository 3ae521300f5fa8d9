import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import type { Observe } from '../events.js';
import { runLoop } from '../loop.js';
import type { Random } from '../random.js';
import type { Link } from '../redis/link.js';
import type { OneServer } from '../redis/one-server.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { Signal } from '../signals.js';
import { Ager } from './ager.js';
import { EpochClaim, type LeaderIdentity } from './claim.js';
import { Claims } from './claims.js';
import type { Duty } from './duty.js';
import { Elector, type SeatEvent } from './elector.js';
import { Expirer } from './expirer.js';
import { Growth } from './growth.js';
import { Lock } from './lock.js';
import { Progress } from './progress.js';
import { Promoter } from './promoter.js';
import { Reaper } from './reaper.js';
import { ScheduleSweeper } from './schedule-sweeper.js';
import { Scheduler } from './scheduler.js';
import { Sweeper } from './sweeper.js';
import { isTrusted, type LeaderSeat, type Seat } from './trust.js';

export interface LeadershipParts {
  queue: string;
  partitions: Partitions;
  /** Connections of their own: a lock call that is late throws its connection away. */
  lockNodes: readonly Link[];
  /** Where the queue's own Redis votes: its connections. */
  oneServer: OneServer;
  lockTtlMs: number;
  identity: LeaderIdentity;
  clock: Clock;
  random: Random;
  observe: Observe;
  onSeat: (seat: Seat, event: SeatEvent) => void;
  onError: (error: unknown) => void;
}

/** A duty, and where it is done. */
interface Post {
  readonly duty: Duty;
  readonly partition: Partition;
}

/** How long a follower's duties sleep: they are woken when it is elected. */
const followerWaitMs = 60_000;

/**
 * Leads a queue while elected: bids for the seat, and runs the leader's duties on every partition, each in a loop of its
 * own, so that a slow one holds up no other. Right before each piece of work the seat is looked at; what is late all
 * the same is refused by the script, and that ends the reign.
 *
 * A leader whose promotion fails on every partition for a lock's TTL, or whose event loop lags by as much, resigns:
 * another may be well. When it fails on some, that is for its health to say: whoever led would meet the same.
 */
export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #elector: Elector;
  readonly #claims: Claims;
  readonly #posts: Post[];
  readonly #progress: Progress;
  readonly #ended = new AbortController();
  readonly #atWork = new Set<Promise<unknown>>();
  #loops: Promise<unknown>[] | undefined;
  #isBroken = false;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
    const { partitions, lockNodes, oneServer, lockTtlMs: ttlMs, clock, random, identity, onError } = parts;
    const { home } = partitions;
    const claim = new EpochClaim({ partition: home, identity, ttlMs, oneServer });
    this.#progress = new Progress({ partitions, clock, lockTtlMs: ttlMs });
    this.#claims = new Claims({ home, identity, ttlMs, onHigher: (term) => claim.outbid(term) });
    this.#elector = new Elector({
      lock: new Lock({ nodes: lockNodes, resource: home.keys.lock, ttlMs, clock, onNodeError: onError }),
      claim,
      ttlMs,
      clock,
      random,
      onSeat: (seat, event) => this.#onSeat(seat, event),
      onError,
      quiesce: () => this.#quiesce(),
    });
    setMaxListeners(0, this.#ended.signal); // one for each loop that waits
    const growth = { duty: new Growth({ partitions }), partition: home };
    this.#posts = [growth, ...partitions.all.flatMap((partition) => postsOf(partition, parts))];
    partitions.layout.onGrown(() => this.#grow());
  }

  get isLeading(): boolean {
    return isTrusted(this.#elector.current(), this.#parts.clock.monotonicMs());
  }

  /** What keeps the leader's work from being done, in words, as far as this process is the leader. */
  get problems(): string[] {
    if (this.#isBroken || this.#elector.isBroken) return ['promotion is failing: a bug has ended it'];
    if (!this.isLeading) return [];
    return [...this.#progress.problems, ...this.#posts.flatMap(({ duty }) => duty.trouble ?? [])];
  }

  start(): void {
    if (this.#loops !== undefined) return;
    this.#elector.start();
    this.#loops = this.#posts.map((post) => this.#run(post));
  }

  async stop(): Promise<void> {
    await this.#elector.stop();
    this.#ended.abort();
    await Promise.all(this.#loops ?? []);
  }

  /** What is said on a partition's channel. */
  hear(signal: Signal, partition: Partition): void {
    switch (signal.kind) {
      case 'due':
      case 'resumed':
        this.#wake('promote', partition);
        break;
      case 'schedule':
        this.#wake('schedule', partition);
        break;
      case 'vacant':
        this.#elector.wake(signal.term);
        break;
      case 'resign': {
        const seat = this.#elector.current();
        if (seat.role === 'leader' && seat.term === signal.term) void this.#elector.resign();
        break;
      }
      case 'paused':
      case 'cancelled':
        break;
    }
  }

  #wake(name: string, partition: Partition): void {
    for (const { duty, partition: at } of this.#posts) if (at === partition && duty.name === name) duty.waker.wake();
  }

  /** There are more partitions than before: their duties come on top of the others. */
  #grow(): void {
    const { partitions } = this.#parts;
    const known = new Set(this.#posts.map(({ partition }) => partition));
    for (const partition of partitions.all.filter((one) => !known.has(one))) {
      this.#progress.begin(partition);
      const posts = postsOf(partition, this.#parts);
      this.#posts.push(...posts);
      if (this.#loops !== undefined && !this.#ended.signal.aborted)
        this.#loops.push(...posts.map((post) => this.#run(post)));
    }
    for (const { duty } of this.#posts) if (duty instanceof Growth) duty.waker.wake();
  }

  #run(post: Post): Promise<void> {
    const { clock, random, observe, queue, onError } = this.#parts;
    const { duty } = post;
    const onFailure = (error: unknown): void => {
      observe({ type: 'error', queue, where: duty.name, error });
      onError(error);
      this.#progress.failed(duty.name, post.partition);
      if (this.isLeading && this.#progress.isPromotionFailingEverywhere) void this.#elector.resign();
    };
    const tick = (): Promise<number> => this.#tick(post);
    return runLoop({ clock, random, signal: this.#ended.signal, tick, onFailure, waker: duty.waker }).catch(
      (error: unknown) => {
        this.#isBroken = true; // a bug of ours: this process must not lead with a duty missing
        onError(error);
        return this.#elector.stop();
      },
    );
  }

  async #tick(post: Post): Promise<number> {
    const { clock } = this.#parts;
    const seat = this.#elector.current();
    if (!isTrusted(seat, clock.monotonicMs())) return followerWaitMs;
    this.#parts.oneServer.look();
    const work = this.#work(post, seat);
    this.#atWork.add(work);
    try {
      const waitMs = await work;
      this.#progress.done(post.duty.name, post.partition);
      return waitMs;
    } finally {
      this.#atWork.delete(work);
    }
  }

  async #work({ duty, partition }: Post, seat: LeaderSeat): Promise<number> {
    const refused = (op: string): void => {
      this.#parts.observe({ type: 'stale_write_refused', queue: this.#parts.queue, op });
      this.#elector.refused(seat.term);
    };
    if (!(await this.#claims.areAccepted(partition, seat))) {
      refused('claim');
      return followerWaitMs;
    }
    if (!isTrusted(this.#elector.current(), this.#parts.clock.monotonicMs())) return followerWaitMs;
    return duty.tick({ term: seat.term, token: seat.token, refused });
  }

  #onSeat(seat: Seat, event: SeatEvent): void {
    const { observe, queue, onSeat } = this.#parts;
    if (event === 'elected') {
      for (const { duty, partition } of this.#posts) {
        this.#progress.begin(partition);
        duty.waker.wake();
      }
    }
    if (seat.role === 'leader') {
      observe({ type: 'trusted', queue, term: seat.term, untilMs: seat.trustedUntilMs });
    }
    if (event !== 'renewed') {
      const leading = seat.role === 'leader';
      observe({ type: 'seat', queue, event, leading, term: seat.role === 'leader' ? seat.term : 0 });
    }
    onSeat(seat, event);
  }

  async #quiesce(): Promise<void> {
    await Promise.allSettled(this.#atWork);
  }
}

function postsOf(partition: Partition, { partitions, clock, observe, lockTtlMs }: LeadershipParts): Post[] {
  const duties = [
    new Promoter({ partition, clock, observe }),
    new Scheduler({ partition, partitions, observe, clock, lockTtlMs }),
    new ScheduleSweeper({ partition }),
    new Expirer({ partition, observe }),
    new Sweeper({ partition, observe }),
    new Reaper({ partition }),
    new Ager({ partition }),
  ];
  return duties.map((duty) => ({ duty, partition }));
}
