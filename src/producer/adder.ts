import { Batcher } from '../batcher.js';
import type { Clock } from '../clock.js';
import { assert } from '../errors.js';
import type { Observe } from '../events.js';
import type { Lanes } from '../redis/lanes.js';
import type { Partition } from '../redis/partition.js';
import { add } from '../redis/scripts.generated.js';
import type { AddItem } from './new-task.js';

export type AddStatus = 'scheduled' | 'ready' | 'duplicate';

const statusOf: Readonly<Record<string, AddStatus>> = { r: 'ready', s: 'scheduled', d: 'duplicate' };

interface Dated {
  readonly item: AddItem;
  readonly madeAtMs: number;
}

const inFlightMax = 4;

/**
 * Adds checked tasks to one partition, in batches: 500 small tasks take Redis about 2 ms, large ones are cut by bytes.
 *
 * A batch is as old as its youngest task, so that none is given up before its time; and it holds what came within a
 * quarter of the time a call has, so that none is given up much later: four batches under way span all of that time.
 */
export class Adder {
  readonly #partition: Partition;
  readonly #lanes: Lanes;
  readonly #observe: Observe;
  readonly #clock: Clock;
  readonly #batcher: Batcher<Dated, AddStatus>;

  constructor(parts: { partition: Partition; lanes: Lanes; clock: Clock; observe: Observe }) {
    this.#partition = parts.partition;
    this.#lanes = parts.lanes;
    this.#observe = parts.observe;
    this.#clock = parts.clock;
    const spreadMsMax = parts.lanes.patienceMs / inFlightMax;
    this.#batcher = new Batcher({
      inFlightMax,
      itemsMax: 500,
      bytesMax: 256 * 1024,
      bytesOf: ({ item }) => item.record.length,
      together: (first, { madeAtMs }) => madeAtMs - first.madeAtMs <= spreadMsMax,
      send: (dated) => this.#send(dated),
    });
  }

  add(item: AddItem): Promise<AddStatus> {
    return this.#batcher.add({ item, madeAtMs: this.#clock.monotonicMs() });
  }

  async #send(dated: readonly Dated[]): Promise<AddStatus[]> {
    const items = dated.map(({ item }) => item);
    const madeAtMs = dated.at(-1)?.madeAtMs;
    const reply = await this.#lanes.call((call) => this.#partition.run(add, { ...call, items }, call), madeAtMs);
    assert(reply.status === 'ok', `add: ${reply.status} for a call that nobody else makes`);
    return items.map(({ name }, at) => {
      const status = statusOf[reply.marks[at] ?? ''];
      assert(status, `add: no mark for item ${at}`);
      this.#observe({ type: 'added', queue: this.#partition.queue, name, status, count: 1 });
      return status;
    });
  }
}
