import { DuestreamError, invalid } from '../errors.js';
import { type Instant, instantMs } from '../instant.js';
import { wholeNumber } from '../options.js';
import { newToken } from '../random.js';
import type { Partitions } from '../redis/partition.js';
import { paused, resumed } from '../schedule/change.js';
import type { Cursor } from '../schedule/cursor.js';
import { placeOf, triggeredId } from '../schedule/definition.js';
import type { Standing } from '../schedule/step.js';
import type { TaskLimits } from '../task.js';
import type { Adders } from './adders.js';
import { checkScheduleName, type ScheduledTask, type ScheduleOptions, toDefinition } from './new-schedule.js';
import type { AddResult } from './results.js';
import { type AppliedSchedule, type ApplyOptions, applySchedules, type WantedSchedule } from './schedule-apply.js';
import { decided } from './schedule-decision.js';
import {
  type ScheduleInfo,
  type ScheduleSummary,
  toScheduleInfo,
  toScheduleSummary,
  unreadable,
} from './schedule-info.js';
import { ScheduleStore, type ScheduleStoreParts, type Stored, type Vacant } from './schedule-store.js';

export interface ScheduleResult {
  readonly name: string;
  /** `older`: a higher version stands, which was left as it is. */
  readonly status: 'created' | 'changed' | 'unchanged' | 'older';
  /** The first time it has not come to yet; epoch ms, null when there is none. */
  readonly next: number | null;
}

export interface SchedulePage {
  readonly schedules: readonly ScheduleSummary[];
  /** Give it as `after` to get the next page; null at the end. */
  readonly after: string | null;
}

export interface BackfillOptions {
  readonly from: Instant;
  /** Up to but not at it. Default: now. No time that is still to come is backfilled. */
  readonly to?: Instant;
  /** At most so many a second, 1 to 10,000. Default 100. */
  readonly perSecond?: number;
  /** Also those that the schedule has fired, as far as they are not in the queue any more. Default: only those it has not. */
  readonly again?: boolean;
}

interface Parts extends ScheduleStoreParts {
  partitions: Partitions;
  adders: Adders;
  limits: TaskLimits;
  /** Asks how many partitions there are. */
  learn: () => Promise<void>;
  /** Settles how many there are, and makes the queue's name known. */
  create: () => Promise<unknown>;
}

const noteBytesMax = 1_000;

/**
 * The schedules of a queue: rules, kept in Redis, by which the leader adds a task at each of their times. Every write is safe
 * to repeat, and to make from every process at its start.
 */
