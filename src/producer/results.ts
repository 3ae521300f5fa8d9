import { DuestreamError } from '../errors.js';
import type { TaskFailure, TaskInfo } from '../task.js';
import type { AddStatus } from './adder.js';

/** A part of an `addMany` was added; of the others that is not known, or Redis refused them. */
export class AddManyError extends DuestreamError {
  override readonly name = 'AddManyError';
  /** In order, a result for each task that is in the queue; null for the others. */
  readonly results: readonly (AddResult | null)[];

  constructor(message: string, { results, cause }: { results: readonly (AddResult | null)[]; cause: unknown }) {
    super('ERR_OUTCOME_UNKNOWN', message, { cause });
    this.results = results;
  }
}

export interface AddResult {
  readonly id: string;
  /** `duplicate`: a task with that id lives in this queue; it was left as it is. */
  readonly status: AddStatus;
}

/** That id has no task here, and none that ended is kept under it. */
export interface NotFound {
  readonly id: string;
  readonly status: 'not_found';
}

/** Too late: that id's task has ended, and how. */
export interface AlreadySettled {
  readonly id: string;
  readonly status: 'settled';
  readonly state: 'dead' | 'cancelled' | 'expired';
}

export type Waiting = 'scheduled' | 'ready' | 'active';

/** A handler that is at work goes on until it heeds `ctx.signal`; what it settles is refused. */
export type CancelResult = { id: string; status: 'cancelled'; was: Waiting } | NotFound | AlreadySettled;

export type RescheduleResult =
  | { id: string; status: 'rescheduled'; due: number }
  | { id: string; status: 'active' }
  | NotFound
  | AlreadySettled;

export type RunNowResult =
  | { id: string; status: 'ready'; was: Waiting }
  | { id: string; status: 'paused' }
  /** Its partition is new since the queue grew, and hands out nothing yet: what was due before goes first. */
  | { id: string; status: 'waiting' }
  | NotFound
  | AlreadySettled;

export type UpdateResult = { id: string; status: 'updated' } | NotFound;

export interface TaskPage {
  readonly tasks: readonly TaskInfo[];
  /** Give it as `after` to get the next page; null at the end. */
  readonly after: string | null;
}

/** A task that is given up: it failed for the last time, was rejected, or its lease was lost too often. */
export interface DeadLetter {
  /** Letters have numbers of their own: an id may die more than once. With several partitions, that of its partition is in front. */
  readonly number: string;
  readonly id: string;
  /** The task's key, where it was added with one. */
  readonly key?: string;
  readonly name: string;
  readonly payload: unknown;
  /** `max_attempts`, `rejected`, `max_deliveries`, `bad_record`. */
  readonly reason: string;
  readonly attempts: number;
  readonly errors: readonly TaskFailure[];
  /** Epoch ms. */
  readonly at: number;
}

export type ReplayResult =
  | { status: 'replayed'; id: string; number: string }
  /** A task with that id lives anew; the letter stays. */
  | { status: 'conflict'; id: string; number: string }
  | { status: 'not_found' };

export interface QueueInfo {
  readonly queue: string;
  readonly partitions: number;
  /** How many it had before it grew, the newest first, while there are tasks of then where they belong no more. */
  readonly former: readonly number[];
}

export interface LeaderInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly term: number;
  /** Epoch ms. */
  readonly since: number;
}

export interface StatsOptions {
  /** The figures of each partition, too. Default: false. */
  readonly byPartition?: boolean;
}

/** The tasks and consumers of one partition, in the words of `QueueStats`. */
export interface PartitionStats {
  /** Its number, from 0. */
  readonly partition: number;
  readonly paused: boolean;
  /** New since the queue grew, it hands out nothing yet. */
  readonly waiting: boolean;
  readonly scheduled: number;
  readonly due: number;
  readonly ready: number;
  readonly active: number;
  readonly dead: number;
  readonly consumers: number;
}

export interface QueueStats {
  readonly queue: string;
  readonly partitions: number;
  /** How many it had before it grew, the newest first, while there are tasks of then where they belong no more. */
  readonly former: readonly number[];
  /** How many partitions, new since it grew, hand out nothing yet: what was due before goes first. */
  readonly waiting: number;
  /** As a whole or in part. */
  readonly paused: boolean;
  /** A pause, or a resume, has not reached all partitions: repeat it. */
  readonly partlyPaused: boolean;
  /** Not yet due. */
  readonly scheduled: number;
  /** Due, and not yet promoted. */
  readonly due: number;
  readonly ready: number;
  readonly active: number;
  /** Dead letters. */
  readonly dead: number;
  /** Readers: a worker has one in each partition. */
  readonly consumers: number;
  readonly leader: LeaderInfo | null;
  /** Cancelled and expired tasks that are still listed. */
  readonly ended: number;
  /** Records that are neither scheduled nor in the stream, as after a deleted stream: the leader puts them back. */
  readonly unplaced: number;
  readonly oldestDueAgeMs: number | null;
  readonly oldestReadyAgeMs: number | null;
  /** How many schedules it has. */
  readonly schedules: number;
  /** When the next of them wants to be looked at, mostly its next time; epoch ms, null when none does. */
  readonly nextSchedule: number | null;
  /** After an outage what was in flight is left to its owners for one lease. */
  readonly recoveryOnHold: boolean;
  /** What happened since the queue was made: added, complete, retry, bury, expired, cancelled, recovered, swept … */
  readonly counts: Readonly<Record<string, number>>;
  /** Where it was asked for: of each partition, in their order. */
  readonly byPartition?: readonly PartitionStats[];
}
