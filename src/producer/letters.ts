import type { Partition, Partitions } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import { decodeRun } from '../task.js';
import { type Page, pageOver } from './pages.js';
import type { DeadLetter } from './results.js';
import { fieldsOf, fromFields } from './task-info.js';

/** Letters may be large: they are read ten at a time. */
export const pageLettersMax = 10;
const letterNumber = /^\d+-\d+$/;

/** Where a letter is. */
export interface Found {
  readonly index: number;
  readonly number: string;
}

/** The dead letters of a queue, to read. A letter stays where its task died, wherever that would belong by now. */
export class Letters {
  readonly #partitions: Partitions;

  constructor(partitions: Partitions) {
    this.#partitions = partitions;
  }

  /** The oldest first, partition by partition; of one key, when it is named. */
  list({ after, limit, key }: { after: string; limit: number; key: string | undefined }): Promise<Page<DeadLetter>> {
    const wanted = key === undefined ? undefined : new Set(this.#partitions.placesOf(key));
    return pageOver(this.#partitions, { after, limit, place: letterNumber }, async (partition, from, count) => {
      if (wanted?.has(partition) === false) return { items: [], after: null };
      return this.#listIn(partition, { after: from, limit: count, key });
    });
  }

  /** The letter of that number; for a task's id its newest letter, and with keys there may be several tasks of that id. */
  async find(idOrNumber: string, key: string | undefined): Promise<Found | undefined> {
    if (key === undefined) return (await this.#thatMayBe(this.#partitions.all, idOrNumber))[0];
    for (const found of await this.#thatMayBe(this.#partitions.placesOf(key), idOrNumber)) {
      if ((await this.read(found))?.key === key) return found; // two keys may share a partition
    }
    return undefined;
  }

  async read({ index, number }: Found): Promise<DeadLetter | undefined> {
    const [letter] = await this.#read(index, { from: number, to: number, count: 1 });
    return letter;
  }

  /** The fields of its entry, as Redis keeps them. */
  async fields({ index, number }: Found): Promise<Readonly<Record<string, string>>> {
    const [entry] = await this.#entries(index, { from: number, to: number, count: 1 });
    return entry ? fieldsOf(entry[1]) : {};
  }

  /** How a letter is called in the whole queue. */
  numberOf({ index, number }: Found): string {
    return this.#partitions.all.length === 1 ? number : `${index}/${number}`;
  }

  async #listIn(
    partition: Partition,
    { after, limit, key }: { after: string; limit: number; key: string | undefined },
  ): Promise<Page<DeadLetter>> {
    const items: DeadLetter[] = [];
    let from = after;
    while (items.length < limit) {
      const count = key === undefined ? Math.min(pageLettersMax, limit - items.length) : pageLettersMax;
      const page = await this.#read(partition.index, { from: from === '' ? '-' : `(${from}`, to: '+', count });
      const fitting = page.filter((letter) => key === undefined || letter.key === key);
      items.push(...fitting.slice(0, limit - items.length));
      const last = items.length === limit ? items.at(-1) : page.at(-1);
      from = last?.number.replace(/^.*\//, '') ?? '';
      if (page.length < count && last === page.at(-1)) return { items, after: null };
    }
    return { items, after: from };
  }

  /** The newest letter of that id in each of these partitions, the newest of all first; and what has that number. */
  async #thatMayBe(all: readonly Partition[], idOrNumber: string): Promise<Found[]> {
    const newest = await Promise.all(all.map(({ caller, keys }) => caller.send(['HGET', keys.past, idOrNumber])));
    const found = newest.flatMap((end, at) => {
      const { index } = all[at] as Partition;
      const [state, number] = typeof end === 'string' ? end.split(':') : [];
      return state === 'dead' && number !== undefined ? [{ index, number }] : [];
    });
    return [...found.toSorted(newestFirst), ...this.#byNumber(idOrNumber)];
  }

  /** One without a partition was given when there was only one. */
  #byNumber(text: string): Found[] {
    const [, index = '0', number] = /^(?:(\d{1,4})\/)?(\d+-\d+)$/.exec(text) ?? [];
    if (number === undefined || Number(index) >= this.#partitions.all.length) return [];
    return [{ index: Number(index), number }];
  }

  async #read(index: number, range: { from: string; to: string; count: number }): Promise<DeadLetter[]> {
    const entries = await this.#entries(index, range);
    return entries.map(([number, flat]) => toLetter(this.numberOf({ index, number }), flat));
  }

  async #entries(
    index: number,
    { from, to, count }: { from: string; to: string; count: number },
  ): Promise<[string, Reply[]][]> {
    const { caller, keys } = this.#partitions.all[index] as Partition;
    return (await caller.send(['XRANGE', keys.dead, from, to, 'COUNT', String(count)])) as [string, Reply[]][];
  }
}

/** A letter's number begins with the ms at which the task died. */
function newestFirst(one: Found, other: Found): number {
  return Number.parseInt(other.number, 10) - Number.parseInt(one.number, 10);
}

function toLetter(number: string, flat: readonly Reply[]): DeadLetter {
  const fields = fieldsOf(flat);
  const info = fromFields(fields['id'] ?? '', 'dead', fields);
  const { errors } = decodeRun(fields['run'] ?? null);
  const { id, key, name, payload, attempt } = info;
  return {
    number,
    id,
    ...(key !== undefined && { key }),
    name,
    payload,
    reason: fields['reason'] ?? '',
    attempts: attempt,
    errors,
    at: info.endedAt ?? 0,
  };
}
