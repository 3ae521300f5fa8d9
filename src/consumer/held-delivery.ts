import type { Ordered } from '../in-order.js';
import { DeliveryAborted, type AbortReason, type Delivery } from './delivery.js';

/** A delivery this process holds: from open until it is settled or given up. */
export class HeldDelivery implements Ordered<HeldDelivery> {
  readonly delivery: Delivery;
  /** On the monotonic clock; counted from before the call that last extended it. */
  trustedUntilMs: number;
  /** Whether somebody else may have it by now; said once. */
  isLost = false;
  /** Since when its handler has ended and its end is being written. */
  endingSinceMs: number | undefined;
  /** Its end could not be written for a lease; said once. */
  isUnplaced = false;
  /** Among all that its consumer holds. */
  position: Ordered<HeldDelivery>['position'];
  /** Made when its handler asks for the signal: most don't, and it costs more than the rest of a delivery. */
  #controller: AbortController | undefined;
  #abortedBecause: AbortReason | undefined;

  constructor(delivery: Delivery, trustedUntilMs: number) {
    this.delivery = delivery;
    this.trustedUntilMs = trustedUntilMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortedBecause !== undefined) this.#controller.abort(new DeliveryAborted(this.#abortedBecause));
    }
    return this.#controller.signal;
  }

  get isEnding(): boolean {
    return this.endingSinceMs !== undefined;
  }

  get abortedBecause(): AbortReason | undefined {
    return this.#abortedBecause;
  }

  /** Once: the first reason stays. */
  abort(why: AbortReason): void {
    if (this.#abortedBecause !== undefined) return;
    this.#abortedBecause = why;
    this.#controller?.abort(new DeliveryAborted(why));
  }
}
