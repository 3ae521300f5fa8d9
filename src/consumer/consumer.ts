import type { Clock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import type { ResolvedHandler } from '../handler.js';
import { runLoop, Waker } from '../loop.js';
import type { Random } from '../random.js';
import type { Link } from '../redis/link.js';
import type { Partition } from '../redis/partition.js';
import type { Signal } from '../signals.js';
import { decodeRun } from '../task.js';
import { nameOf } from './delivery.js';
import type { EmitWorkerEvent } from './events.js';
import { Executor } from './executor.js';
import { Fetcher } from './fetcher.js';
import { handBack } from './hand-back.js';
import { Heartbeat } from './heartbeat.js';
import type { HeldDelivery } from './held-delivery.js';
import { InFlight } from './in-flight.js';
import { Membership } from './membership.js';
import { Patience } from './patience.js';
import { Recoverer } from './recoverer.js';
import { Settler } from './settler.js';
import type { Slots } from './slots.js';
import { StandIn } from './stand-in.js';

export interface ConsumerParts {
  partition: Partition;
  /** The connection that all but reads take now: that of the partition's caller. */
  commands: () => Link;
  /** For blocking reads alone, and what must be done under the reader's name. */
  reader: Link;
  handlers: ReadonlyMap<string, ResolvedHandler>;
  worker: string;
  /** The worker's, shared by all its consumers. */
  slots: Slots;
  /** How many consumers share them. */
  share: () => number;
  /** Lets the partition hand out its tasks if it waits since the queue grew, and has waited long enough. */
  release: () => Promise<void>;
  leaseMs: number;
  lostMax: number;
  lockTtlMs: number;
  clock: Clock;
  random: Random;
  observe: Observe;
  emit: EmitWorkerEvent;
}

/** What a loop is given: it only ticks. */
interface Station {
  tick(): Promise<number>;
  readonly waker?: Waker;
  readonly failureWaitMaxMs?: number;
}

/** How long handlers get to heed an abort before a stop goes on without them. */
const abortGraceMs = 1_000;

/**
 * Consumes one partition: wires its stations and their loops. The fetcher reads and opens, the executor runs and decides,
 * the settler writes, the heartbeat keeps what is held, the recoverer takes over what others lost, the stand-in
 * promotes when nobody leads.
 *
 * It survives Redis going away and coming back: every loop fails, waits and goes on, and every connection is a new name.
 */
export class Consumer {
  readonly #parts: ConsumerParts;
  readonly #inFlight: InFlight;
  readonly #membership: Membership;
  readonly #heartbeat: Heartbeat;
  readonly #fetcher: Fetcher;
  readonly #recoverer: Recoverer;
  readonly #standIn: StandIn;
  readonly #intakeEnded = new AbortController();
  readonly #ended = new AbortController();
  /** The loops that fail now, or have ended, and why. */
  readonly #failing = new Map<string, string>();
  #isOnHold = false;
  #intakeLoops: Promise<unknown> | undefined;
  #heartbeatLoop: Promise<void> | undefined;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    const { partition, clock, observe, random, leaseMs, worker } = parts;
    const inFlight = new InFlight(parts.slots);
    const membership = new Membership({
      partition,
      reader: parts.reader,
      worker,
      leaseMs,
      onJoined: () => this.#heartbeat.waker.wake(),
    });
    const onLost = (held: HeldDelivery): void => this.#tellLost(held);
    const onUnplaced = (held: HeldDelivery): void => this.#tellUnplaced(held);
    const onHold = (onHold: boolean): void => {
      this.#isOnHold = onHold;
      observe({ type: 'recovery_on_hold', queue: partition.queue, onHold });
    };
    const heartbeat = new Heartbeat({ partition, clock, membership, inFlight, worker, leaseMs, onLost, onUnplaced });
    const settler = new Settler({ partition, clock, random, leaseMs, reader: parts.reader });
    const giveBack = (deliveries: Parameters<typeof handBack>[0], delayMs: number): Promise<void> =>
      handBack(deliveries, { partition, observe, delayMs });
    const shared = {
      ...parts,
      inFlight,
      membership,
      heartbeat,
      patience: new Patience(clock),
      handBack: giveBack,
      signal: this.#intakeEnded.signal,
    };
    const executor = new Executor({ ...shared, queue: partition.queue, settler });
    const start = executor.start.bind(executor);
    this.#fetcher = new Fetcher({ ...shared, settler, start });
    this.#recoverer = new Recoverer({ ...shared, start, onHold });
    const { lockTtlMs, release } = parts;
    this.#standIn = new StandIn({ partition, release, clock, observe, lockTtlMs });
    this.#inFlight = inFlight;
    this.#membership = membership;
    this.#heartbeat = heartbeat;
  }

  /** What keeps it from its work, in words. */
  get problems(): string[] {
    return [
      ...(this.#isOnHold ? ['recovery is on hold after an outage'] : []),
      ...(this.#standIn.leaderIsMissing ? ['nobody leads'] : []),
      ...[...this.#failing].map(([where, why]) => `${where} fails: ${why}`),
    ];
  }

  start(): void {
    if (this.#intakeLoops !== undefined) return;
    const signal = this.#intakeEnded.signal;
    this.#heartbeatLoop = this.#loop('heartbeat', this.#ended.signal, this.#heartbeat);
    this.#intakeLoops = Promise.all([
      this.#loop('fetch', signal, this.#fetcher),
      this.#loop('recover', signal, this.#recoverer),
      this.#loop('promote without a leader', signal, this.#standIn),
    ]);
  }

  /** What is said on the partition's channel. */
  hear(signal: Signal): void {
    if (signal.kind === 'resumed') this.#fetcher.waker.wake();
    if (signal.kind !== 'cancelled') return;
    // Late news may be of an earlier task of that id: a beat of this very delivery knows.
    const named = [...this.#inFlight.held].filter(({ delivery }) => delivery.id === signal.id);
    for (const held of named) void this.#quietly(this.#heartbeat.extend(held));
  }

  /**
   * Reads no more (the slots must be closed before), lets handlers finish up to `drainMs`, aborts those that have not, hands back what was not started.
   * `forced` ends the waiting.
   * A handler that ignores its signal is left behind: its lease ends, and somebody else gets the task.
   */
  async stop(drainMs: number, forced: AbortSignal): Promise<void> {
    this.#intakeEnded.abort();
    if (this.#intakeLoops === undefined) return;
    await this.#quietly(this.#fetcher.interrupt());
    await this.#within(
      this.#intakeLoops.then(() => this.#fetcher.untilRead()),
      2_000,
    );
    await this.#within(this.#inFlight.untilIdle(), drainMs, forced);
    for (const held of this.#inFlight.held) held.abort('stopping');
    await this.#within(this.#inFlight.untilIdle(), abortGraceMs);
    this.#ended.abort();
    await this.#within(Promise.all([this.#heartbeatLoop, this.#quietly(this.#membership.leaveAll())]), 1_000);
  }

  #loop(where: string, signal: AbortSignal, station: Station): Promise<void> {
    const { clock, random, observe, partition, emit } = this.#parts;
    const onFailure = (error: unknown): void => {
      if (signal.aborted) return; // what a stop cuts off is no news
      this.#failing.set(where, messageOf(error));
      observe({ type: 'error', queue: partition.queue, where, error });
      emit('error', error);
    };
    return runLoop({
      clock,
      random,
      signal,
      tick: async () => {
        const waitMs = await station.tick();
        this.#failing.delete(where);
        return waitMs;
      },
      onFailure,
      waker: station.waker ?? new Waker(),
      ...(station.failureWaitMaxMs !== undefined && { failureWaitMaxMs: station.failureWaitMaxMs }),
    }).catch((error: unknown) => {
      this.#failing.set(where, `a bug has ended it: ${messageOf(error)}`);
      emit('error', error);
    });
  }

  #tellUnplaced(held: HeldDelivery): void {
    if (held.isUnplaced) return;
    held.isUnplaced = true;
    const { id } = held.delivery;
    this.#parts.observe({ type: 'settle_failed', queue: this.#parts.partition.queue, name: nameOf(held.delivery), id });
    const message = `the end of task ${id} could not be written for one lease: others may take it now`;
    this.#parts.emit('error', new DuestreamError('ERR_OUTCOME_UNKNOWN', message));
  }

  #tellLost({ delivery }: HeldDelivery): void {
    const { id, run } = delivery;
    const name = nameOf(delivery);
    this.#parts.observe({ type: 'lease_lost', queue: this.#parts.partition.queue, name, id });
    this.#parts.emit('leaseLost', { id, name, attempt: decodeRun(run).attempt });
  }

  async #within(work: Promise<unknown>, ms: number, forced?: AbortSignal): Promise<void> {
    const early = new AbortController();
    const signal = forced ? AbortSignal.any([early.signal, forced]) : early.signal;
    await Promise.race([work, this.#parts.clock.sleep(ms, signal)]);
    early.abort();
  }

  /** At the end of a stop nothing that fails is worth telling: what is left behind is recovered by others. */
  async #quietly(work: Promise<unknown>): Promise<void> {
    await work.catch(() => {});
  }
}
