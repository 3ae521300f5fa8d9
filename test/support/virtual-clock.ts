import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * Time that stands still until the test moves it. Timers fire in order of their time, those of the same time in order of
 * their making, and all promises that can settle do so between two timers: ten hours take a millisecond, and twice the same.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];

  constructor(startMs = 1_000_000) {
    this.#nowMs = startMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Deliberately far from the other clock, so that mixing up the two shows. */
  wallMs(): number {
    return 1_800_000_000_000 + this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    if (ms <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const done = (): void => {
        disarm();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const disarm = this.after(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), callback };
    const at = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    this.#timers.splice(at === -1 ? this.#timers.length : at, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= untilMs; next = this.#timers[0]) {
      this.#timers.shift();
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Freezes the world for `ms`, as SIGSTOP does: time passes, and what fell due fires only afterwards. */
  async freeze(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.advance(0);
  }

  /** Lets every promise settle that needs no time. A turn of the event loop comes after all microtasks. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** How many timers wait: 0 when everything was cleaned up. */
  get pending(): number {
    return this.#timers.length;
  }
}
