/** Draws that a seed repeats (mulberry32): from 0 up to, and without, 1. */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const deck = [...list];
    for (let at = deck.length - 1; at > 0; at -= 1) {
      const other = Math.floor(this.next() * (at + 1));
      [deck[at], deck[other]] = [deck[other] as T, deck[at] as T];
    }
    return deck;
  }

  /** Draws of their own, so that one part's number of draws does not move another's. */
  branch(): Seeded {
    return new Seeded(Math.floor(this.next() * 2 ** 32));
  }
}
