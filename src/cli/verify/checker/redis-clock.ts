import type { RecordOf } from '../history/records.js';

/** By how much Redis' clock is ahead of the monotonic one: something from low to high. */
export interface Offset {
  readonly lowMs: number;
  readonly highMs: number;
}

/** Monotonic instants between which something happened. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What Redis tells has whole ms, rounded down. */
const tickMs = 1;
const unknown: Offset = { lowMs: Number.NEGATIVE_INFINITY, highMs: Number.POSITIVE_INFINITY };

/**
 * Redis' clock, which a campaign steps, by the readings of the history. Between two readings it may have been stepped at
 * any moment; so both count, and what is told is as wide as they make it.
 */
export class RedisClock {
  readonly #readings: readonly RecordOf<'clock'>[];
  /** The latest that Redis' clock can have shown up to each reading, and the earliest that it showed from there on. */
  readonly #latestMs: readonly number[];
  readonly #earliestMs: readonly number[];

  constructor(readings: readonly RecordOf<'clock'>[]) {
    this.#readings = readings;
    let latest = Number.NEGATIVE_INFINITY;
    this.#latestMs = readings.map(({ at }, index) => (latest = Math.max(latest, at + this.#around(index).highMs)));
    let earliest = Number.POSITIVE_INFINITY;
    const backwards = readings.map(({ at }, index) => at + this.#around(index + 1).lowMs).toReversed();
    this.#earliestMs = backwards.map((shownMs) => (earliest = Math.min(earliest, shownMs))).toReversed();
  }

  get isKnown(): boolean {
    return this.#readings.length > 0;
  }

  /** As wide as the readings around make it. */
  offsetAt(at: number): Offset {
    return this.offsetBetween(at, at);
  }

  /** As wide as all readings in that time make it, and those before and after. */
  offsetBetween(fromMs: number, toMs: number): Offset {
    const first = Math.max(0, firstFrom(this.#readings.length, (at) => this.#at(at) > fromMs) - 1);
    let lowMs = Number.POSITIVE_INFINITY;
    let highMs = Number.NEGATIVE_INFINITY;
    for (let at = first; at < this.#readings.length; at += 1) {
      const reading = this.#readings[at] as RecordOf<'clock'>;
      lowMs = Math.min(lowMs, reading.lowMs);
      highMs = Math.max(highMs, reading.highMs);
      if (reading.at > toMs) break;
    }
    return lowMs <= highMs ? { lowMs, highMs } : unknown;
  }

  /**
   * When Redis' clock showed that. After a step back it shows an instant twice, and gives its streams no earlier numbers
   * meanwhile: from the first time to the last.
   */
  whenItWas(redisMs: number): Span {
    const count = this.#readings.length;
    if (count === 0) return { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
    const reached = firstFrom(count, (at) => (this.#latestMs[at] as number) >= redisMs);
    const passed = firstFrom(count, (at) => (this.#earliestMs[at] as number) > redisMs + tickMs);
    const ahead = this.#around(reached);
    const behind = this.#around(passed);
    const fromMs = Math.max(reached > 0 ? this.#at(reached - 1) : Number.NEGATIVE_INFINITY, redisMs - ahead.highMs);
    const toMs = Math.min(
      passed < count ? this.#at(passed) : Number.POSITIVE_INFINITY,
      redisMs + tickMs - behind.lowMs,
    );
    return { fromMs: Math.min(fromMs, toMs), toMs: Math.max(fromMs, toMs) };
  }

  /** Of the reading before that one, and of that one. */
  #around(at: number): Offset {
    const before = this.#readings[Math.max(0, at - 1)] as RecordOf<'clock'>;
    const after = this.#readings[Math.min(this.#readings.length - 1, at)] as RecordOf<'clock'>;
    return { lowMs: Math.min(before.lowMs, after.lowMs), highMs: Math.max(before.highMs, after.highMs) };
  }

  #at(reading: number): number {
    return (this.#readings[reading] as RecordOf<'clock'>).at;
  }
}

/** The first index for which it holds, and it holds for all after it; `count` when for none. */
export function firstFrom(count: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
