import { Fault } from '../batcher.js';
import type { Clock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import type { Replication } from '../redis/replication.js';
import { type AddAnswer, Adder, type AddStatus } from './adder.js';
import type { FormerPlaces } from './former-places.js';
import type { AddItem } from './new-task.js';
import { AddManyError } from './results.js';

export interface AddersParts {
  partitions: Partitions;
  formerPlaces: FormerPlaces;
  lanes: PartitionLanes;
  clock: Clock;
  observe: Observe;
  replication: Replication | undefined;
}

/**
 * The adders of a queue, one for each partition that was added to: a task goes to that of its key, or of its id. When the
 * queue grows they are made anew, and what the former ones have not added finds its place again.
 */
export class Adders {
  readonly #parts: AddersParts;
  readonly #adders = new Map<Partition, Adder>();
  #layout = '';

  constructor(parts: AddersParts) {
    this.#parts = parts;
  }

  add(item: AddItem): Promise<AddStatus> {
    const adder = this.#adderOf(item); // before the look: what that finds holds in this layout
    if (this.#parts.formerPlaces.areWorthALook(item)) return this.#addWhatIsNew(item, adder);
    return adder.add(item).then((answer) => (answer === 'moved' ? this.add(item) : answer));
  }

  async #addWhatIsNew(item: AddItem, adder: Adder): Promise<AddStatus> {
    if (await this.#isThere(item)) return 'duplicate';
    const answer = await adder.add(item);
    return answer === 'moved' ? this.add(item) : answer;
  }

  /** A status for each, in order. Partitions do not wait for one another. Rejects with what is known of each. */
  async addAll(items: readonly AddItem[]): Promise<AddStatus[]> {
    const answers: (AddAnswer | Fault)[] = items.map(() => 'moved');
    while (answers.includes('moved')) {
      const places = [...answers.keys()].filter((at) => answers[at] === 'moved');
      await Promise.all([...this.#byAdder(items, places)].map((group) => this.#addGroup(items, group, answers)));
    }
    return allOrError(items, answers as (AddStatus | Fault)[]);
  }

  #byAdder(items: readonly AddItem[], places: readonly number[]): Map<Adder, number[]> {
    const groups = new Map<Adder, number[]>();
    for (const at of places) {
      const adder = this.#adderOf(items[at] as AddItem);
      const group = groups.get(adder);
      if (group) group.push(at);
      else groups.set(adder, [at]);
    }
    return groups;
  }

  async #addGroup(
    items: readonly AddItem[],
    [adder, places]: [Adder, readonly number[]],
    answers: (AddAnswer | Fault)[],
  ): Promise<void> {
    const looked = places.filter((at) => this.#parts.formerPlaces.areWorthALook(items[at] as AddItem));
    const found = looked.map(async (at) => {
      const isThere = await this.#isThere(items[at] as AddItem).catch((error: unknown) => new Fault(error));
      if (isThere !== false) answers[at] = isThere === true ? 'duplicate' : isThere;
    });
    await Promise.all(found);
    const left = places.filter((at) => answers[at] === 'moved');
    const some = await adder.addAll(left.map((at) => items[at] as AddItem));
    left.forEach((at, nth) => {
      answers[at] = some[nth] as AddAnswer | Fault;
    });
  }

  /** Whether it lives where it belonged before the queue grew. */
  async #isThere(item: AddItem): Promise<boolean> {
    const found = await this.#parts.formerPlaces.find(item);
    if (found === undefined) return false;
    const { partitions, replication, observe } = this.#parts;
    await replication?.confirmed(partitions.all[found.index] as Partition, async () => {});
    observe({ type: 'added', queue: partitions.home.queue, name: item.name, status: 'duplicate', count: 1 });
    return true;
  }

  #adderOf({ placedBy }: AddItem): Adder {
    const { partitions, lanes, clock, observe, replication } = this.#parts;
    const { text: layout } = partitions.layout;
    if (layout !== this.#layout) this.#adders.clear();
    this.#layout = layout;
    const partition = partitions.of(placedBy);
    const known = this.#adders.get(partition);
    if (known) return known;
    const adder = new Adder({ partition, layout, lanes: lanes.of(partition), clock, observe, replication });
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
