import type { Clock } from '../clock.js';

/**
 * Keeps two replies that come together apart, else they would stay together for good, with Redis at rest while we work and
 * we while Redis does. The earlier read goes first, for nothing is sent while it is under way; after two turns what it led to
 * has been written.
 */
export class Apart {
  readonly #clock: Clock;
  #isTaken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is this one's turn; `before`: when the earlier one is done. It is done at once, or does not come now. */
  async turn(before: Promise<unknown>): Promise<void> {
    await Promise.race([before.catch(() => {}), this.#clock.sleep(0)]);
    while (this.#isTaken) await this.#clock.sleep(0);
    this.#isTaken = true;
    void this.#clock
      .sleep(0)
      .then(() => this.#clock.sleep(0))
      .then(() => {
        this.#isTaken = false;
      });
  }
}
