import type { Patience } from './patience.js';
import type { Slots } from './slots.js';

/**
 * Slots for what calls to a partition will bring. While an answer is late they go back to the others, so that a server that
 * is silent holds up nobody but its own partitions; when the answer comes at last there are as many as are free by then.
 * What there is none for must be handed back.
 */
export class Booking {
  readonly #slots: Slots;
  readonly #patience: Patience;
  #left: number;
  #isLate = false;

  constructor(of: { slots: Slots; patience: Patience; taken: number }) {
    this.#slots = of.slots;
    this.#patience = of.patience;
    this.#left = of.taken;
  }

  /** Slots taken, and not passed to a handler yet. */
  get left(): number {
    return this.#left;
  }

  /** Whether an answer has been late. */
  get isLate(): boolean {
    return this.#isLate;
  }

  during<T>(call: Promise<T>): Promise<T> {
    return this.#patience.during(call, () => {
      this.#isLate = true;
      this.giveBack();
    });
  }

  /** How many of so many there is a slot for: what is lacking is taken if it is free. */
  fit(wanted: number): number {
    if (wanted > this.#left) this.#left += this.#slots.takeFree(wanted - this.#left);
    return Math.min(wanted, this.#left);
  }

  /** So many have passed to handlers. */
  pass(slots: number): void {
    this.#left -= slots;
  }

  /** Those for which nothing came. */
  giveBack(): void {
    this.#slots.giveBack(this.#left);
    this.#left = 0;
  }
}
