import { assert } from '../errors.js';
import { wholeNumber } from '../options.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import type { Reply } from '../redis/reply.js';
import { purge, replay } from '../redis/scripts.generated.js';
import { decodeRecord, decodeRun, withoutCreation } from '../task.js';
import type { Adders } from './adders.js';
import type { AddItem } from './new-task.js';
import { type Page, pageOver } from './pages.js';
import type { DeadLetter, ReplayResult } from './results.js';
import { fieldsOf, fromFields } from './task-info.js';

/** Letters may be large: they are read ten at a time. */
const pageLettersMax = 10;
const letterNumber = /^\d+-\d+$/;

export interface DeadLettersParts {
  partitions: Partitions;
  /** The same, for what only reads. */
  readable: Partitions;
  lanes: PartitionLanes;
  adders: Adders;
  /** Asks how many partitions there are. */
  learn: () => Promise<void>;
}

/** The dead letters of a queue: tasks that were given up, kept with their reason until replayed, purged or aged. */
export class DeadLetters {
  readonly #partitions: Partitions;
  readonly #readable: Partitions;
  readonly #lanes: PartitionLanes;
  readonly #adders: Adders;
  readonly #learn: () => Promise<void>;

  constructor(parts: DeadLettersParts) {
    this.#partitions = parts.partitions;
    this.#readable = parts.readable;
    this.#lanes = parts.lanes;
    this.#adders = parts.adders;
    this.#learn = parts.learn;
  }

  /** The oldest first. `limit` 1 to 1,000, default 100. */
  async list({ after = '', limit = 100 }: { after?: string; limit?: number } = {}): Promise<{
    letters: DeadLetter[];
    after: string | null;
  }> {
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
    await this.#learn();
    const page = await pageOver(this.#readable, { after, limit, place: letterNumber }, (partition, from, count) =>
      this.#listIn(partition, from, count),
    );
    return { letters: [...page.items], after: page.after };
  }

  async #listIn(partition: Partition, after: string, limit: number): Promise<Page<DeadLetter>> {
    const items: DeadLetter[] = [];
    let from = after;
    while (items.length < limit) {
      const count = Math.min(pageLettersMax, limit - items.length);
      const page = await this.#read(partition.index, { from: from === '' ? '-' : `(${from}`, to: '+', count });
      items.push(...page);
      from = page.at(-1)?.number.replace(/^.*\//, '') ?? '';
      if (page.length < count) return { items, after: null };
    }
    return { items, after: from };
  }

  /** By the letter's number, or by the task's id: its newest letter. */
  async get(idOrNumber: string): Promise<DeadLetter | null> {
    await this.#learn();
    for (const { index, number } of await this.#find(idOrNumber)) {
      const [letter] = await this.#read(index, { from: number, to: number, count: 1 });
      if (letter) return letter;
    }
    return null;
  }

