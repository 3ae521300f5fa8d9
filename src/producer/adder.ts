import { assert } from '../errors.js';
import type { Observe } from '../events.js';
import type { Lanes } from '../redis/lanes.js';
import type { Partition } from '../redis/partition.js';
import { add } from '../redis/scripts.generated.js';
import type { AddItem } from './new-task.js';

export type AddStatus = 'scheduled' | 'ready' | 'duplicate';

interface Waiting {
  readonly item: AddItem;
  readonly resolve: (status: AddStatus) => void;
  readonly reject: (error: unknown) => void;
}

/** A script of 500 small tasks takes Redis about 2 ms; large ones are cut by their bytes. */
const batchItemsMax = 500;
const batchBytesMax = 256 * 1024;
const batchesInFlightMax = 4;

const statusOf: Readonly<Record<string, AddStatus>> = { r: 'ready', s: 'scheduled', d: 'duplicate' };

/**
 * Sends what is added in one turn of the event loop as one script call, at once: nothing waits for company. While four
 * calls are under way what comes gathers, so that a burst costs few round trips and a lone task none more.
 */
export class Adder {
  readonly #partition: Partition;
  readonly #lanes: Lanes;
  readonly #observe: Observe;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #flushing = false;

  constructor(parts: { partition: Partition; lanes: Lanes; observe: Observe }) {
    this.#partition = parts.partition;
    this.#lanes = parts.lanes;
    this.#observe = parts.observe;
  }

  add(item: AddItem): Promise<AddStatus> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      process.nextTick(() => {
        this.#flushing = false;
        this.#flush();
      });
    });
  }

  #flush(): void {
    let from = 0;
    while (from < this.#waiting.length && this.#inFlight < batchesInFlightMax) {
      const to = this.#batchEnd(from);
      this.#inFlight += 1;
      void this.#send(this.#waiting.slice(from, to)).finally(() => {
        this.#inFlight -= 1;
        if (!this.#flushing) this.#flush();
      });
      from = to;
    }
    if (from > 0) this.#waiting = this.#waiting.slice(from);
  }

  #batchEnd(from: number): number {
    let bytes = 0;
    let to = from;
    while (to < this.#waiting.length && to - from < batchItemsMax && (bytes < batchBytesMax || to === from)) {
      bytes += this.#waiting[to]?.item.record.length ?? 0;
      to += 1;
    }
    return to;
  }

  /** Settles every promise of the batch, and never rejects itself. */
  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const items = batch.map(({ item }) => item);
      const reply = await this.#lanes.call((call) => this.#partition.run(add, { ...call, items }, call));
      assert(reply.status === 'ok', `add: ${reply.status} for a call that was not answered before`);
      batch.forEach(({ item, resolve }, at) => {
        const status = statusOf[reply.marks[at] ?? ''];
        assert(status, `add: unknown mark for item ${at}`);
        this.#observe({ type: 'added', queue: this.#partition.queue, name: item.name, status, count: 1 });
        resolve(status);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
