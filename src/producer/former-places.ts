import { Batcher } from '../batcher.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { has } from '../redis/scripts.generated.js';
import type { AddItem } from './new-task.js';

const inFlightMax = 4;
const idsMax = 250;

/**
 * Where tasks lay before the queue grew. An id of its own is unique in all of the queue, so who adds one looks first whether
 * it still lives where it belonged then. What such a look does not find will not come to life there any more: by then
 * that partition refuses adds of the former layout. A new id of the library's is nowhere yet, and needs no look.
 */
export class FormerPlaces {
  readonly #readable: Partitions;
  readonly #looks = new Map<Partition, Batcher<string, boolean>>();

  constructor(readable: Partitions) {
    this.#readable = readable;
  }

  /** Whether there is anywhere to look for it. */
  areWorthALook({ hasOwnId }: AddItem): boolean {
    return hasOwnId && this.#readable.layout.former.length > 0;
  }

  /** The one where it lives. */
  async find({ id, placedBy }: AddItem): Promise<Partition | undefined> {
    const places = this.#readable.formerOf(placedBy);
    const found = await Promise.all(places.map((partition) => this.#lookAt(partition).add(id)));
    return places[found.indexOf(true)];
  }

  #lookAt(partition: Partition): Batcher<string, boolean> {
    const known = this.#looks.get(partition);
    if (known) return known;
    const look = new Batcher<string, boolean>({
      inFlightMax,
      itemsMax: idsMax,
      bytesMax: Number.POSITIVE_INFINITY,
      bytesOf: () => 0,
      send: async (ids) => {
        const { marks } = await partition.run(has, { items: ids.map((id) => ({ id })) });
        return ids.map((_id, at) => marks[at] === 'y');
      },
    });
    this.#looks.set(partition, look);
    return look;
  }
}
