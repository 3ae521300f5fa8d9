import { wholeNumber } from '../options.js';
import type { Lanes } from '../redis/lanes.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import { purge, replay } from '../redis/scripts.generated.js';
import { decodeRun } from '../task.js';
import { type Page, pageOver } from './pages.js';
import type { DeadLetter, ReplayResult } from './results.js';
import { fieldsOf, fromFields } from './task-info.js';

/** Letters may be large: they are read ten at a time. */
const pageLettersMax = 10;
const letterNumber = /^\d+-\d+$/;

/** The dead letters of a queue: tasks that were given up, kept with their reason until replayed, purged or aged. */
export class DeadLetters {
  readonly #partitions: Partitions;
  readonly #readable: Partitions;
  readonly #lanes: Lanes;

  constructor(parts: { partitions: Partitions; readable: Partitions; lanes: Lanes }) {
    this.#partitions = parts.partitions;
    this.#readable = parts.readable;
    this.#lanes = parts.lanes;
  }

  /** The oldest first. `limit` 1 to 1,000, default 100. */
  async list({ after = '', limit = 100 }: { after?: string; limit?: number } = {}): Promise<{
    letters: DeadLetter[];
    after: string | null;
  }> {
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
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
      const page = await this.#read(partition, { from: from === '' ? '-' : `(${from}`, to: '+', count });
      items.push(...page);
      from = page.at(-1)?.number ?? '';
      if (page.length < count) return { items, after: null };
    }
    return { items, after: from };
  }

  /** By the letter's number, or by the task's id: its newest letter. */
  async get(idOrNumber: string): Promise<DeadLetter | null> {
    for (const partition of this.#partitions.all) {
      const number = await this.#numberOf(partition, idOrNumber);
      if (number === null) continue;
      const [letter] = await this.#read(partition, { from: number, to: number, count: 1 });
      if (letter) return letter;
    }
    return null;
  }

  /** Makes it a task again, due now, at its first attempt. Refused while a task with its id lives anew. */
  async replay(idOrNumber: string): Promise<ReplayResult> {
    for (const partition of this.#partitions.all) {
      const number = await this.#numberOf(partition, idOrNumber);
      if (number === null) continue;
      const reply = await this.#lanes.call((call) => partition.run(replay, { ...call, number }, call));
      if (reply.status === 'ok') return { status: 'replayed', id: reply.id, number };
      if (reply.status === 'conflict') return { status: 'conflict', id: reply.id, number };
    }
    return { status: 'not_found' };
  }

  /** Throws away one letter, or all of them when none is named. Returns how many. */
  async purge(idOrNumber?: string): Promise<number> {
    let purged = 0;
    for (const partition of this.#partitions.all) {
      if (idOrNumber === undefined) {
        purged += await this.#purgeAll(partition);
      } else {
        const number = await this.#numberOf(partition, idOrNumber);
        if (number !== null) purged += await this.#purge(partition, { limit: 0, items: [{ number }] });
      }
    }
    return purged;
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
    const reply = await this.#lanes.call(({ timeoutMs }) => partition.run(purge, what, { timeoutMs }));
    return reply.purged;
  }

  /** A letter's number as it is; for a task's id the number of its newest letter. */
  async #numberOf({ index }: Partition, idOrNumber: string): Promise<string | null> {
    const { caller, keys } = this.#readable.all[index] as Partition;
    const newest = await caller.send(['HGET', keys.past, idOrNumber]);
    const [state, number] = typeof newest === 'string' ? newest.split(':') : [];
    if (state === 'dead' && number !== undefined) return number;
    return letterNumber.test(idOrNumber) ? idOrNumber : null;
  }

  async #read({ index }: Partition, range: { from: string; to: string; count: number }): Promise<DeadLetter[]> {
    const { caller, keys } = this.#readable.all[index] as Partition;
    const reply = await caller.send(['XRANGE', keys.dead, range.from, range.to, 'COUNT', String(range.count)]);
    return (reply as Reply[]).map(toLetter);
  }
}

function toLetter(entry: Reply): DeadLetter {
  const [number, flat] = entry as [string, Reply[]];
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