export class Schedules {
  readonly #parts: Parts;
  readonly #store: ScheduleStore;
  #isCreated = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#store = new ScheduleStore(parts);
  }

  /**
   * Has a task added at each time of a rule, from now on. The same again changes nothing. A change needs a higher `version`; a
   * lower one than stands is an older process's, and changes nothing. ERR_CONFLICT: the same version with other contents
   * stands, or one whose tasks had a key of another partition.
   */
  async put(name: string, options: ScheduleOptions, task: ScheduledTask): Promise<ScheduleResult> {
    checkScheduleName(name, this.#parts.limits);
    const definition = await toDefinition(name, { options, task }, this.#parts.limits);
    if (!this.#isCreated) await this.#parts.create();
    this.#isCreated = true;
    let result: ScheduleResult | undefined;
    await this.#store.write(name, (stands) => {
      const { change, partition } = decided({ name, definition, hasVersion: true }, stands, this.#parts.partitions);
      const stored = 'partition' in stands ? stands : undefined;
      const standing = 'standing' in change ? change.standing : stored;
      result = { name, status: change.kind, next: standing?.cursor.nextMs ?? null };
      return 'standing' in change ? { partition, standing: change.standing } : undefined;
    });
    return result as ScheduleResult;
  }

  /**
   * Makes the schedules of the queue those of a file, say: creates and changes, and with `prune` deletes those that are not in
   * it. All of it is checked before anything is written; the error of a bad one says which. ERR_CONFLICT: as with `put`, or
   * somebody else changed one meanwhile; what was written before stays, and it can be called again.
   */
  async apply(wanted: Readonly<Record<string, WantedSchedule>>, options?: ApplyOptions): Promise<AppliedSchedule[]> {
    return applySchedules({ ...this.#parts, store: this.#store }, wanted, options);
  }

  /** In no order. `limit` is about how many a page has, 1 to 1,000, default 100. */
  async list({ after = '', limit = 100 }: { after?: string; limit?: number } = {}): Promise<SchedulePage> {
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
    await this.#parts.learn();
    const page = await this.#store.list({ after, limit });
    const schedules = page.items.map((one) => ('definition' in one ? toScheduleSummary(one) : unreadable(one.name)));
    return { schedules, after: page.after };
  }

  /** All there is to know of a schedule; null when there is none of that name. */
  async get(name: string): Promise<ScheduleInfo | null> {
    const found = await this.#find(name);
    return 'partition' in found ? toScheduleInfo(found) : null;
  }

  /** Fires nothing until it is resumed. What is in the queue already stays there. Pausing a paused one only changes its note. */
  async pause(name: string, { note = '' }: { note?: string } = {}): Promise<ScheduleInfo> {
    if (typeof note !== 'string' || Buffer.byteLength(note) > noteBytesMax) {
      throw invalid(`note must be text of at most ${noteBytesMax} bytes`);
    }
    return this.#edit(name, (cursor, nowMs) => paused(cursor, note, cursor.pause?.sinceMs ?? nowMs));
  }

  /** What came in the pause is caught up with by the schedule's policy. */
  async resume(name: string): Promise<ScheduleInfo> {
    return this.#edit(name, (cursor, nowMs) => (cursor.pause === null ? undefined : resumed(cursor, nowMs)));
  }

  /** Adds an occurrence of now, whatever the rule says. It is not counted, and no overlap is looked at. */
  async trigger(name: string): Promise<AddResult> {
    const found = await this.#find(name);
    if (!('partition' in found)) throw noSchedule(name);
    const { definition, nowMs } = found;
    const { record, expiresInMs } = definition;
    const id = triggeredId(name, nowMs, newToken());
    const expires = expiresInMs === null ? '' : `+${expiresInMs}`;
    const placedBy = placeOf(name, definition);
    const item = { name: toScheduleSummary(found).task, id, when: '+0', expires, record, placedBy, hasOwnId: false };
    return { id, status: await this.#parts.adders.add(item) };
  }

  /**
   * Has the leader add, at a bounded rate, the occurrences of a range that were not fired: from before there was the schedule, or
   * passed over. Each once, also when it is asked for again, unless with `again`. ERR_CONFLICT while another backfill is under way.
   */
  async backfill(name: string, { from, to, perSecond = 100, again = false }: BackfillOptions): Promise<ScheduleInfo> {
    wholeNumber(perSecond, 'perSecond', { min: 1, max: 10_000 });
    const fromMs = instantMs(from, 'from');
    const givenToMs = to === undefined ? Number.POSITIVE_INFINITY : instantMs(to, 'to');
    if (givenToMs <= fromMs) throw invalid('to must be later than from');
    return this.#edit(name, (cursor, nowMs) => {
      if (cursor.backfill !== null) throw new DuestreamError('ERR_CONFLICT', `${name} is being backfilled already`);
      const toMs = Math.min(givenToMs, nowMs, cursor.nextMs ?? nowMs);
      if (toMs <= fromMs) throw invalid('from must be in the past: what is still to come is not backfilled');
      return { ...cursor, backfill: { fromMs, nextMs: fromMs, toMs, perSecond, again, lookMs: nowMs, count: 0 } };
    });
  }

  /** Takes it away. What is in the queue already stays there. */
  async delete(name: string): Promise<{ name: string; status: 'deleted' | 'not_found' }> {
    checkScheduleName(name, this.#parts.limits);
    await this.#parts.learn();
    let status: 'deleted' | 'not_found' = 'not_found';
    await this.#store.write(name, (stands) => {
      if (!('partition' in stands)) return undefined;
      status = 'deleted';
      return { partition: stands.partition, standing: null };
    });
    return { name, status };
  }

  async #find(name: string): Promise<Stored | Vacant> {
    checkScheduleName(name, this.#parts.limits);
    await this.#parts.learn();
    return this.#store.find(name);
  }

  /** Changes how far it has come; undefined: not at all. */
  async #edit(name: string, become: (cursor: Cursor, nowMs: number) => Cursor | undefined): Promise<ScheduleInfo> {
    checkScheduleName(name, this.#parts.limits);
    await this.#parts.learn();
    let info: ScheduleInfo | undefined;
    await this.#store.write(name, (stands) => {
      if (!('partition' in stands)) throw noSchedule(name);
      const cursor = become(stands.cursor, stands.nowMs);
      const standing: Standing = { definition: stands.definition, cursor: cursor ?? stands.cursor };
      info = toScheduleInfo({ ...stands, ...standing });
      return cursor && { partition: stands.partition, standing };
    });
    return info as ScheduleInfo;
  }
}

function noSchedule(name: string): DuestreamError {
  return new DuestreamError('ERR_NO_SCHEDULE', `there is no schedule ${name}`);
}
