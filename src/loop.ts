import type { Clock } from './clock.js';
import { BugError } from './errors.js';
import type { Random } from './random.js';

export interface LoopParts {
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  /** One bounded piece of work, which waits for Redis or a timer; returns how long to wait before the next, in ms: 0 at once. */
  tick: () => Promise<number>;
  /** The world's fault: reported, then the loop goes on after a wait. */
  onFailure: (error: unknown, failuresInARow: number) => void;
  /** Ends the present wait early; the loop hands its waker to whoever has news for it. */
  waker?: Waker;
  /** For a loop that must be back sooner after an outage than the usual 5 s. */
  failureWaitMaxMs?: number;
}

/** Wakes a loop that waits. A wake that comes while the loop is at work makes it skip its next wait. */
export class Waker {
  #wake: (() => void) | undefined;
  #pending = false;

  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Waits `ms`, or until woken, or until the signal aborts. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      const early = new AbortController();
      const stop = (): void => early.abort();
      this.#wake = stop;
      signal.addEventListener('abort', stop, { once: true });
      await clock.sleep(ms, early.signal);
      signal.removeEventListener('abort', stop);
      this.#wake = undefined;
    }
    this.#pending = false;
  }
}

/** 100 ms, 200 ms … 5 s, each with ±50 % jitter, so that a crowd does not come back as one. */
export function failureWaitMs(failuresInARow: number, random: Random): number {
  return Math.min(5_000, 100 * 2 ** (failuresInARow - 1)) * (0.5 + random());
}

/** The one loop all stations share: they only tick; it owns waiting and failure. Ends when the signal aborts, or by our own bug. */
export async function runLoop({
  clock,
  random,
  signal,
  tick,
  onFailure,
  waker = new Waker(),
  failureWaitMaxMs = Number.POSITIVE_INFINITY,
}: LoopParts): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let waitMs: number;
    try {
      waitMs = await tick();
      failures = 0;
    } catch (error) {
      if (error instanceof BugError) throw error; // our bug: stop. The world's fault: wait and go on.
      failures += 1;
      waitMs = Math.min(failureWaitMaxMs, failureWaitMs(failures, random));
      onFailure(error, failures);
    }
    if (waitMs > 0) await waker.wait(waitMs, clock, signal);
  }
}
