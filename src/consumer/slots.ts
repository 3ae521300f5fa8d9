import type { Clock } from '../clock.js';
import { Line, type Taker } from './line.js';

/**
 * How many handlers a worker may have at work, over all partitions it consumes.
 *
 * A slot is taken by whoever is about to read with it, or has read without, and passes to the handler of what was read; it
 * is free again when that handler has returned, when nothing came for it, or while what should come is late (see
 * Booking). Takers are served in turns (see Line): neither a backlog nor a full partition can keep another from its own, and
 * nobody recovery.
 */
export class Slots {
  readonly concurrency: number;
  /** Slots of handlers that go on after their timeout. */
  overrun = 0;
  readonly #line: Line;
  readonly #onBusy: (busy: number) => void;
  #busy = 0;
  #taken = 0;
  #isClosed = false;
  #isServing = false;
  #isTelling = false;

  /** `onBusy` is told how many handlers are at work, once a turn of the event loop in which that changed. */
  constructor(concurrency: number, clock: Clock, onBusy: (busy: number) => void = () => {}) {
    this.concurrency = concurrency;
    this.#line = new Line(clock);
    this.#onBusy = onBusy;
  }

  /** Handlers at work. */
  get busy(): number {
    return this.#busy;
  }

  /** Slots that nobody has, and nobody waits for. */
  get free(): number {
    return this.#line.length > 0 || this.#isClosed ? 0 : Math.max(0, this.concurrency - this.#taken);
  }

  /**
   * Resolves with 1 to `slotsMax` slots as soon as there are any; with 0 once it is closed. It is served at the end of a
   * turn of the event loop, with all that became free in it: one reply that ends a hundred handlers is one read.
   */
  take(slotsMax: number, who: Pick<Taker, 'by' | 'wasTurnedAway'> = {}): Promise<number> {
    return new Promise((resolve) => {
      this.#line.add({ ...who, slotsMax, resolve });
      this.#serveSoon();
    });
  }

  /** At once: as many as are free, up to `slotsMax`. */
  takeFree(slotsMax: number): number {
    const slots = Math.min(this.free, slotsMax);
    this.#taken += slots;
    return slots;
  }

  /** Slots for which nothing came. */
  giveBack(slots: number): void {
    this.#taken -= slots;
    this.#serveSoon();
  }

  /** Nobody gets a slot any more. */
  close(): void {
    this.#isClosed = true;
    this.#serveSoon();
  }

  /** A slot that was taken passes to a handler. */
  begin(): void {
    this.#busy += 1;
    this.#tellBusySoon();
  }

  /** That handler has returned. */
  end(): void {
    this.#busy -= 1;
    this.#tellBusySoon();
    this.giveBack(1);
  }

  /** nextTick, not a microtask: the handlers that end in this turn still free theirs. */
  #serveSoon(): void {
    if (this.#isServing || this.#line.length === 0) return;
    this.#isServing = true;
    process.nextTick(() => {
      this.#isServing = false;
      this.#serve();
    });
  }

  #serve(): void {
    for (;;) {
      const free = this.concurrency - this.#taken;
      if (free < 1 && !this.#isClosed) return;
      const taker = this.#line.next(free);
      if (taker === undefined) return;
      const slots = this.#isClosed ? 0 : Math.min(free, taker.slotsMax);
      this.#taken += slots;
      taker.resolve(slots);
    }
  }

  #tellBusySoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    process.nextTick(() => {
      this.#isTelling = false;
      this.#onBusy(this.#busy);
    });
  }
}
