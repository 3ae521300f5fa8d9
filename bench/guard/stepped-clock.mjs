/**
 * A clock that stands still until the guard moves it, for the queues, workers and leaders it counts: what they do by the
 * clock happens when it is wanted, and the same number of times on any machine. Redis keeps its own time.
 */
export class SteppedClock {
  #nowMs = 1_000_000;
  #timers = [];

  monotonicMs() {
    return this.#nowMs;
  }

  wallMs() {
    return 1_800_000_000_000 + this.#nowMs;
  }

  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    if (ms <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const done = () => {
        disarm();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const disarm = this.after(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  after(ms, callback) {
    const timer = { dueMs: this.#nowMs + Math.max(0, ms), callback };
    const at = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    this.#timers.splice(at === -1 ? this.#timers.length : at, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` pass; after each timer `settle` waits until nothing moves any more. */
  async pass(ms, settle) {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= untilMs; next = this.#timers[0]) {
      this.#timers.shift();
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}
