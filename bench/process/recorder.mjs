import { sharedOffsetMs } from '../clock.mjs';

/**
 * What a worker's handlers note: when each task started and how often, in arrays that are there from the start, so
 * that noting costs a handler one look at the clock. Told when all is over.
 */
export class Recorder {
  #startMs;
  #times;
  #ran = 0;
  #strays = 0;
  #lastEndMs = 0;
  #cpuAtFirst;
  #waiting = { count: Number.POSITIVE_INFINITY, resolve: () => {} };

  /** @param {number} capacity tasks have the numbers 0 to before this; any other is a stray */
  constructor(capacity) {
    this.#startMs = new Float64Array(capacity);
    this.#times = new Uint8Array(capacity);
  }

  /** A handler that does nothing ends where it starts. */
  start(index) {
    const atMs = performance.now();
    if (this.#ran === 0) this.#cpuAtFirst = process.cpuUsage();
    if (index < this.#times.length) {
      this.#startMs[index] = atMs;
      this.#times[index] += 1;
    } else {
      this.#strays += 1;
    }
    this.#lastEndMs = atMs;
    this.#ran += 1;
    if (this.#ran >= this.#waiting.count) this.#waiting.resolve();
  }

  end() {
    this.#lastEndMs = performance.now();
  }

  get ran() {
    return this.#ran;
  }

  /** Resolves once so many handlers were started. */
  untilRan(count) {
    if (this.#ran >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { count, resolve };
    });
  }

  report() {
    const offsetMs = sharedOffsetMs();
    const cpu = this.#cpuAtFirst ? process.cpuUsage(this.#cpuAtFirst) : { user: 0, system: 0 };
    return {
      ran: this.#ran,
      strays: this.#strays,
      times: this.#times,
      startMs: this.#startMs.map((atMs) => atMs + offsetMs), // of those that ran
      lastEndMs: this.#lastEndMs + offsetMs,
      cpuMicros: cpu.user + cpu.system,
    };
  }
}
