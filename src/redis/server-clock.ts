import { type Clock, systemClock } from '../clock.js';
import { DuestreamError } from '../errors.js';
import type { Link } from './link.js';

/** An instant on the Redis server's clock, in epoch ms with a fraction, and how far off it may be. */
export interface ServerInstant {
  readonly ms: number;
  readonly withinMs: number;
}

/** What the server's clock is ahead of our monotonic one: somewhere from low to high, as known at an instant. */
export interface Offset {
  readonly lowMs: number;
  readonly highMs: number;
  readonly knownAtMs: number;
}

/** Two clocks may drift apart by this: 100 µs in a second, more than crystals and NTP's usual slewing do. */
const driftRatio = 1e-4;
const roundTrips = 5;
const everyMs = 250;

/**
 * Tells the time of the Redis server, by which tasks are due, and how sure that is: for measuring, across processes and
 * hosts. A round trip of TIME says between which two of our instants the server's lies; each further one narrows that.
 * Wall clocks would be off by milliseconds, even between two processes on one host.
 */
export class ServerClock {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #offset: Offset | undefined;

  constructor({ link, clock = systemClock }: { link: Link; clock?: Clock }) {
    this.#link = link;
    this.#clock = clock;
  }

  /** Rejects when Redis does not answer. From then on it keeps itself up to date. */
  async start(): Promise<void> {
    await this.#measure();
    void this.#keep();
  }

  stop(): void {
    this.#ended.abort();
  }

  now(): ServerInstant {
    if (!this.#offset) throw new DuestreamError('ERR_CLOSED', 'the server clock was not started');
    const nowMs = this.#clock.monotonicMs();
    const { lowMs, highMs } = aged(this.#offset, nowMs);
    return { ms: nowMs + (lowMs + highMs) / 2, withinMs: (highMs - lowMs) / 2 };
  }

  async #keep(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#clock.sleep(everyMs, signal);
      if (!signal.aborted) await this.#measure().catch(() => {}); // Redis is away: what is known gets older, and says so
    }
  }

  async #measure(): Promise<void> {
    for (let trip = 0; trip < roundTrips; trip += 1) {
      const sentAtMs = this.#clock.monotonicMs();
      const [seconds, micros] = (await this.#link.send(['TIME'])) as [string, string];
      const heardAtMs = this.#clock.monotonicMs();
      const serverMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
      const fresh = { lowMs: serverMs - heardAtMs, highMs: serverMs - sentAtMs, knownAtMs: heardAtMs };
      this.#offset = this.#offset ? narrowed(this.#offset, fresh) : fresh;
    }
  }
}

/** What was known, as it is worth now. */
export function aged({ lowMs, highMs, knownAtMs }: Offset, nowMs: number): Offset {
  const drift = (nowMs - knownAtMs) * driftRatio;
  return { lowMs: lowMs - drift, highMs: highMs + drift, knownAtMs: nowMs };
}

/** Both hold, so the truth is where they overlap; where they don't, the server's clock was set, and only the new one holds. */
export function narrowed(known: Offset, fresh: Offset): Offset {
  const old = aged(known, fresh.knownAtMs);
  const lowMs = Math.max(old.lowMs, fresh.lowMs);
  const highMs = Math.min(old.highMs, fresh.highMs);
  return lowMs <= highMs ? { lowMs, highMs, knownAtMs: fresh.knownAtMs } : fresh;
}
