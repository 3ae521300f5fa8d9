import type { HeldDelivery } from './held-delivery.js';

interface Taker {
  readonly slotsMax: number;
  readonly resolve: (slots: number) => void;
}

/**
 * What a consumer holds, and how many more it may take.
 *
 * A slot is taken by whoever is about to read, before it reads, and passes to the handler of what it read; it is free
 * again when that handler has returned, or when nothing came for it. So however many reads are under way, no more is read
 * than there are slots. Takers are served in the order they came: a backlog can't keep recovery from its slot.
 *
 * A delivery is held, and beats, until its end is written.
 */
export class InFlight {
  readonly concurrency: number;
  /** Slots of handlers that go on after their timeout. */
  overrun = 0;
  readonly #held = new Set<HeldDelivery>();
  readonly #takers: Taker[] = [];
  readonly #onBusy: (busy: number) => void;
  #busy = 0;
  #taken = 0;
  #isClosed = false;
  #isServing = false;
  #isTelling = false;
  #onIdle: (() => void)[] = [];

  /** `onBusy` is told how many handlers are at work, once a turn of the event loop in which that changed. */
  constructor(concurrency: number, onBusy: (busy: number) => void = () => {}) {
    this.concurrency = concurrency;
    this.#onBusy = onBusy;
  }

  /** Handlers at work. */
  get busy(): number {
    return this.#busy;
  }

  get held(): ReadonlySet<HeldDelivery> {
    return this.#held;
  }

  /** Whether somebody waits for slots. */
  get isWanted(): boolean {
    return this.#takers.length > 0;
  }

  /**
   * Resolves with 1 to `slotsMax` slots as soon as there are any; with 0 once it is closed. It is served at the end of a
   * turn of the event loop, with all that became free in it: one reply that ends a hundred handlers is one read.
   */
  take(slotsMax: number): Promise<number> {
    return new Promise((resolve) => {
      this.#takers.push({ slotsMax, resolve });
      this.#serveSoon();
    });
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

  /** A slot that was taken passes to this delivery's handler. */
  hold(held: HeldDelivery): void {
    this.#held.add(held);
    this.#busy += 1;
    this.#tellBusySoon();
  }

  /** The handler has returned. */
  freeSlot(): void {
    this.#busy -= 1;
    this.#tellBusySoon();
    this.giveBack(1);
    this.#tellIdle();
  }

  /** The end is written, or given up. */
  letGo(held: HeldDelivery): void {
    this.#held.delete(held);
    this.#tellIdle();
  }

  /** Resolves when no handler runs and nothing is held any more. */
  untilIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** nextTick, not a microtask: the handlers that end in this turn still free theirs. */
  #serveSoon(): void {
    if (this.#isServing || this.#takers.length === 0) return;
    this.#isServing = true;
    process.nextTick(() => {
      this.#isServing = false;
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const free = this.concurrency - this.#taken;
      if (free < 1 && !this.#isClosed) return;
      const { slotsMax, resolve } = this.#takers.shift() as Taker;
      const slots = this.#isClosed ? 0 : Math.min(free, slotsMax);
      this.#taken += slots;
      resolve(slots);
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

  #isIdle(): boolean {
    return this.#busy === 0 && this.#held.size === 0;
  }

  #tellIdle(): void {
    if (this.#onIdle.length === 0 || !this.#isIdle()) return;
    for (const tell of this.#onIdle.splice(0)) tell();
  }
}
