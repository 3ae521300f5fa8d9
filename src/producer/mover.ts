import { assert } from '../errors.js';
import type { Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import { add } from '../redis/scripts.generated.js';
import type { FormerPlaces } from './former-places.js';
import type { AddItem } from './new-task.js';

/** Each conflict of a letter within an hour is a call more. */
const callsMax = 100;

export interface MoverParts {
  partitions: Partitions;
  formerPlaces: FormerPlaces;
  lanes: PartitionLanes;
}

/**
 * Makes a dead letter a task again where that belongs since the queue grew. No script crosses partitions, so the letter goes
 * after the task has come; but two who do it at once, or one who does it again after it was cut short, make one task: the
 * call is on a lane of the letter's own, which keeps its first answer for an hour.
 */
export class Mover {
  readonly #parts: MoverParts;

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** conflict: a task with its id lives. moved: the queue has another layout by now; nothing was done. */
  async move(item: AddItem, letter: string): Promise<'replayed' | 'conflict' | 'moved'> {
    const { partitions, formerPlaces, lanes } = this.#parts;
    const { text: layout } = partitions.layout; // before the look: what that finds holds in this layout
    if ((await formerPlaces.find(item)) !== undefined) return 'conflict';
    const partition = partitions.of(item.placedBy);
    let conflicts = 0;
    for (let call = 1; call <= callsMax && conflicts < 2; call += 1) {
      const own = { lane: `letter ${letter}`, call, items: [item] };
      const reply = await lanes.of(partition).call(({ timeoutMs }) => partition.runIn(add, own, { layout, timeoutMs }));
      if (reply.status === 'other_layout') return 'moved';
      if (reply.status === 'late_call') continue;
      assert(reply.marks !== 'x', `the letter ${letter} was taken for no task`);
      if (reply.marks !== 'd') return 'replayed';
      conflicts += 1; // the first may be the answer of before
    }
    return 'conflict';
  }
}
