import type { Duration } from '../duration.js';
import { DuestreamError } from '../errors.js';
import type { Instant } from '../instant.js';
import { partitionsMax } from '../layout.js';
import { type Common, wholeNumber } from '../options.js';
import type { ConnectionOption } from '../redis/connection.js';
import { Layout } from '../redis/layout.js';
import { Partitions } from '../redis/partition.js';
import { PartitionLanes } from '../redis/partition-lanes.js';
import { Reading } from '../redis/reading.js';
import { Replication } from '../redis/replication.js';
import type { Caller } from '../redis/script.js';
import { openServers, type Servers } from '../redis/servers.js';
import { checkQueueName, type TaskInfo, type TaskLimits, type TaskMap } from '../task.js';
import { Adders } from './adders.js';
import { DeadLetters } from './dead-letters.js';
import { Editor } from './editor.js';
import { FormerPlaces } from './former-places.js';
import { Inspector, type ListOptions } from './inspector.js';
import { Intake } from './intake.js';
import { Mover } from './mover.js';
import { type NewTaskOf, type PayloadArgs, type QueueOptions, resolveQueueOptions } from './queue-options.js';
import type {
  AddResult,
  CancelResult,
  LeaderInfo,
  QueueInfo,
  QueueStats,
  RescheduleResult,
  RunNowResult,
  StatsOptions,
  TaskPage,
  UpdateResult,
} from './results.js';
import type { ScheduledTaskOf, ScheduleOptions } from './new-schedule.js';
import { type ScheduleResult, Schedules } from './schedules.js';
import { askToResign, currentLeader, queueStats } from './stats.js';
import { type TaskKey, type TaskPlace, taskPlace } from './task-place.js';

/**
 * A queue as its producers and operators see it. No I/O in the constructor: it connects with the first call. Every
 * call that writes is safe to lose the reply of: it is repeated and counts once.
 *
 * Throws `DuestreamError` with a `code`: ERR_INVALID_ARGUMENT and ERR_INVALID_PAYLOAD before anything is sent,
 * ERR_REDIS_UNREACHABLE when nothing was, ERR_OUTCOME_UNKNOWN when that can't be known, ERR_REDIS_REPLY, ERR_CLOSED.
 */
export class Queue<M extends TaskMap = TaskMap> implements AsyncDisposable {
  readonly name: string;
  /** Tasks that were given up. */
  readonly dead: DeadLetters;
  /** Recurring tasks. */
  readonly schedules: Schedules;
  readonly #common: Common<ConnectionOption>;
  readonly #limits: TaskLimits;
  readonly #servers: Servers;
  readonly #layout: Layout;
  /** For what only reads. */
  readonly #readable: Partitions;
  readonly #replication: Replication | undefined;
  readonly #intake: Intake;
  readonly #inspector: Inspector;
  readonly #editor: Editor;
  #closed = false;

