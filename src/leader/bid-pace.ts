import type { Random } from '../random.js';

/** A vacancy wakes all followers in one instant: they spread over this much, so as not to split the vote. */
const wakeSpreadMs = 8;
/** After a vacancy the lock comes free a moment later than the news of it. So long it is worth asking again and again. */
const eagerMs = 250;
const eagerPauseMs = 20;
/** A node that has lost its memory makes every bid look split: after so many in a row, back to the usual pace. */
const splitsMax = 3;

/**
 * When to bid. Between two bids pass about 240 to 560 ms (less when the TTL is below 800 ms), so that the follower that
 * replaces a crashed leader does so within lock TTL + 1 s, and a waiting follower costs Redis two or three bids a second. Soon
 * again after a vacancy and after a split vote. Not at all for a TTL after having resigned, so that others come first.
 */
export class BidPace {
  readonly #ttlMs: number;
  readonly #random: Random;
  #eagerUntilMs = 0;
  #restUntilMs = 0;
  #resignedTerm = 0;
  #woken = false;
  #splits = 0;

  constructor({ ttlMs, random }: { ttlMs: number; random: Random }) {
    this.#ttlMs = ttlMs;
    this.#random = random;
  }

  /** How long to wait before a bid may be made; 0: bid. */
  waitMs(nowMs: number): number {
    if (nowMs < this.#restUntilMs) return this.#restUntilMs - nowMs;
    if (!this.#woken) return 0;
    this.#woken = false;
    return this.#random() * wakeSpreadMs;
  }

  /** How long to wait after a bid that came to nothing. */
  afterBidMs(outcome: 'lost' | 'split' | 'failed', nowMs: number): number {
    this.#splits = outcome === 'split' ? this.#splits + 1 : 0;
    const soon = nowMs < this.#eagerUntilMs || (this.#splits > 0 && this.#splits <= splitsMax);
    if (soon) return eagerPauseMs * (0.5 + this.#random());
    return Math.min(400, this.#ttlMs / 2) * (0.6 + 0.8 * this.#random());
  }

  /** The leader of this term has resigned. One's own resignation is no reason to bid again. */
  vacated(term: number, nowMs: number): void {
    if (nowMs < this.#restUntilMs && term <= this.#resignedTerm) return;
    this.#restUntilMs = 0;
    this.#woken = true;
    this.#eagerUntilMs = nowMs + eagerMs;
  }

  resigned(term: number, nowMs: number): void {
    this.#resignedTerm = term;
    this.#restUntilMs = nowMs + this.#ttlMs;
    this.#woken = false;
  }
}
