import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import { assert, DuestreamError } from '../errors.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import { get, schedule, schedules } from '../redis/scripts.generated.js';
import { newCursor } from '../schedule/cursor.js';
import { decodeCursor, encodeCursor } from '../schedule/cursor-text.js';
import { decodeDefinition, encodeDefinition, occurrenceId } from '../schedule/definition.js';
import { nextNominal } from '../schedule/nominal.js';
import { lookMs } from '../schedule/look.js';
import { aheadMs, type Standing } from '../schedule/step.js';
import { type Page, pageOver } from './pages.js';

/** A schedule as it was read, and where. */
export interface Stored extends Standing {
  readonly name: string;
  readonly partition: Partition;
  /** The server's, when it was read. */
  readonly nowMs: number;
  /** What says that it is still as it was read. */
  readonly sha1: string;
}

/** A schedule that a newer version wrote, or something else. */
export interface Unreadable {
  readonly name: string;
  readonly isUnreadable: true;
}

/** There is none of that name. */
export interface Vacant {
  readonly nowMs: number;
}

export interface ScheduleStoreParts {
  partitions: Partitions;
  /** The same, for what only reads. */
  readable: Partitions;
  lanes: PartitionLanes;
  clock: Clock;
}

/** More often than that nobody moves a schedule between a read and the write after it. */
const triesMax = 20;
/** A move takes the leader a few ms. */
const movingWaitMs = 50;
/** Redis takes a few ms for as many, of whatever size. */
const pageMax = 100;
const place = /^\d{1,20}$/;

/**
 * Reads and writes schedules. A schedule lies in the partition of its tasks' key, else of its name; a write is a
 * compare-and-set of all of it.
 */
export class ScheduleStore {
  readonly #parts: ScheduleStoreParts;

  constructor(parts: ScheduleStoreParts) {
    this.#parts = parts;
  }

  /** Where it is likely first, then wherever else it may be: its tasks may have a key. */
  async find(name: string): Promise<Stored | Vacant> {
    const { readable } = this.#parts;
    const first = readable.of(name);
    const found = await this.#readIn(first, name);
    if (('partition' in found && found.cursor.moving === null) || readable.all.length === 1) return found;
    const others = await Promise.all(readable.all.filter((one) => one !== first).map((one) => this.#readIn(one, name)));
    const stored = others.filter((one) => 'partition' in one);
    return stored.find(({ cursor }) => cursor.moving === null) ?? stored[0] ?? found;
  }

  /** One that can't be read here is told by its name, for the others are well. */
  async list(page: { after: string; limit: number }): Promise<Page<Stored | Unreadable>> {
    return pageOver(this.#parts.readable, { ...page, place }, async (partition, from, limit) => {
      const ask = { name: '', position: from === '' ? '0' : from, count: Math.min(limit, pageMax) };
      const reply = await partition.run(schedules, ask);
      const items = reply.schedules.map((one): Stored | Unreadable => {
        const isUnreadable = decodeDefinition(one.definition) === undefined;
        return isUnreadable ? { name: one.name, isUnreadable } : this.#stored(partition, one, reply.nowMs);
      });
      return { items, after: reply.next === '0' ? null : reply.next };
    });
  }

  /**
   * Reads a schedule, writes what `become` makes of it, and again when somebody moves it meanwhile. `become` returns undefined
   * when nothing is to be written, null when it is to be taken away; what it throws is thrown. Returns what was written.
   */
  async write(
    name: string,
    become: (stands: Stored | Vacant) => { partition: Partition; standing: Standing | null } | undefined,
  ): Promise<Standing | null | undefined> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const { all, vacant } = await this.#everywhere(name);
      if (all.some(({ cursor }) => cursor.moving !== null)) {
        await this.#parts.clock.sleep(movingWaitMs); // else it would be there again from where it was
        continue;
      }
      const stands = all[0] ?? vacant;
      const decided = become(stands);
      if (decided === undefined) return undefined;
      const { standing: made } = decided;
      const standing = made === null || 'partition' in stands ? made : await this.#begun(name, made, stands.nowMs);
      if (standing === undefined) continue;
      const wanted = { ...decided, standing };
      if (!(await this.#put(name, stands, wanted))) continue;
      if (!('partition' in stands)) await this.#withoutTwin(name, wanted.partition);
      if (standing !== null || all.length < 2) return standing; // one of its name that lies elsewhere goes too
    }
    throw new DuestreamError(
      'ERR_CONFLICT',
      `the schedule ${name} is changed by others all the time, or waits for a leader to move it: nothing was written`,
    );
  }

  /**
   * Of one that is made anew: what another of its name, that was just taken away, has handed over ahead of its time is not fired
   * again; nor what came while that was looked for, for it may have been fired. Undefined: somebody else has made it.
   */
  async #begun(name: string, { definition, cursor }: Standing, atMs: number): Promise<Standing | undefined> {
    const { clock } = this.#parts;
    let [nextMs, nowMs] = [cursor.nextMs, atMs];
    while (nextMs !== null && nextMs - nowMs <= aheadMs) {
      const startedMs = clock.monotonicMs();
      if (await this.#lives(occurrenceId(name, nextMs))) {
        nextMs = nextNominal(definition.timing, nextMs);
        continue;
      }
      const { all, vacant } = await this.#everywhere(name);
      if (all.length > 0) return undefined;
      if (vacant.nowMs < nextMs) break;
      nowMs = vacant.nowMs; // one that comes later than another such round takes
      nextMs = nextNominal(definition.timing, nowMs + 2 * Math.ceil(clock.monotonicMs() - startedMs));
    }
    return { definition, cursor: { ...cursor, nextMs } };
  }

