import type { Clock } from '../clock.js';
import type { Ordered } from '../in-order.js';
import { Deadlines } from '../redis/deadlines.js';

/** Many round trips, and far more than a script takes; far below the deadline of a call. */
const patienceMsMin = 250;
/** A server that always takes longer than this is no slow one: it is away, and others need not wait for it. */
const patienceMsMax = 1_000;

interface Wait extends Ordered<Wait> {
  readonly deadlineMs: number;
  readonly onLate: () => void;
}

/**
 * How long the answers of a partition's server may take before others have what is kept ready for them. Twice as long as
 * the last one took, within limits: a server that is far away is slow, not silent, and has its turn like the others.
 */
export class Patience {
  readonly #clock: Clock;
  /** One timer for all: a read that is answered in time costs none. */
  readonly #waits: Deadlines<Wait>;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#waits = new Deadlines(clock, (late) => {
      for (const { onLate } of late) onLate();
    });
  }

  /** What the call comes to; `onLate` is called when that is not there in time. */
  during<T>(call: Promise<T>, onLate: () => void): Promise<T> {
    const sentAtMs = this.#clock.monotonicMs();
    const patienceMs = Math.min(patienceMsMax, Math.max(patienceMsMin, 2 * this.#lastMs));
    const wait: Wait = { deadlineMs: sentAtMs + patienceMs, onLate, position: undefined };
    this.#waits.add(wait, sentAtMs);
    return call.then(
      (answer) => {
        this.#waits.delete(wait);
        this.#lastMs = this.#clock.monotonicMs() - sentAtMs;
        return answer;
      },
      (error: unknown) => {
        this.#waits.delete(wait);
        throw error;
      },
    );
  }
}
