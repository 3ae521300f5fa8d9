import type { Clock } from '../clock.js';

/**
 * Keeps two replies that come together apart, else they would stay together for good, with Redis at rest while we work and
 * we while Redis does. After two turns what the first of them led to has been written.
 */
export class Apart {
  readonly #clock: Clock;
  #isTaken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is this one's turn. */
  async turn(): Promise<void> {
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
