import { Fault } from '../batcher.js';
import type { Clock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import type { Replication } from '../redis/replication.js';
import { Adder, type AddStatus } from './adder.js';
import type { AddItem } from './new-task.js';
import { AddManyError } from './results.js';

export interface AddersParts {
  partitions: Partitions;
  lanes: PartitionLanes;
  clock: Clock;
  observe: Observe;
  replication: Replication | undefined;
}

/** The adders of a queue, one for each partition that was added to: a task goes to that of its key, or of its id. */
export class Adders {
  readonly #parts: AddersParts;
  readonly #adders = new Map<Partition, Adder>();

  constructor(parts: AddersParts) {
    this.#parts = parts;
  }

  add(item: AddItem): Promise<AddStatus> {
    return this.#adderOf(item).add(item);
  }

  /** A status for each, in order. Partitions do not wait for one another. Rejects with what is known of each. */
  async addAll(items: readonly AddItem[]): Promise<AddStatus[]> {
    const groups = new Map<Adder, number[]>();
    items.forEach((item, at) => {
      const adder = this.#adderOf(item);
      const group = groups.get(adder);
      if (group) group.push(at);
      else groups.set(adder, [at]);
    });
    const answers: (AddStatus | Fault)[] = [];
    const calls = [...groups].map(async ([adder, places]) => {
      const some = await adder.addAll(places.map((at) => items[at] as AddItem));
      places.forEach((at, nth) => {
        answers[at] = some[nth] as AddStatus | Fault;
      });
    });
    await Promise.all(calls);
    return allOrError(items, answers);
  }

  #adderOf({ placedBy }: AddItem): Adder {
    const partition = this.#parts.partitions.of(placedBy);
    const known = this.#adders.get(partition);
    if (known) return known;
    const { lanes, clock, observe, replication } = this.#parts;
    const adder = new Adder({ partition, lanes: lanes.of(partition), clock, observe, replication });
    this.#adders.set(partition, adder);
    return adder;
  }
}

/** That nothing was added is said only when it is so of each. */
function allOrError(items: readonly AddItem[], answers: readonly (AddStatus | Fault)[]): AddStatus[] {
  const faults = new Set(answers.filter((answer) => answer instanceof Fault));
  if (faults.size === 0) return answers as AddStatus[];
  const errors = [...faults].map(({ error }) => error);
  const unknown = errors.find((error) => error instanceof DuestreamError && error.code === 'ERR_OUTCOME_UNKNOWN');
  const error = unknown ?? errors[0];
  const results = answers.map((answer, at) =>
    answer instanceof Fault ? null : { id: (items[at] as AddItem).id, status: answer },
  );
  const added = results.filter((result) => result !== null).length;
  if (added === 0) throw error;
  const message = `${added} of ${items.length} tasks are in the queue, the others may not be: ${messageOf(error)}`;
  throw new AddManyError(message, { results, cause: error });
}