  async #lives(id: string): Promise<boolean> {
    const replies = await Promise.all(this.#parts.readable.all.map((one) => one.run(get, { id })));
    return replies.some(({ status }) => status === 'ok');
  }

  /** Two who make one name at once, with keys of two partitions: the first partition's stays, whoever sees both. */
  async #withoutTwin(name: string, made: Partition): Promise<void> {
    const [stays, ...others] = (await this.#everywhere(name)).all;
    for (const one of others) await this.#put(name, one, { partition: one.partition, standing: null });
    if (stays === undefined || others.length === 0 || stays.partition.index === made.index) return;
    const what = `the schedule ${name} was made by somebody else at the same time, and its tasks have another key`;
    throw new DuestreamError('ERR_CONFLICT', `${what}: theirs stays`);
  }

  /** Those of that name, in whatever partition; and what it is like where there is none. */
  async #everywhere(name: string): Promise<{ all: Stored[]; vacant: Vacant }> {
    const { readable } = this.#parts;
    const partitions = readable.all;
    const replies = await Promise.all(partitions.map((one) => this.#readIn(one, name)));
    if (readable.all.length !== partitions.length) return this.#everywhere(name); // it has grown: there are more
    const { nowMs } = replies[readable.of(name).index] as Vacant;
    return { all: replies.filter((one) => 'partition' in one), vacant: { nowMs } };
  }

  async #put(
    name: string,
    stands: Stored | Vacant,
    { partition: { index }, standing }: { partition: Partition; standing: Standing | null },
  ): Promise<boolean> {
    const { partitions, lanes } = this.#parts;
    const partition = partitions.all[index] as Partition;
    const againMs = standing === null ? null : lookMs(standing, stands.nowMs);
    const item = {
      name,
      wasSha1: 'sha1' in stands ? stands.sha1 : '',
      definition: standing === null ? '' : encodeDefinition(standing.definition),
      cursor: standing === null ? '' : encodeCursor(standing.cursor),
      lookMs: againMs === null ? '' : String(againMs),
      term: '',
      token: '',
    };
    const reply = await lanes
      .of(partition)
      .call(({ lane, call, timeoutMs }) => partition.run(schedule, { lane, call, ...item }, { timeoutMs }));
    assert(reply.status !== 'stale_term', 'schedule: refused for a term it did not name');
    return reply.status === 'ok';
  }

  async #readIn(partition: Partition, name: string): Promise<Stored | Vacant> {
    const { nowMs, schedules: found } = await partition.run(schedules, { name, position: '0', count: 1 });
    return found[0] === undefined ? { nowMs } : this.#stored(partition, found[0], nowMs);
  }

  #stored(partition: Partition, text: { name: string; definition: string; cursor: string }, nowMs: number): Stored {
    const { name } = text;
    const definition = decodeDefinition(text.definition);
    if (definition === undefined) {
      throw new DuestreamError(
        'ERR_REDIS_REPLY',
        `the schedule ${name} was written by a newer version, or by something else`,
      );
    }
    const cursor =
      decodeCursor(text.cursor) ?? newCursor(definition.version, nowMs, nextNominal(definition.timing, nowMs));
    const sha1 = createHash('sha1').update(`${text.definition}\n${text.cursor}`).digest('hex');
    return { name, definition, cursor, partition, nowMs, sha1 };
  }
}
