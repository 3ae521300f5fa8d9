import { InOrder } from '../in-order.js';
import type { HeldDelivery } from './held-delivery.js';
import type { Slots } from './slots.js';

/**
 * What a consumer holds: a delivery is held, and beats, until its end is written; its handler has one of the worker's
 * slots until it returns.
 */
export class InFlight {
  readonly slots: Slots;
  readonly #held = new InOrder<HeldDelivery>();
  #busy = 0;
  #onIdle: (() => void)[] = [];

  constructor(slots: Slots) {
    this.slots = slots;
  }

  /** Handlers at work with what this consumer holds. */
  get busy(): number {
    return this.#busy;
  }

  get held(): Pick<InOrder<HeldDelivery>, 'has' | 'size' | typeof Symbol.iterator> {
    return this.#held;
  }

  /** A slot that was taken passes to this delivery's handler. */
  hold(held: HeldDelivery): void {
    this.#held.add(held);
    this.#busy += 1;
    this.slots.begin();
  }

  /** The handler has returned. */
  freeSlot(): void {
    this.#busy -= 1;
    this.slots.end();
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

  #isIdle(): boolean {
    return this.#busy === 0 && this.#held.size === 0;
  }

  #tellIdle(): void {
    if (this.#onIdle.length === 0 || !this.#isIdle()) return;
    for (const tell of this.#onIdle.splice(0)) tell();
  }
}
