import type { ElectorParts } from '../../src/leader/election.js';
import { Elector } from '../../src/leader/elector.js';
import type { Bid, Extension, Held } from '../../src/leader/lock.js';
import { isTrusted, type Seat } from '../../src/leader/trust.js';
import { VirtualClock } from './virtual-clock.js';

/** Numbers that look random and are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How the calls of one candidate travel: how long there, how long back; `lost` ones are never answered, and a vote
 * that waits for them gives up by itself. */
export interface Wire {
  thereMs: number;
  backMs: number;
  lost: boolean;
}

/** One lock and one epoch on a virtual clock, and the candidates who want them. Stands for the vote and for the fence. */
export class Election {
  readonly clock: VirtualClock = new VirtualClock();
  readonly ttlMs: number;
  holder: { token: string; untilMs: number } | undefined;
  epoch = { term: 0, token: '' };
  readonly candidates: Candidate[] = [];

  constructor(ttlMs = 5_000) {
    this.ttlMs = ttlMs;
  }

  get isFree(): boolean {
    return this.holder === undefined || this.holder.untilMs <= this.clock.monotonicMs();
  }

  candidate(parts: Partial<ElectorParts> = {}): Candidate {
    const candidate = new Candidate(this, this.candidates.length + 1, parts);
    this.candidates.push(candidate);
    return candidate;
  }

  /** Those who would write now. */
  trusted(): Candidate[] {
    return this.candidates.filter(({ elector }) => isTrusted(elector.current(), this.clock.monotonicMs()));
  }
}

export class Candidate {
  readonly #election: Election;
  readonly #name: string;
  readonly elector: Elector;
  readonly wire: Wire = { thereMs: 0, backMs: 0, lost: false };
  /** What it did, in order: the events of its seat, and its calls. */
  readonly log: string[] = [];
  readonly errors: unknown[] = [];
  seat: Seat = { role: 'follower' };
  bids = 0;
  /** Overrides the vote's next answers. */
  unsure = false;
  /** Overrides the fence's next answers. */
  fenced = false;

  constructor(election: Election, number: number, parts: Partial<ElectorParts>) {
    this.#election = election;
    this.#name = `c${number}`;
    this.elector = new Elector({
      ttlMs: election.ttlMs,
      clock: election.clock,
      random: seeded(number),
      lock: {
        acquire: () => this.#acquire(),
        extend: (held) => this.#extend(held),
        release: (held) => this.#release(held),
      },
      claim: { read: () => this.#read(), take: (before) => this.#take(before), resign: () => this.#resign() },
      onSeat: (seat, event) => {
        this.seat = seat;
        this.log.push(event);
      },
      onError: (error) => this.errors.push(error),
      ...parts,
    });
  }

  get leads(): boolean {
    return this.elector.current().role === 'leader';
  }

  /** The process is gone: nothing it sends arrives any more. */
  crash(): void {
    this.wire.lost = true;
  }

  #read(): Promise<unknown> {
    return this.#travel(() => ({ ...this.#election.epoch }));
  }

  #take(before: unknown): Promise<{ won: true; term: number; token: string } | { won: false }> {
    return this.#travel(() => {
      const stored = this.#election.epoch;
      if (this.fenced || (before as typeof stored).term !== stored.term) return { won: false };
      this.#election.epoch = { term: stored.term + 1, token: this.#name };
      return { won: true, ...this.#election.epoch };
    });
  }

  #resign(): Promise<void> {
    this.log.push('tell');
    return this.#travel(() => {});
  }

  #acquire(): Promise<Bid> {
    this.bids += 1;
    const attemptedAtMs = this.#election.clock.monotonicMs();
    const token = `${this.#name}/${this.bids}`;
    return this.#vote({ status: 'split' }, (): Bid => {
      if (!this.#election.isFree) return { status: 'lost' };
      this.#hold(token);
      return { status: 'won', held: { token, attemptedAtMs } };
    });
  }

  #extend({ token }: Held): Promise<Extension> {
    const attemptedAtMs = this.#election.clock.monotonicMs();
    return this.#vote({ status: 'unsure' }, (): Extension => {
      if (this.unsure) return { status: 'unsure' };
      if (this.#election.isFree || this.#election.holder?.token !== token) return { status: 'lost' };
      this.#hold(token);
      return { status: 'held', held: { token, attemptedAtMs } };
    });
  }

  #release({ token }: Held): Promise<void> {
    this.log.push('release');
    return this.#vote(undefined, () => {
      if (this.#election.holder?.token === token) this.#election.holder = undefined;
    });
  }

  #hold(token: string): void {
    this.#election.holder = { token, untilMs: this.#election.clock.monotonicMs() + this.#election.ttlMs };
  }

  /** As lock.ts does it: two calls of a tenth of the TTL for the question, two for taking it back. */
  async #vote<T>(silence: T, act: () => T): Promise<T> {
    if (!this.wire.lost) return this.#travel(act);
    await this.#election.clock.sleep(0.4 * this.#election.ttlMs);
    return silence;
  }

  async #travel<T>(act: () => T): Promise<T> {
    const { thereMs, backMs, lost } = this.wire;
    if (lost) return new Promise<T>(() => {});
    if (thereMs > 0) await this.#election.clock.sleep(thereMs);
    const answer = act();
    if (backMs > 0) await this.#election.clock.sleep(backMs);
    return answer;
  }
}
