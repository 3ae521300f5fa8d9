/**
 * Sends what comes in one turn of the event loop as one call, at once: nothing waits for company. While as many calls
 * are under way as are allowed, what comes gathers, so that a burst costs few round trips and a lone one none more.
 */
export interface BatcherParts<I, O> {
  /** Calls under way at once. */
  readonly inFlightMax: number;
  readonly itemsMax: number;
  /** A batch is closed once its items pass this many bytes. */
  readonly bytesMax: number;
  readonly bytesOf: (item: I) => number;
  /** Whether an item may go in the batch that begins with `first`. Default: always. */
  readonly together?: (first: I, item: I) => boolean;
  /** What a batch waits for before it is sent, in which it can be taken along. Default: the end of the present callback. */
  readonly turnEnd?: () => Promise<void>;
  /**
   * So many that wait while no call is under way go in two calls, the second `later`: then the other side works on one of
   * them while we see to the other, and it stays so while each answer brings as many new ones. Default: never.
   */
  readonly halves?: { readonly from: number; readonly later: () => Promise<void> };
  /** Answers per item, in order. */
  readonly send: (items: readonly I[]) => Promise<readonly O[]>;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly onAnswer: (answer: O | Fault) => void;
}

/** Why the call that an item went with came to nothing. */
export class Fault {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export class Batcher<I, O> {
  readonly #parts: BatcherParts<I, O>;
  #waiting: Waiting<I, O>[] = [];
  #inFlight = 0;
  #scheduled = false;

  constructor(parts: BatcherParts<I, O>) {
    this.#parts = parts;
  }

  /** Resolves with the item's answer; rejects with the fault of the call it went with. */
  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.put(item, (answer) => (answer instanceof Fault ? reject(answer.error) : resolve(answer)));
    });
  }

  /** The same with a callback, which must not throw: for what is done a hundred thousand times a second. */
  put(item: I, onAnswer: (answer: O | Fault) => void): void {
    this.#waiting.push({ item, onAnswer });
    this.#schedule();
  }

  /** The batch that is next to be sent, if it begins with a fit item and a call is allowed: for who takes it along. */
  take(isFit: (first: I) => boolean): Batch<I, O> | undefined {
    const [first] = this.#waiting;
    if (first === undefined || this.#inFlight >= this.#parts.inFlightMax || !isFit(first.item)) return undefined;
    return this.#batch();
  }

  /** nextTick, not a microtask: what other promises of this turn still add comes along. */
  #schedule(turnEnd: (() => Promise<void>) | undefined = this.#parts.turnEnd): void {
    if (this.#scheduled || this.#inFlight >= this.#parts.inFlightMax) return;
    this.#scheduled = true;
    const flush = (): void => {
      this.#scheduled = false;
      this.#flush();
    };
    if (turnEnd) void turnEnd().then(flush);
    else process.nextTick(flush);
  }

  #flush(): void {
    const { inFlightMax, halves, send } = this.#parts;
    const { length } = this.#waiting;
    if (halves && length >= halves.from && this.#inFlight === 0) {
      void this.#batch(Math.ceil(length / 2)).send(send);
      this.#schedule(halves.later);
      return;
    }
    while (this.#waiting.length > 0 && this.#inFlight < inFlightMax) void this.#batch().send(send);
  }

  #batch(itemsMax: number = this.#parts.itemsMax): Batch<I, O> {
    const waiting = this.#waiting.splice(0, this.#batchEnd(Math.min(itemsMax, this.#parts.itemsMax)));
    this.#inFlight += 1;
    const onDone = (): void => {
      this.#inFlight -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    };
    return new Batch(waiting, onDone);
  }

  /** How many of those that wait make the next batch. */
  #batchEnd(itemsMax: number): number {
    const { bytesMax, bytesOf, together = () => true } = this.#parts;
    const { item: first } = this.#waiting[0] as Waiting<I, O>;
    let bytes = 0;
    let to = 0;
    for (; to < this.#waiting.length && to < itemsMax && bytes < bytesMax; to += 1) {
      const { item } = this.#waiting[to] as Waiting<I, O>;
      if (!together(first, item)) break;
      bytes += bytesOf(item);
    }
    return to;
  }
}

/** Items that go in one call, and who waits for their answers. */
export class Batch<I, O> {
  readonly items: readonly I[];
  readonly #waiting: readonly Waiting<I, O>[];
  readonly #onDone: () => void;

  constructor(waiting: readonly Waiting<I, O>[], onDone: () => void) {
    this.items = waiting.map(({ item }) => item);
    this.#waiting = waiting;
    this.#onDone = onDone;
  }

  /** Once: answers all of them with what the call brings, or its fault. Never rejects. */
  async send(call: (items: readonly I[]) => Promise<readonly O[]>): Promise<void> {
    try {
      const answers = await call(this.items);
      this.#waiting.forEach(({ onAnswer }, at) => {
        onAnswer(answers[at] as O);
      });
    } catch (error) {
      const fault = new Fault(error);
      for (const { onAnswer } of this.#waiting) onAnswer(fault);
    } finally {
      this.#onDone();
    }
  }
}
