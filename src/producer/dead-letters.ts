import { assert, invalid } from '../errors.js';
import { checkOptions, wholeNumber } from '../options.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import { purge, replay } from '../redis/scripts.generated.js';
import { keyIn, type TaskLimits, withoutCreation } from '../task.js';
import { type Found, Letters, pageLettersMax } from './letters.js';
import type { Mover } from './mover.js';
import type { AddItem } from './new-task.js';
import type { DeadLetter, ReplayResult } from './results.js';
import { checkedKey, type TaskKey } from './task-place.js';

export interface DeadLettersParts {
  partitions: Partitions;
  /** The same, for what only reads. */
  readable: Partitions;
  lanes: PartitionLanes;
  mover: Mover;
  limits: TaskLimits;
  /** Asks how many partitions there are. */
  learn: () => Promise<void>;
}

/** moved: the queue has another layout by now, in which the task may belong elsewhere. Nothing was done. */
type Replayed = { status: 'replayed' | 'conflict'; id: string } | { status: 'not_found' } | { status: 'moved' };

/**
 * The dead letters of a queue: tasks that were given up, kept with their reason until replayed, purged or aged. With a
 * `key` only letters of tasks with that key are meant, and only where it belongs, or once belonged, is looked.
 */
export class DeadLetters {
  readonly #partitions: Partitions;
  readonly #letters: Letters;
  readonly #lanes: PartitionLanes;
  readonly #mover: Mover;
  readonly #limits: TaskLimits;
  readonly #learn: () => Promise<void>;

  constructor(parts: DeadLettersParts) {
    this.#partitions = parts.partitions;
    this.#letters = new Letters(parts.readable);
    this.#lanes = parts.lanes;
    this.#mover = parts.mover;
    this.#limits = parts.limits;
    this.#learn = parts.learn;
  }

  /** The oldest first. `limit` 1 to 1,000, default 100. */
  async list(options: { after?: string; limit?: number } & TaskKey = {}): Promise<{
    letters: DeadLetter[];
    after: string | null;
  }> {
    checkOptions(options, ['after', 'limit', 'key']);
    const { after = '', limit = 100, ...where } = options;
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
    const page = await this.#letters.list({ after, limit, key: await this.#keyOf(where) });
    return { letters: [...page.items], after: page.after };
  }

  /** By the letter's number, or by the task's id: its newest letter. */
  async get(idOrNumber: string, where?: TaskKey): Promise<DeadLetter | null> {
    const found = await this.#letters.find(idOrNumber, await this.#keyOf(where));
    return (found && (await this.#letters.read(found))) ?? null;
  }

  /** Makes it a task again, due now, at its first attempt. Refused while a task with its id lives anew. */
  async replay(idOrNumber: string, where?: TaskKey): Promise<ReplayResult> {
    const key = await this.#keyOf(where);
    const { text: layout } = this.#partitions.layout; // in which it is decided where the task belongs
    const found = await this.#letters.find(idOrNumber, key);
    if (found === undefined) return { status: 'not_found' };
    const moving = await this.#toMove(found);
    const reply = await (moving === undefined ? this.#replay(found, layout) : this.#move(found, moving));
    if (reply.status === 'moved') return this.replay(idOrNumber, where);
    if (reply.status === 'not_found') return reply;
    return { status: reply.status, id: reply.id, number: this.#letters.numberOf(found) };
  }

  /** Throws away one letter, or all of them when none is named. Returns how many. */
  async purge(idOrNumber?: string, where?: TaskKey): Promise<number> {
    const key = await this.#keyOf(where);
    if (idOrNumber === undefined) {
      if (key !== undefined) throw invalid('purge takes a key with an id or a number only');
      const purged = await Promise.all(this.#partitions.all.map((partition) => this.#purgeAll(partition)));
      return purged.reduce((sum, some) => sum + some, 0);
    }
    const found = await this.#letters.find(idOrNumber, key);
    return found === undefined ? 0 : this.#purgeOne(found);
  }

  async #replay({ index, number }: Found, layout: string): Promise<Replayed> {
    const partition = this.#partitions.all[index] as Partition;
    const lanes = this.#lanes.of(partition);
    const reply = await lanes.call(({ timeoutMs, ...call }) =>
      partition.runIn(replay, { ...call, number }, { layout, timeoutMs }),
    );
    assert(reply.status !== 'late_call', 'a call of ours was overtaken on its own lane');
    if (reply.status === 'other_layout') return { status: 'moved' };
    return reply.status === 'ok' ? { status: 'replayed', id: reply.id } : reply;
  }

  /** The task of a letter that lies where it would belong no more, for the queue has grown since; else undefined. */
  async #toMove(found: Found): Promise<AddItem | undefined> {
    if (this.#partitions.all.length === 1) return undefined;
    const { id = '', record: kept = '' } = await this.#letters.fields(found);
    const record = withoutCreation(kept);
    if (!record.startsWith('["')) return undefined; // nobody can run it: wherever it is, it comes back
    const placedBy = keyIn(record) ?? id;
    if (this.#partitions.of(placedBy).index === found.index) return undefined;
    return { id, name: '', placedBy, hasOwnId: true, when: '+0', expires: '', record };
  }

  async #move(found: Found, item: AddItem): Promise<Replayed> {
    const { id } = item;
    const status = await this.#mover.move(item, `${found.index}/${found.number}`);
    if (status === 'moved') return { status };
    if (status === 'replayed') await this.#purgeOne(found);
    return { status, id };
  }

  #purgeOne({ index, number }: Found): Promise<number> {
    return this.#purge(this.#partitions.all[index] as Partition, { limit: 0, items: [{ number }] });
  }

  async #purgeAll(partition: Partition): Promise<number> {
    let purged = 0;
    for (;;) {
      const some = await this.#purge(partition, { limit: pageLettersMax, items: [] });
      purged += some;
      if (some < pageLettersMax) return purged;
    }
  }

  /** Repeated while its reply is lost; what only the lost call threw away is then not counted. */
  async #purge(partition: Partition, what: { limit: number; items: { number: string }[] }): Promise<number> {
    const lanes = this.#lanes.of(partition);
    const reply = await lanes.call(({ timeoutMs }) => partition.run(purge, what, { timeoutMs }));
    return reply.purged;
  }

  /** Checked before anything is sent; and then it is known how many partitions there are. */
  async #keyOf(where?: TaskKey): Promise<string | undefined> {
    const key = checkedKey(where, this.#limits);
    await this.#learn();
    return key;
  }
}
