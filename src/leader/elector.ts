import { BugError, DuestreamError } from '../errors.js';
import { runLoop, Waker } from '../loop.js';
import { BidPace } from './bid-pace.js';
import { within } from './deadline.js';
import type { ElectorParts, ElectorState, Reign, StepDown } from './election.js';
import type { Held } from './lock.js';
import { follower, isTrusted, type LeaderSeat, type Lease, leaseOf, type Seat, trustedUntilMs } from './trust.js';

export type { Claim, ElectorParts, SeatEvent, Vote } from './election.js';

/**
 * Bids for the leadership of one queue, keeps it, and knows when it is over.
 *
 * Promises: the seat it shows is trusted only until (time before the last good call was sent) + TTL − margin, and falls by
 * itself at that moment, whatever call is still out; a renewal that fails is tried again until then. A reign starts only
 * when the vote and the epoch were both won, and ends in this order: the seat falls, the running duty ends, the followers
 * are told, the lock is released. Survives hanging and failing calls, a frozen process, Redis gone: `stop()` ends within
 * a TTL, when nothing it could still do matters.
 *
 * Why one loop: all calls are made by its ticks, one after the other; what comes from outside (`resign`, `refused`, the
 * timer of trust) only lets the seat fall and wakes it. So a step-down never waits for a call, and no release
 * overtakes a renewal.
 */