  constructor(name: string, options: QueueOptions = {}) {
    this.name = checkQueueName(name);
    const { common, limits, repeatForMs, durability } = resolveQueueOptions(options);
    this.#common = common;
    this.#limits = limits;
    const { clock, random, observe, prefix, commandTimeoutMs: tryMs } = this.#common;
    this.#servers = openServers(this.#common, 'queue');
    const writing = (key: string): Caller => this.#servers.callerFor(key);
    const reading = (key: string): Caller => new Reading(writing(key), { clock, random, repeatForMs, tryMs });
    const at = { queue: this.name, prefix };
    const layout = new Layout({ ...at, callerFor: reading, clock, believed: this.#common.partitions });
    const partitions = new Partitions({ ...at, layout, callerFor: writing });
    const readable = new Partitions({ ...at, layout, callerFor: reading });
    const lanes = new PartitionLanes({ clock, random, repeatForMs, tryMs, lanesMax: 16 });
    this.#layout = layout;
    this.#readable = readable;
    const replicating = { servers: this.#servers, timeoutMs: tryMs };
    this.#replication = durability === 'replicated' ? new Replication(replicating) : undefined;
    const formerPlaces = new FormerPlaces(readable);
    const adders = new Adders({ partitions, formerPlaces, lanes, clock, observe, replication: this.#replication });
    this.#inspector = new Inspector(readable);
    this.#editor = new Editor({ ...at, partitions, readable, lanes, limits, observe });
    this.#intake = new Intake({
      ...at,
      servers: this.#servers,
      layout,
      adders,
      limits,
      assertOpen: () => this.#assertOpen(),
    });
    const mover = new Mover({ partitions, formerPlaces, lanes });
    const shared = { partitions, readable, lanes, clock, limits, learn: () => this.#learnAnew() };
    this.dead = new DeadLetters({ ...shared, mover });
    this.schedules = new Schedules({ ...shared, adders, create: () => this.create() });
  }

  /**
   * Settles how many partitions this queue has: as many as the option `partitions` says, or 1. A queue that was used
   * already stays as it is. ERR_OTHER_LAYOUT when it has another number than the option says.
   */
  async create(): Promise<QueueInfo> {
    this.#assertOpen();
    await this.#layout.settle();
    await this.#intake.introduce();
    return this.#info();
  }

  /**
   * Makes the queue one of more partitions, a multiple of what it has, while it is at work. New tasks go where they belong
   * by then; those that are there stay, and are worked off where they are. Once it has returned all partitions know of it.
   * Safe to repeat. ERR_INVALID_ARGUMENT when it can't become that many, ERR_NO_QUEUE when nobody has used it yet,
   * ERR_OUTCOME_UNKNOWN when not all partitions could be told.
   */
  async grow(partitions: number): Promise<QueueInfo> {
    this.#assertOpen();
    wholeNumber(partitions, 'partitions', { min: 1, max: partitionsMax });
    await this.#layout.grow(partitions);
    return this.#info();
  }

  /** Adds one task. Calls made in the same turn of the event loop share a round trip; 48 or more share two. */
  add<N extends keyof M & string>(name: N, ...[payload, options]: PayloadArgs<M[N]>): Promise<AddResult> {
    return this.#intake.add(name, payload, options);
  }

  /**
   * Adds many, in calls of up to 250, and returns a result for each, in order. One bad item refuses the whole call
   * before any write; its message says which. ERR_OUTCOME_UNKNOWN means that some may have been added, also when Redis
   * refused the others (out of memory, say); any other error that none was. With ids of your own you can repeat the call.
   */
  async addMany(tasks: readonly NewTaskOf<M>[]): Promise<AddResult[]> {
    this.#assertOpen();
    return this.#intake.addMany(tasks);
  }

  /** All there is to know of a task, or null: never added, completed, or ended longer ago than is kept. */
  async get(id: string, where?: TaskKey): Promise<TaskInfo | null> {
    return this.#inspector.get(await this.#place(id, where));
  }

  /** Lists tasks in one state, in pages. */
  async list(options: ListOptions = {}): Promise<TaskPage> {
    await this.#learnAnew();
    return this.#inspector.list(options);
  }

  /** Ends a task in whatever state it is. A handler at work learns it from `ctx.signal`; what it settles is refused. */
  async cancel(id: string, where?: TaskKey): Promise<CancelResult> {
    return this.#editor.cancel(await this.#place(id, where));
  }

  /** Gives a waiting task another due time; one at work is refused. */
  async reschedule(id: string, when: { in: Duration } | { at: Instant }, where?: TaskKey): Promise<RescheduleResult> {
    return this.#editor.reschedule(await this.#place(id, where), when);
  }

  /** Makes a scheduled task ready at once. */
  async runNow(id: string, where?: TaskKey): Promise<RunNowResult> {
    return this.#editor.runNow(await this.#place(id, where));
  }

  /** Replaces a task's payload, from its next delivery on. */
  async update(id: string, change: { payload: unknown }, where?: TaskKey): Promise<UpdateResult> {
    return this.#editor.update(await this.#place(id, where), change);
  }

  /** Has a task added at each time of a rule: see `schedules.put`. Safe to call from every process at its start. */
  async schedule(name: string, options: ScheduleOptions, task: ScheduledTaskOf<M>): Promise<ScheduleResult> {
    return this.schedules.put(name, options, task);
  }

  async stats(options?: StatsOptions): Promise<QueueStats> {
    await this.#learn();
    return queueStats(this.name, this.#readable, options);
  }

  /** Stops handing out tasks; running handlers finish. Kept in Redis until `resume`. */
  async pause(): Promise<void> {
    await this.#setPaused(1);
  }

  async resume(): Promise<void> {
    await this.#setPaused(0);
  }

  /** Who leads this queue now, if anybody. */
  async leader(): Promise<LeaderInfo | null> {
    await this.#learn();
    return currentLeader(this.#readable.home);
  }

  /**
   * Asks the leader to resign, and waits until it has: 10 s at most, then ERR_OUTCOME_UNKNOWN.
   * Returns who that was; null when nobody led.
   */
  async resign(): Promise<LeaderInfo | null> {
    const former = await this.leader();
    if (former === null) return null;
    await askToResign(former, this.#readable.home, this.#common.clock);
    return former;
  }

  /** Waits for nothing: calls under way are rejected. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#servers.stop(), this.#replication?.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #info(): QueueInfo {
    return { queue: this.name, partitions: this.#layout.partitions, former: this.#layout.former };
  }

  async #setPaused(paused: 0 | 1): Promise<void> {
    this.#assertOpen();
    await this.#layout.settle();
    await this.#editor.setPaused(paused);
  }

  async #place(id: string, where?: TaskKey): Promise<TaskPlace> {
    this.#assertOpen();
    const place = taskPlace(id, where, this.#limits);
    await this.#learn();
    return place;
  }

  /** Makes sure that it is known how many partitions there are. */
  async #learn(): Promise<void> {
    this.#assertOpen();
    if (!this.#layout.isSettled) await this.#layout.read();
  }

  /** For what walks over all of them and asks nobody who knows better. */
  async #learnAnew(): Promise<void> {
    this.#assertOpen();
    await this.#layout.read();
  }

  #assertOpen(): void {
    if (this.#closed) throw new DuestreamError('ERR_CLOSED', `the queue "${this.name}" was closed`);
  }
}
