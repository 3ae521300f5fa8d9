import type { Booking } from './booking.js';
import type { Delivery } from './delivery.js';
import type { Unopened } from './waiting-read.js';

export type Opened = Unopened & { readonly record: string; readonly run: string | null };

export interface ReadParts {
  /** The name it is made under. */
  consumer: string;
  group: string;
  booking: Booking;
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
  /** No more is taken on. */
  signal: AbortSignal;
}

/** One read: under which name, the slots for what it brings, and what of that is on its way back. */
export class Read {
  readonly consumer: string;
  readonly group: string;
  readonly booking: Booking;
  readonly #parts: ReadParts;
  readonly #back: Promise<void>[] = [];
  #turnedAway = 0;

  constructor(parts: ReadParts) {
    this.#parts = parts;
    this.consumer = parts.consumer;
    this.group = parts.group;
    this.booking = parts.booking;
  }

  /** How many of those it brought there was no slot for. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** Those there is a slot for by now. The others are turned away. */
  fitting<T extends Unopened | Opened>(brought: readonly T[]): readonly T[] {
    const { booking, signal } = this.#parts;
    const fit = signal.aborted ? 0 : booking.fit(brought.length);
    if (fit === brought.length) return brought;
    this.#turnedAway += brought.length - fit;
    this.turnAway(brought.slice(fit));
    return brought.slice(0, fit);
  }

  /** They go back, for others, at once; what can't is recovered after a lease. */
  turnAway(entries: readonly (Unopened | Opened)[]): void {
    const { consumer, handBack } = this.#parts;
    const unstarted = entries.map((one) => ({ record: '', run: null, ...one, consumer, count: 1 }));
    this.#back.push(handBack(unstarted, 0).catch(() => {}));
  }

  /** The slots for which nothing came go back, whatever happens; then it waits for what is on its way back. */
  async whole(work: Promise<number>): Promise<number> {
    try {
      return await work;
    } finally {
      this.booking.giveBack();
      await Promise.all(this.#back);
    }
  }
}
