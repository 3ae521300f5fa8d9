import { Lanes, type LanesParts } from './lanes.js';
import type { Partition } from './partition.js';

/** Lanes of its own for each partition: what a slow or dead one holds up are its own calls. */
export class PartitionLanes {
  readonly #parts: LanesParts;
  readonly #lanes = new Map<number, Lanes>();

  constructor(parts: LanesParts) {
    this.#parts = parts;
  }

  of({ index }: Partition): Lanes {
    const known = this.#lanes.get(index);
    if (known) return known;
    const lanes = new Lanes(this.#parts);
    this.#lanes.set(index, lanes);
    return lanes;
  }
}
