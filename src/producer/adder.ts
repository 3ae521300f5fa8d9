import { Batcher } from '../batcher.js';
import { assert } from '../errors.js';
import type { Observe } from '../events.js';
import type { Lanes } from '../redis/lanes.js';
import type { Partition } from '../redis/partition.js';
import { add } from '../redis/scripts.generated.js';
import type { AddItem } from './new-task.js';

export type AddStatus = 'scheduled' | 'ready' | 'duplicate';

const statusOf: Readonly<Record<string, AddStatus>> = { r: 'ready', s: 'scheduled', d: 'duplicate' };

/** Adds checked tasks to one partition, in batches: 500 small tasks take Redis about 2 ms, large ones are cut by bytes. */
export class Adder {
  readonly #partition: Partition;
  readonly #lanes: Lanes;
  readonly #observe: Observe;
  readonly #batcher: Batcher<AddItem, AddStatus>;

  constructor(parts: { partition: Partition; lanes: Lanes; observe: Observe }) {
    this.#partition = parts.partition;
    this.#lanes = parts.lanes;
    this.#observe = parts.observe;
    this.#batcher = new Batcher({
      inFlightMax: 4,
      itemsMax: 500,
      bytesMax: 256 * 1024,
      bytesOf: (item) => item.record.length,
      send: (items) => this.#send(items),
    });
  }

  add(item: AddItem): Promise<AddStatus> {
    return this.#batcher.add(item);
  }

  async #send(items: readonly AddItem[]): Promise<AddStatus[]> {
    const reply = await this.#lanes.call((call) => this.#partition.run(add, { ...call, items }, call));
    assert(reply.status === 'ok', `add: ${reply.status} for a call that nobody else makes`);
    return items.map(({ name }, at) => {
      const status = statusOf[reply.marks[at] ?? ''];
      assert(status, `add: no mark for item ${at}`);
      this.#observe({ type: 'added', queue: this.#partition.queue, name, status, count: 1 });
      return status;
    });
  }
}
