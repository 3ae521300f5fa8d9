import type { Clock } from '../clock.js';

/** Who waits for slots. */
export interface Taker {
  readonly slotsMax: number;
  /** Which fetcher it is, for turns; a fetcher waits once at a time. None: served once, in its place. */
  readonly by?: object;
  /** It has read what there was no slot for, and gave it back. */
  readonly wasTurnedAway?: boolean;
  readonly resolve: (slots: number) => void;
}

/**
 * How long one fetcher is served before the others. Long enough that the ends of its tasks mostly go along with its next
 * reads, which is what makes a task of many partitions as cheap as one of a single, also where the partitions of several
 * servers have their turns; short enough that a round of sixteen full partitions takes a third of a second.
 */
const turnSlots = 1_600;
const turnMs = 20;

/**
 * In which order those who wait for slots are served: in turns.
 *
 * Who is at the head gets a turn, and what it asks for until the turn is over; then it goes to the end. Before anybody
 * come those who were turned away, once in each turn: a task alone in its partition does not wait until all the full ones
 * had theirs, and however many such tasks there are, every turn has its share.
 */
export class Line {
  readonly #clock: Clock;
  readonly #waiting: Taker[] = [];
  readonly #turnedAway: Taker[] = [];
  readonly #hadPrecedence = new Set<object>();
  /** Of whom it is the turn, waiting again. */
  #again: Taker | undefined;
  #turn: { readonly by: object | undefined; readonly endsAtMs: number; slotsLeft: number };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turn = { by: undefined, endsAtMs: 0, slotsLeft: 0 };
  }

  get length(): number {
    return this.#waiting.length + this.#turnedAway.length + (this.#again === undefined ? 0 : 1);
  }

  add(taker: Taker): void {
    const { by, wasTurnedAway } = taker;
    if (by !== undefined && wasTurnedAway === true && !this.#hadPrecedence.has(by)) {
      this.#hadPrecedence.add(by);
      this.#turnedAway.push(taker);
    } else if (by !== undefined && by === this.#turn.by) this.#again = taker;
    else this.#waiting.push(taker);
  }

  /** Takes the next one out, to be given 1 to `free` slots of those it wants. */
  next(free: number): Taker | undefined {
    const turnedAway = this.#turnedAway.shift();
    if (turnedAway !== undefined) return turnedAway;
    const taker = this.#ofTurn() ?? this.#waiting.shift();
    if (taker === undefined) return undefined;
    if (taker.by !== undefined && taker.by !== this.#turn.by) this.#begin(taker.by);
    this.#turn.slotsLeft -= Math.min(free, taker.slotsMax);
    return taker;
  }

  /** When its turn is over it goes to the end, and begins anew if nobody else is there. */
  #ofTurn(): Taker | undefined {
    const again = this.#again;
    if (again === undefined) return undefined;
    this.#again = undefined;
    const { slotsLeft, endsAtMs } = this.#turn;
    if (slotsLeft > 0 && this.#clock.monotonicMs() < endsAtMs) return again;
    this.#waiting.push(again);
    this.#turn = { by: undefined, endsAtMs: 0, slotsLeft: 0 };
    return undefined;
  }

  #begin(by: object): void {
    this.#hadPrecedence.clear();
    this.#turn = { by, endsAtMs: this.#clock.monotonicMs() + turnMs, slotsLeft: turnSlots };
  }
}
