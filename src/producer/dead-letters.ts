import { invalid } from '../errors.js';
import { wholeNumber } from '../options.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import type { Reply } from '../redis/reply.js';
import { purge, replay } from '../redis/scripts.generated.js';
import { checkText, decodeRun, type TaskLimits } from '../task.js';
import { type Page, pageOver } from './pages.js';
import type { DeadLetter, ReplayResult } from './results.js';
import { fieldsOf, fromFields } from './task-info.js';
import type { TaskKey } from './task-place.js';

/** Letters may be large: they are read ten at a time. */
const pageLettersMax = 10;
const letterNumber = /^\d+-\d+$/;

export interface DeadLettersParts {
  partitions: Partitions;
  /** The same, for what only reads. */
  readable: Partitions;
  lanes: PartitionLanes;
  limits: TaskLimits;
  /** Makes sure that it is known how many partitions there are. */
  learn: () => Promise<void>;
}

/**
 * The dead letters of a queue: tasks that were given up, kept with their reason until replayed, purged or aged. With a
 * `key` only letters of tasks with that key are meant, and only its partition is asked.
 */
export class DeadLetters {
  readonly #partitions: Partitions;
  readonly #readable: Partitions;
  readonly #lanes: PartitionLanes;
  readonly #limits: TaskLimits;
  readonly #learn: () => Promise<void>;

  constructor(parts: DeadLettersParts) {
    this.#partitions = parts.partitions;
    this.#readable = parts.readable;
    this.#lanes = parts.lanes;
    this.#limits = parts.limits;
    this.#learn = parts.learn;
  }

  /** The oldest first. `limit` 1 to 1,000, default 100. */
  async list({ after = '', limit = 100, ...where }: { after?: string; limit?: number } & TaskKey = {}): Promise<{
    letters: DeadLetter[];
    after: string | null;
  }> {
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
    const key = await this.#keyOf(where);
    const only = key === undefined ? undefined : this.#readable.of(key);
    const page = await pageOver(
      this.#readable,
      { after, limit, place: letterNumber },
      async (partition, from, count) => {
        if (only !== undefined && partition !== only) return { items: [], after: null };
        return this.#listIn(partition, { after: from, limit: count, key });
      },
    );
    return { letters: [...page.items], after: page.after };
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

  /** By the letter's number, or by the task's id: its newest letter. */
  async get(idOrNumber: string, where?: TaskKey): Promise<DeadLetter | null> {
    const [found] = await this.#find(idOrNumber, await this.#keyOf(where));
    return (found && (await this.#readOne(found))) ?? null;
  }

  /** Makes it a task again, due now, at its first attempt. Refused while a task with its id lives anew. */
  async replay(idOrNumber: string, where?: TaskKey): Promise<ReplayResult> {
    for (const { index, number } of await this.#find(idOrNumber, await this.#keyOf(where))) {
      const partition = this.#partitions.all[index] as Partition;
      const reply = await this.#lanes.of(partition).call((call) => partition.run(replay, { ...call, number }, call));
      const letter = { id: 'id' in reply ? reply.id : '', number: this.#numberOf(index, number) };
      if (reply.status === 'ok') return { status: 'replayed', ...letter };
      if (reply.status === 'conflict') return { status: 'conflict', ...letter };
    }
    return { status: 'not_found' };
  }

  /** Throws away one letter, or all of them when none is named. Returns how many. */
  async purge(idOrNumber?: string, where?: TaskKey): Promise<number> {
    const key = await this.#keyOf(where);
    if (idOrNumber === undefined && key !== undefined) throw invalid('purge takes a key with an id or a number only');
    const purged =
      idOrNumber === undefined
        ? this.#partitions.all.map((partition) => this.#purgeAll(partition))
        : (await this.#find(idOrNumber, key)).map(({ index, number }) =>
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

  /** Checked before anything is sent; and then it is known how many partitions there are. */
  async #keyOf({ key }: TaskKey = {}): Promise<string | undefined> {
    if (key !== undefined) checkText(key, 'key', this.#limits.idBytesMax);
    await this.#learn();
    return key;
  }

  /** The letter of that number; for a task's id its newest letter, and with keys there may be several tasks of that id. */
  async #find(idOrNumber: string, key: string | undefined): Promise<Found[]> {
    if (key === undefined) return this.#findIn(this.#readable.all, idOrNumber);
    const found = await this.#findIn([this.#readable.of(key)], idOrNumber);
    const [letter] = await Promise.all(found.map((each) => this.#readOne(each)));
    return letter?.key === key ? found : []; // two keys may share a partition
  }

  async #findIn(all: readonly Partition[], idOrNumber: string): Promise<Found[]> {
    const newest = await Promise.all(all.map(({ caller, keys }) => caller.send(['HGET', keys.past, idOrNumber])));
    const found = newest.flatMap((end, at) => {
      const { index } = all[at] as Partition;
      const [state, number] = typeof end === 'string' ? end.split(':') : [];
      return state === 'dead' && number !== undefined ? [{ index, number }] : [];
    });
    return found.length > 0 ? found.toSorted(newestFirst).slice(0, 1) : this.#byNumber(idOrNumber);
  }

  #byNumber(text: string): Found[] {
    const { length } = this.#readable.all;
    const [, index = '0', number] = (length === 1 ? /^()?(\d+-\d+)$/ : /^(\d{1,4})\/(\d+-\d+)$/).exec(text) ?? [];
    return number === undefined || Number(index) >= length ? [] : [{ index: Number(index), number }];
  }

  /** How a letter is called in the whole queue. */
  #numberOf(index: number, number: string): string {
    return this.#readable.all.length === 1 ? number : `${index}/${number}`;
  }

  async #readOne({ index, number }: Found): Promise<DeadLetter | undefined> {
    const [letter] = await this.#read(index, { from: number, to: number, count: 1 });
    return letter;
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

/** Where a letter is. */
interface Found {
  readonly index: number;
  readonly number: string;
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
