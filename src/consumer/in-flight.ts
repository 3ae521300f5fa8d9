import { DeliveryAborted, type AbortReason, type Delivery } from './delivery.js';

/** A delivery this process holds: from open until it is settled or given up. */
export class HeldDelivery {
  readonly delivery: Delivery;
  readonly #controller = new AbortController();
  /** On the monotonic clock; counted from before the call that last extended it. */
  trustedUntilMs: number;
  /** Whether somebody else may have it by now; said once. */
  isLost = false;
  /** Since when its handler has ended and its end is being written. */
  endingSinceMs: number | undefined;
  /** Its end could not be written for a lease; said once. */
  isUnplaced = false;

  constructor(delivery: Delivery, trustedUntilMs: number) {
    this.delivery = delivery;
    this.trustedUntilMs = trustedUntilMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isEnding(): boolean {
    return this.endingSinceMs !== undefined;
  }

  get abortedBecause(): AbortReason | undefined {
    const reason: unknown = this.#controller.signal.reason;
    return reason instanceof DeliveryAborted ? reason.why : undefined;
  }

  abort(why: AbortReason): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(new DeliveryAborted(why));
  }
}

/**
 * What a consumer holds, and how many more it may take. A slot is taken by a handler at work and free when that has
 * returned; a delivery is held, and beats, until its end is written.
 */
export class InFlight {
  readonly concurrency: number;
  readonly #held = new Set<HeldDelivery>();
  #busy = 0;
  #onFree: (() => void) | undefined;
  #onIdle: (() => void)[] = [];
  /** Slots of handlers that go on after their timeout. */
  overrun = 0;
  readonly #onChange: (busy: number) => void;

  constructor(concurrency: number, onChange: (busy: number) => void = () => {}) {
    this.concurrency = concurrency;
    this.#onChange = onChange;
  }

  get busy(): number {
    return this.#busy;
  }

  get held(): ReadonlySet<HeldDelivery> {
    return this.#held;
  }

  get free(): number {
    return this.concurrency - this.#busy;
  }

  hold(held: HeldDelivery): void {
    this.#held.add(held);
    this.#busy += 1;
    this.#onChange(this.#busy);
  }

  /** The handler has returned. */
  freeSlot(): void {
    this.#busy -= 1;
    this.#onChange(this.#busy);
    this.#onFree?.();
    this.#tellIdle();
  }

  /** The end is written, or given up. */
  letGo(held: HeldDelivery): void {
    this.#held.delete(held);
    this.#tellIdle();
  }

  /** Resolves when a slot is free, or the signal aborts. One waiter: whose turn the intake says it is. */
  untilFree(signal: AbortSignal): Promise<void> {
    if (this.free > 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        if (this.free <= 0 && !signal.aborted) return;
        this.#onFree = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#onFree = done;
      signal.addEventListener('abort', done);
    });
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
    if (!this.#isIdle()) return;
    for (const tell of this.#onIdle.splice(0)) tell();
  }
}
