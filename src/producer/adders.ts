import type { Clock } from '../clock.js';
import type { Observe } from '../events.js';
import type { Lanes } from '../redis/lanes.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { Adder, type AddStatus } from './adder.js';
import type { AddItem } from './new-task.js';

/** The adders of a queue, one for each partition: a task goes to that of its id. */
export class Adders {
  readonly #partitions: Partitions;
  readonly #adders: ReadonlyMap<Partition, Adder>;

  constructor(parts: { partitions: Partitions; lanes: Lanes; clock: Clock; observe: Observe }) {
    const { partitions, ...shared } = parts;
    this.#partitions = partitions;
    this.#adders = new Map(partitions.all.map((partition) => [partition, new Adder({ partition, ...shared })]));
  }

  add(item: AddItem): Promise<AddStatus> {
    return this.#adderOf(item).add(item);
  }

  /** A status for each, in order. */
  async addAll(items: readonly AddItem[]): Promise<AddStatus[]> {
    const groups = new Map<Adder, number[]>();
    items.forEach((item, at) => {
      const adder = this.#adderOf(item);
      const group = groups.get(adder);
      if (group) group.push(at);
      else groups.set(adder, [at]);
    });
    const statuses: AddStatus[] = [];
    await Promise.all(
      [...groups].map(async ([adder, places]) => {
        const answers = await adder.addAll(places.map((at) => items[at] as AddItem));
        places.forEach((at, nth) => {
          statuses[at] = answers[nth] as AddStatus;
        });
      }),
    );
    return statuses;
  }

  #adderOf({ id }: AddItem): Adder {
    return this.#adders.get(this.#partitions.of(id)) as Adder;
  }
}
