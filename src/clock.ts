/**
 * Time comes in by the door, and there are two clocks with two names: one that never goes back, for leases,
 * timeouts and durations, and the one on the wall, for people. Tasks are due by neither: they are due by the
 * Redis server's clock, which only the scripts read.
 */
export interface Clock {
  /** Milliseconds since some start, never going back. */
  monotonicMs(): number;
  /** Milliseconds since 1970, as this machine believes. Only to show to people. */
  wallMs(): number;
  /** Waits; 0 only lets other work have its turn. Resolves early when the signal aborts; never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; the returned function takes it back. Never keeps the process alive by itself. */
  after(ms: number, callback: () => void): () => void;
}

/** Node runs a timer at most 2^31-1 ms ahead, and at once when asked for more. */
const timerMsMax = 2 ** 31 - 1;

class SystemClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    if (ms <= 0) return new Promise((resolve) => setImmediate(resolve)); // a timer of 0 takes a millisecond
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.min(ms, timerMsMax));
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, Math.min(ms, timerMsMax));
    timer.unref();
    return () => clearTimeout(timer);
  }
}

export const systemClock: Clock = new SystemClock();