export class Elector {
  readonly #parts: ElectorParts;
  readonly #lease: Lease;
  readonly #pace: BidPace;
  readonly #waker = new Waker();
  readonly #ended = new AbortController();
  #state: ElectorState = { kind: 'following' };
  #departures: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: ElectorParts) {
    this.#parts = parts;
    this.#lease = leaseOf(parts);
    this.#pace = new BidPace({ ttlMs: this.#lease.ttlMs, random: parts.random });
  }

  /** Starts to bid. Once stopped it stays so. */
  start(): void {
    if (this.#stopped !== undefined) throw new DuestreamError('ERR_CLOSED', 'this elector was stopped');
    this.#running ??= this.#run();
  }

  /** Resigns if it leads, and ends. Takes a TTL at most. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  current(): Seat {
    return this.#reigning?.seat ?? follower;
  }

  /** Ended by a bug of ours: it will not lead any more. */
  get isBroken(): boolean {
    return this.#state.kind === 'broken';
  }

  /** Gives the seat to somebody else: resolves when the lock is released. A follower has nothing to resign. */
  async resign(): Promise<void> {
    this.#stepDown(this.#reigning, 'resigned');
    if (this.#state.kind === 'leaving') await new Promise<void>((resolve) => this.#departures.push(resolve));
  }

  /** A script said that this term is not the accepted one. News of an earlier term of ours changes nothing. */
  refused(term: number): void {
    if (this.#reigning?.seat.term === term) this.#stepDown(this.#reigning, 'refused');
  }

  /** The leader of this term has resigned: bid now. Without the term it may be our own, which a while of rest ignores. */
  wake(vacatedTerm = 0): void {
    this.#pace.vacated(vacatedTerm, this.#nowMs());
    this.#waker.wake();
  }

  async #run(): Promise<void> {
    const { clock, random, onError: onFailure } = this.#parts;
    const signal = this.#ended.signal;
    try {
      await runLoop({ clock, random, signal, tick: () => this.#tick(), onFailure, waker: this.#waker });
    } catch (error) {
      this.#stepDown(this.#reigning, 'lost');
      this.#state = { kind: 'broken' }; // a bug of ours: no more bids from this process, and its health says so
      onFailure(error);
    }
    this.#depart();
  }

  async #end(): Promise<void> {
    if (this.#running === undefined) return;
    this.#stepDown(this.#reigning, 'resigned');
    this.#waker.wake();
    await within(this.#running, { ms: this.#lease.ttlMs, clock: this.#parts.clock, late: () => this.#ended.abort() });
  }

  async #tick(): Promise<number> {
    switch (this.#state.kind) {
      case 'leaving':
        return this.#leave(this.#state.reign, this.#state.told);
      case 'leading':
        return this.#renew(this.#state.reign);
      case 'broken':
        return 0;
      case 'following':
        if (this.#isStopping) this.#ended.abort();
        return this.#isStopping ? 0 : this.#pace.waitMs(this.#nowMs()) || this.#bid();
    }
  }

  async #bid(): Promise<number> {
    const { claim, lock } = this.#parts;
    const startedAtMs = this.#nowMs();
    let outcome: 'lost' | 'split' | 'failed' = 'failed';
    try {
      const before = await this.#bounded(claim.read());
      const bid = await lock.acquire();
      outcome = bid.status === 'won' ? 'lost' : bid.status;
      if (bid.status === 'won' && (await this.#take(bid.held, before))) return 0;
    } catch (error) {
      this.#report(error); // not left to the loop: it would wait longer and longer, and a leader may be missing
    }
    const paceMs = this.#pace.afterBidMs(outcome, this.#nowMs());
    return Math.max(0, startedAtMs + paceMs - this.#nowMs()); // from its start: a hung node may not slow the bids down
  }

  /** The vote is won: now the epoch. What can't be taken is given back. */
  async #take(held: Held, before: unknown): Promise<boolean> {
    let taken = false;
    try {
      if (this.#isStopping) return false;
      const claimed = await this.#bounded(this.#parts.claim.take(before));
      taken = claimed.won && this.#begin(held, claimed);
    } finally {
      if (!taken) await this.#parts.lock.release(held);
    }
    return taken;
  }

  #begin(held: Held, claimed: { term: number; token: string }): boolean {
    const seat = this.#seat(held, claimed);
    if (!isTrusted(seat, this.#nowMs())) return false;
    const reign: Reign = { seat, held, disarm: () => {} };
    if (this.#isStopping) {
      this.#state = { kind: 'leaving', reign, told: true }; // nobody saw it lead, but its term stands: tell and go
      return true;
    }
    this.#state = { kind: 'leading', reign };
    this.#arm(reign);
    this.#parts.onSeat(seat, 'elected');
    return true;
  }

  async #renew(reign: Reign): Promise<number> {
    const dueInMs = reign.held.attemptedAtMs + this.#lease.ttlMs / 3 - this.#nowMs();
    if (dueInMs > 0) return dueInMs;
    const extension = await this.#parts.lock.extend(reign.held);
    if (reign !== this.#reigning) return 0; // it fell while the call was out: leave
    switch (extension.status) {
      case 'held':
        return this.#prolong(reign, extension.held);
      case 'unsure':
        return this.#lease.ttlMs / 50;
      case 'lost':
        this.#stepDown(reign, 'lost');
        return 0;
    }
  }

  #prolong(reign: Reign, held: Held): number {
    const seat = this.#seat(held, reign.seat);
    if (!isTrusted(reign.seat, this.#nowMs()) || !isTrusted(seat, this.#nowMs())) {
      this.#stepDown(reign, 'lost'); // the reply outran a timer that is overdue: trust was gone in between
      return 0;
    }
    reign.seat = seat;
    reign.held = held;
    this.#arm(reign);
    this.#parts.onSeat(seat, 'renewed');
    return this.#lease.ttlMs / 3 - (this.#nowMs() - held.attemptedAtMs);
  }

  /** The seat falls at once; the loop does the rest. */
  #stepDown(reign: Reign | undefined, event: StepDown): void {
    if (reign === undefined || reign !== this.#reigning) return;
    reign.disarm();
    this.#state = { kind: 'leaving', reign, told: event === 'resigned' };
    this.#waker.wake();
    this.#parts.onSeat(follower, event);
  }

  async #leave({ seat, held }: Reign, told: boolean): Promise<number> {
    const { claim, lock, quiesce = async () => {} } = this.#parts;
    if (told) {
      this.#pace.resigned(seat.term, this.#nowMs());
      await this.#bounded(quiesce()).catch((error: unknown) => this.#report(error));
      await this.#bounded(claim.resign(seat)).catch((error: unknown) => this.#report(error));
    }
    await lock.release(held);
    this.#follow();
    return 0;
  }

  #follow(): void {
    this.#state = { kind: 'following' };
    this.#depart();
  }

  #depart(): void {
    for (const departed of this.#departures.splice(0)) departed();
  }

  #arm(reign: Reign): void {
    reign.disarm();
    const leftMs = reign.seat.trustedUntilMs - this.#nowMs();
    reign.disarm = this.#parts.clock.after(leftMs, () => this.#stepDown(reign, 'lost'));
  }

  /** No call may hold up the loop: one that takes a fifth of the TTL is given up, and its outcome not known. */
  #bounded<T>(call: Promise<T>): Promise<T> {
    const ms = Math.max(250, this.#lease.ttlMs / 5);
    const late = (): never => {
      throw new DuestreamError('ERR_OUTCOME_UNKNOWN', `Redis did not answer the elector within ${ms} ms`);
    };
    return within(call, { ms, clock: this.#parts.clock, late });
  }

  #report(error: unknown): void {
    if (error instanceof BugError) throw error;
    this.#parts.onError(error);
  }

  get #reigning(): Reign | undefined {
    return this.#state.kind === 'leading' ? this.#state.reign : undefined;
  }

  get #isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  #seat({ attemptedAtMs }: Held, { term, token }: { term: number; token: string }): LeaderSeat {
    return { role: 'leader', term, token, trustedUntilMs: trustedUntilMs({ attemptedAtMs, ...this.#lease }) };
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }
}
