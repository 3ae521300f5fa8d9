import type { Clock } from '../clock.js';
import { InOrder, type Ordered } from '../in-order.js';

/** A timer later than this means that the event loop stood still: the answer may have come, and lie there unread. */
const stallMs = 50;

/**
 * Calls back after `ms`; the returned function takes it back. After a stall of this process (a long computation,
 * SIGSTOP, a laptop asleep) timers fire before the sockets are read, so then it waits a moment longer, once.
 */
export function deadline(clock: Clock, ms: number, callback: () => void): () => void {
  const dueMs = clock.monotonicMs() + ms;
  let cancel = clock.after(ms, () => {
    if (clock.monotonicMs() - dueMs < stallMs) callback();
    else cancel = clock.after(stallMs, callback);
  });
  return () => cancel();
}

/**
 * Any number of deadlines on one timer, for setting a timer per command would show at 50,000 commands a second. The
 * timer stands on the earliest deadline it has heard of; nearly always that command is long answered when it fires,
 * and one walk finds the next. Entries keep the order in which they came.
 */
export class Deadlines<E extends Ordered<E> & { readonly deadlineMs: number }> {
  readonly #clock: Clock;
  readonly #onOverdue: (entries: E[]) => void;
  readonly #entries = new InOrder<E>();
  #cancel: (() => void) | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onOverdue: (entries: E[]) => void) {
    this.#clock = clock;
    this.#onOverdue = onOverdue;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(entry: E, nowMs: number): void {
    this.#entries.add(entry);
    if (entry.deadlineMs < this.#armedForMs) this.#arm(entry.deadlineMs, nowMs);
  }

  /** False when it was not there: overdue, or removed before. */
  delete(entry: E): boolean {
    return this.#entries.delete(entry);
  }

  /** Takes out those that `wanted` picks, all by default. */
  take(wanted: (entry: E) => boolean = () => true): E[] {
    const taken = [...this.#entries].filter(wanted);
    for (const entry of taken) this.#entries.delete(entry);
    if (this.#entries.size === 0) this.#disarm();
    return taken;
  }

  /** The first that came of those that `wanted` picks. */
  find(wanted: (entry: E) => boolean): E | undefined {
    return this.#entries.find(wanted);
  }

  [Symbol.iterator](): IterableIterator<E> {
    return this.#entries[Symbol.iterator]();
  }

  #arm(deadlineMs: number, nowMs: number): void {
    this.#cancel?.();
    this.#armedForMs = deadlineMs;
    this.#cancel = deadline(this.#clock, Math.max(0, deadlineMs - nowMs), () => this.#walk());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  #walk(): void {
    this.#disarm();
    const nowMs = this.#clock.monotonicMs();
    const overdue: E[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) {
      if (entry.deadlineMs <= nowMs) overdue.push(entry);
      else nextMs = Math.min(nextMs, entry.deadlineMs);
    }
    for (const entry of overdue) this.#entries.delete(entry);
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs, nowMs);
    if (overdue.length > 0) this.#onOverdue(overdue);
  }
}
