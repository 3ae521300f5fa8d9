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
  /** Answers per item, in order. */
  readonly send: (items: readonly I[]) => Promise<readonly O[]>;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (error: unknown) => void;
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
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** nextTick, not a microtask: what other promises of this turn still add comes along. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= this.#parts.inFlightMax) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    let from = 0;
    while (from < this.#waiting.length && this.#inFlight < this.#parts.inFlightMax) {
      const to = this.#batchEnd(from);
      this.#inFlight += 1;
      void this.#send(this.#waiting.slice(from, to));
      from = to;
    }
    if (from > 0) this.#waiting = this.#waiting.slice(from);
  }

  #batchEnd(from: number): number {
    const { itemsMax, bytesMax, bytesOf, together = () => true } = this.#parts;
    const { item: first } = this.#waiting[from] as Waiting<I, O>;
    let bytes = 0;
    let to = from;
    for (; to < this.#waiting.length && to - from < itemsMax && bytes < bytesMax; to += 1) {
      const { item } = this.#waiting[to] as Waiting<I, O>;
      if (!together(first, item)) break;
      bytes += bytesOf(item);
    }
    return to;
  }

  /** Settles every promise of the batch, and never rejects itself. */
  async #send(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const answers = await this.#parts.send(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, at) => {
        resolve(answers[at] as O);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#inFlight -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
