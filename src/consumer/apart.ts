import type { Clock } from '../clock.js';

/** About 100 µs when nothing else is done in them: what a server needs to wake up where its processor has gone to sleep. */
const turnsApart = 20;
/** Where turns are long the server has woken by then: what was brought must not wait, for nobody beats for it yet. */
const apartMs = 0.3;

/**
 * Keeps two replies that come together apart, else they would stay together for good, with Redis at rest while we work and
 * we while Redis does. The earlier read goes first, for nothing is sent while it is under way; after two turns what it led to
 * has been written. But a server that sleeps meanwhile wakes up too late to see one call without the other: so of two that
 * came in one turn of the event loop the later waits until it is awake.
 */
export class Apart {
  readonly #clock: Clock;
  #isTaken = false;
  #cameNow = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is this one's turn; `before`: when the earlier one is done. It is done at once, or does not come now. */
  async turn(before: Promise<unknown>): Promise<void> {
    const isLater = this.#came();
    await Promise.race([before.catch(() => {}), this.#clock.sleep(0)]);
    while (this.#isTaken) await this.#clock.sleep(0);
    this.#isTaken = true;
    if (isLater) await this.#turns(turnsApart, apartMs);
    void this.#turns(2).then(() => {
      this.#isTaken = false;
    });
  }

  /** Whether another has come in this turn of the event loop. */
  #came(): boolean {
    const isLater = this.#cameNow;
    this.#cameNow = true;
    if (!isLater) {
      void this.#turns(1).then(() => {
        this.#cameNow = false;
      });
    }
    return isLater;
  }

  async #turns(count: number, ms: number = Number.POSITIVE_INFINITY): Promise<void> {
    const endsAtMs = this.#clock.monotonicMs() + ms;
    for (let turn = 0; turn < count && this.#clock.monotonicMs() < endsAtMs; turn += 1) await this.#clock.sleep(0);
  }
}
