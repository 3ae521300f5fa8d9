import { DuestreamError, invalid } from '../errors.js';
import { checkOptions, wholeNumber } from '../options.js';
import { newToken } from '../random.js';
import type { Partitions } from '../redis/partition.js';
import { ended } from '../schedule/backfill.js';
import { paused, resumed } from '../schedule/change.js';
import type { Cursor } from '../schedule/cursor.js';
import { placeOf, triggeredId } from '../schedule/definition.js';
import type { Standing } from '../schedule/step.js';
import type { TaskLimits } from '../task.js';
import type { Adders } from './adders.js';
import { checkScheduleName, type ScheduledTask, type ScheduleOptions, toDefinition } from './new-schedule.js';
import type { AddResult } from './results.js';
import { type AppliedSchedule, type ApplyOptions, applySchedules, type WantedSchedule } from './schedule-apply.js';
import { type BackfillOptions, type BackfillPreview, backfillOf, countBackfill } from './schedule-backfill.js';
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
   * lower one than stands is an older process's, and changes nothing. One whose times are all past is taken too, and fires
   * nothing: `next` is null. ERR_CONFLICT: the same version with other contents stands, or one whose tasks had a key of another
   * partition.
   */
  async put(name: string, options: ScheduleOptions, task: ScheduledTask): Promise<ScheduleResult> {
    checkScheduleName(name, this.#parts.limits);
    const definition = await toDefinition(name, { options, task }, this.#parts.limits);
    if (!this.#isCreated) await this.#parts.create();
    this.#isCreated = true;
    let result: ScheduleResult | undefined;
    const written = await this.#store.write(name, (stands) => {
      const { change, partition } = decided({ name, definition, hasVersion: true }, stands, this.#parts.partitions);
      const stored = 'partition' in stands ? stands : undefined;
      const standing = 'standing' in change ? change.standing : stored;
      result = { name, status: change.kind, next: standing?.cursor.nextMs ?? null };
      return 'standing' in change ? { partition, standing: change.standing } : undefined;
    });
    return { ...(result as ScheduleResult), ...(written && { next: written.cursor.nextMs }) };
  }

  /**
   * Makes the schedules of the queue those of a file, say: creates and changes, and with `prune` deletes those that are not in
   * it. All of it is checked before anything is written: the error has a line for each that is refused, and its cause is an
   * AggregateError of theirs where there are several. ERR_CONFLICT: as with `put`, or somebody else changed one meanwhile; what
   * was written before stays, and it can be called again.
   */
  async apply(wanted: Readonly<Record<string, WantedSchedule>>, options?: ApplyOptions): Promise<AppliedSchedule[]> {
    return applySchedules({ ...this.#parts, store: this.#store }, wanted, options);
  }

  /** In no order. `limit` is about how many a page has, 1 to 1,000, default 100. */
  async list(options: { after?: string; limit?: number } = {}): Promise<SchedulePage> {
    checkOptions(options, ['after', 'limit']);
    const { after = '', limit = 100 } = options;
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

  /**
   * Fires nothing until it is resumed. What is in the queue already stays there. `note` says why: at most 1,000 bytes, default
   * none. Pausing a paused one only changes its note, if one is given; an empty one takes it away.
   */
  async pause(name: string, options: { note?: string | undefined } = {}): Promise<ScheduleInfo> {
    checkOptions(options, ['note']);
    const { note } = options;
    if (note !== undefined && (typeof note !== 'string' || Buffer.byteLength(note) > noteBytesMax)) {
      throw invalid(`note must be text of at most ${noteBytesMax} bytes`);
    }
    return this.#edit(name, (cursor, nowMs) => {
      const { sinceMs, note: former } = cursor.pause ?? { sinceMs: nowMs, note: '' };
      if (cursor.pause !== null && (note ?? former) === former) return undefined;
      return paused(cursor, note ?? former, sinceMs);
    });
  }

  /** What came in the pause is caught up with by the schedule's policy. One that is not paused stays as it is. */
  async resume(name: string): Promise<ScheduleInfo> {
    return this.#edit(name, (cursor, nowMs) => (cursor.pause === null ? undefined : resumed(cursor, nowMs)));
  }

  /** Adds an occurrence of now, whatever the rule says. It is not counted, and no overlap is looked at. */
  async trigger(name: string): Promise<AddResult> {
    const found = await this.#standing(name);
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
  async backfill(name: string, options: BackfillOptions): Promise<ScheduleInfo> {
    const wanted = backfillOf(name, options);
    return this.#edit(name, (cursor, nowMs) => ({ ...cursor, backfill: wanted(cursor, nowMs) }));
  }

  /** How many occurrences such a backfill would add now, up to 100,000. Writes nothing; throws what `backfill` would. */
  async previewBackfill(name: string, options: BackfillOptions): Promise<BackfillPreview> {
    const wanted = backfillOf(name, options);
    const found = await this.#standing(name);
    return countBackfill(found, wanted(found.cursor, found.nowMs), this.#parts.clock);
  }

  /**
   * Ends the backfill that is under way, if there is one. What it has added stays, and the range up to where it has come counts
   * as filled; `lastBackfill` tells how far that is. A later backfill of all the range adds what is left.
   */
  async stopBackfill(name: string): Promise<ScheduleInfo> {
    return this.#edit(name, (cursor) => (cursor.backfill === null ? undefined : ended(cursor, cursor.backfill)));
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

  async #standing(name: string): Promise<Stored> {
    const found = await this.#find(name);
    if (!('partition' in found)) throw this.#noSchedule(name);
    return found;
  }

  /** Changes how far it has come; undefined: not at all. */
  async #edit(name: string, become: (cursor: Cursor, nowMs: number) => Cursor | undefined): Promise<ScheduleInfo> {
    checkScheduleName(name, this.#parts.limits);
    await this.#parts.learn();
    let info: ScheduleInfo | undefined;
    await this.#store.write(name, (stands) => {
      if (!('partition' in stands)) throw this.#noSchedule(name);
      const cursor = become(stands.cursor, stands.nowMs);
      const standing: Standing = { definition: stands.definition, cursor: cursor ?? stands.cursor };
      info = toScheduleInfo({ ...stands, ...standing });
      return cursor && { partition: stands.partition, standing };
    });
    return info as ScheduleInfo;
  }

  #noSchedule(name: string): DuestreamError {
    const { queue } = this.#parts.partitions.home;
    return new DuestreamError(
      'ERR_NO_SCHEDULE',
      `queue ${queue} has no schedule ${name}; see duestream schedule list ${queue}`,
    );
  }
}