  /** Makes it a task again, due now, at its first attempt. Refused while a task with its id lives anew. */
  async replay(idOrNumber: string): Promise<ReplayResult> {
    await this.#learn();
    const { text: layout } = this.#partitions.layout; // in which it is decided where the task belongs
    for (const found of await this.#find(idOrNumber)) {
      const moving = await this.#toMove(found);
      const reply = await (moving === undefined ? this.#replay(found, layout) : this.#move(found, moving));
      if (reply.status === 'not_found') continue;
      if (reply.status === 'moved') return this.replay(idOrNumber);
      return { status: reply.status, id: reply.id, number: this.#numberOf(found.index, found.number) };
    }
    return { status: 'not_found' };
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
  async #toMove({ index, number }: Found): Promise<AddItem | undefined> {
    if (this.#partitions.all.length === 1) return undefined;
    const { caller, keys } = this.#readable.all[index] as Partition;
    const [entry] = (await caller.send(['XRANGE', keys.dead, number, number])) as [string, Reply[]][];
    const { id = '', record = '' } = entry ? fieldsOf(entry[1]) : {};
    const decoded = decodeRecord(record);
    if (decoded.kind !== 'record') return undefined;
    const { name, key = id } = decoded.record;
    if (this.#partitions.of(key).index === index) return undefined;
    return { id, name, placedBy: key, hasOwnId: true, when: '+0', expires: '', record: withoutCreation(record) };
  }

  /** Two steps, for no script crosses partitions; what ends between them leaves the letter beside the task. */
  async #move({ index, number }: Found, item: AddItem): Promise<Replayed> {
    const { id } = item;
    if ((await this.#adders.add(item)) === 'duplicate') return { status: 'conflict', id };
    await this.#purge(this.#partitions.all[index] as Partition, { limit: 0, items: [{ number }] });
    return { status: 'replayed', id };
  }

  /** Throws away one letter, or all of them when none is named. Returns how many. */
  async purge(idOrNumber?: string): Promise<number> {
    await this.#learn();
    const purged =
      idOrNumber === undefined
        ? this.#partitions.all.map((partition) => this.#purgeAll(partition))
        : (await this.#find(idOrNumber)).map(({ index, number }) =>
            this.#purge(this.#partitions.all[index] as Partition, { limit: 0, items: [{ number }] }),
          );
    return (await Promise.all(purged)).reduce((sum, some) => sum + some, 0);
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

  /** The letter of that number; for a task's id its newest letter, and with keys there may be several tasks of that id. */
  async #find(idOrNumber: string): Promise<Found[]> {
    const { all } = this.#readable;
    const newest = await Promise.all(all.map(({ caller, keys }) => caller.send(['HGET', keys.past, idOrNumber])));
    const found = newest.flatMap((end, index) => {
      const [state, number] = typeof end === 'string' ? end.split(':') : [];
      return state === 'dead' && number !== undefined ? [{ index, number }] : [];
    });
    return found.length > 0 ? found.toSorted(newestFirst).slice(0, 1) : this.#byNumber(idOrNumber);
  }

  /** One without a partition was given when there was only one. */
  #byNumber(text: string): Found[] {
    const { length } = this.#readable.all;
    const [, index = '0', number] = /^(?:(\d{1,4})\/)?(\d+-\d+)$/.exec(text) ?? [];
    return number === undefined || Number(index) >= length ? [] : [{ index: Number(index), number }];
  }

  /** How a letter is called in the whole queue. */
  #numberOf(index: number, number: string): string {
    return this.#readable.all.length === 1 ? number : `${index}/${number}`;
  }

  async #read(index: number, range: { from: string; to: string; count: number }): Promise<DeadLetter[]> {
    const { caller, keys } = this.#readable.all[index] as Partition;
    const reply = await caller.send(['XRANGE', keys.dead, range.from, range.to, 'COUNT', String(range.count)]);
    return (reply as [string, Reply[]][]).map(([number, flat]) => toLetter(this.#numberOf(index, number), flat));
  }
}

/** A letter's number begins with the ms at which the task died. */
function newestFirst(one: Found, other: Found): number {
  return Number.parseInt(other.number, 10) - Number.parseInt(one.number, 10);
}

/** moved: the queue has another layout by now, in which the task may belong elsewhere. Nothing was done. */
type Replayed = { status: 'replayed' | 'conflict'; id: string } | { status: 'not_found' } | { status: 'moved' };

/** Where a letter is. */
interface Found {
  readonly index: number;
  readonly number: string;
}

function toLetter(number: string, flat: readonly Reply[]): DeadLetter {
  const fields = fieldsOf(flat);
  const info = fromFields(fields['id'] ?? '', 'dead', fields);
  const { errors } = decodeRun(fields['run'] ?? null);
  const { id, name, payload, attempt } = info;
  return {
    number,
    id,
    name,
    payload,
    reason: fields['reason'] ?? '',
    attempts: attempt,
    errors,
    at: info.endedAt ?? 0,
  };
}
