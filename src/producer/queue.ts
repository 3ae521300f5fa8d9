import { type Duration, durationMs } from '../duration.js';
import { DuestreamError, invalid } from '../errors.js';
import type { Instant } from '../instant.js';
import { type Common, type CommonOptions, resolveCommon, wholeNumber } from '../options.js';
import { type ConnectionOption, defaultConnection } from '../redis/connection.js';
import { Lanes } from '../redis/lanes.js';
import { Partitions } from '../redis/partition.js';
import { Reading } from '../redis/reading.js';
import type { Caller } from '../redis/script.js';
import { introduce, openServers, type Servers } from '../redis/servers.js';
import { checkQueueName, checkText, defaultLimits, type TaskInfo, type TaskLimits, type TaskMap } from '../task.js';
import type { AddStatus } from './adder.js';
import { Adders } from './adders.js';
import { DeadLetters } from './dead-letters.js';
import { Editor } from './editor.js';
import { Inspector, type ListOptions } from './inspector.js';
import { type NewTask, newTask, type TaskOptions, toItem } from './new-task.js';
import type {
  AddResult,
  CancelResult,
  LeaderInfo,
  QueueStats,
  RescheduleResult,
  RunNowResult,
  TaskPage,
  UpdateResult,
} from './results.js';
import { currentLeader, queueStats } from './stats.js';

export interface QueueOptions extends CommonOptions<ConnectionOption> {
  /** Payload 1 MiB, id 256 bytes, name 128 bytes, unless told otherwise. */
  readonly limits?: Partial<TaskLimits>;
  /** How long a call is repeated while Redis is away or its reply is lost. Default 10s; up to 10m. */
  readonly repeatFor?: Duration;
}

type NewTaskOf<M extends TaskMap> = { [N in keyof M & string]: NewTask<N, M[N]> }[keyof M & string];

/** The payload may be left out where its type allows null, undefined or anything. */
type PayloadArgs<P> = unknown extends P
  ? [payload?: P, options?: TaskOptions]
  : null extends P
    ? [payload?: P, options?: TaskOptions]
    : [payload: P, options?: TaskOptions];

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
  readonly #common: Common<ConnectionOption>;
  readonly #limits: TaskLimits;
  readonly #servers: Servers;
  readonly #partitions: Partitions;
  /** The same, for what only reads. */
  readonly #readable: Partitions;
  readonly #adders: Adders;
  readonly #inspector: Inspector;
  readonly #editor: Editor;
  #isIntroduced = false;
  #closed = false;

  constructor(name: string, options: QueueOptions = {}) {
    this.name = checkQueueName(name);
    this.#common = resolveCommon(options, defaultConnection, ['limits', 'repeatFor']);
    this.#limits = resolveLimits(options.limits);
    const repeatForMs = durationMs(options.repeatFor ?? 10_000, 'repeatFor', { max: 600_000 });
    const { clock, random, observe, prefix, commandTimeoutMs: tryMs } = this.#common;
    this.#servers = openServers(this.#common, 'queue');
    const callerFor = (key: string): Caller => this.#servers.callerFor(key);
    this.#partitions = new Partitions({ queue: this.name, prefix, callerFor });
    const lanes = new Lanes({ clock, random, repeatForMs, tryMs, lanesMax: 16 });
    this.#adders = new Adders({ partitions: this.#partitions, lanes, clock, observe });
    const reading = (key: string): Caller => new Reading(callerFor(key), { clock, random, repeatForMs });
    this.#readable = new Partitions({ queue: name, prefix, callerFor: reading });
    this.#inspector = new Inspector(this.#readable);
    this.#editor = new Editor({ queue: name, partitions: this.#partitions, lanes, limits: this.#limits, observe });
    this.dead = new DeadLetters({ partitions: this.#partitions, readable: this.#readable, lanes });
  }

  /** Adds one task. Calls made in the same turn of the event loop share a round trip. */
  async add<N extends keyof M & string>(name: N, ...[payload, options]: PayloadArgs<M[N]>): Promise<AddResult> {
    this.#assertOpen();
    const item = toItem(newTask(name, payload, options), this.#limits);
    this.#introduce();
    return { id: item.id, status: await this.#adders.add(item) };
  }

  /**
   * Adds many, in calls of up to 250, and returns a result for each, in order. One bad item refuses the whole call
   * before any write; its message says which. ERR_OUTCOME_UNKNOWN means that some may have been added, also when Redis
   * refused the others (out of memory, say); any other error that none was. With ids of your own you can repeat the call.
   */
  async addMany(tasks: readonly NewTaskOf<M>[]): Promise<AddResult[]> {
    if (!Array.isArray(tasks)) throw invalid('addMany takes an array of tasks');
    return this.#addAll(tasks as readonly NewTask[]);
  }

  /** All there is to know of a task, or null: never added, completed, or ended longer ago than is kept. */
  async get(id: string): Promise<TaskInfo | null> {
    this.#check(id);
    return this.#inspector.get(id);
  }

  /** Lists tasks in one state, in pages. */
  async list(options: ListOptions = {}): Promise<TaskPage> {
    this.#assertOpen();
    return this.#inspector.list(options);
  }

  /** Ends a task in whatever state it is. A handler at work learns it from `ctx.signal`; what it settles is refused. */
  async cancel(id: string): Promise<CancelResult> {
    this.#check(id);
    return this.#editor.cancel(id);
  }

  /** Gives a waiting task another due time; one at work is refused. */
  async reschedule(id: string, when: { in: Duration } | { at: Instant }): Promise<RescheduleResult> {
    this.#check(id);
    return this.#editor.reschedule(id, when);
  }

  /** Makes a scheduled task ready at once. */
  async runNow(id: string): Promise<RunNowResult> {
    this.#check(id);
    return this.#editor.runNow(id);
  }

  /** Replaces a task's payload, from its next delivery on. */
  async update(id: string, change: { payload: unknown }): Promise<UpdateResult> {
    this.#check(id);
    return this.#editor.update(id, change);
  }

  async stats(): Promise<QueueStats> {
    this.#assertOpen();
    return queueStats(this.name, this.#readable);
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
    this.#assertOpen();
    return currentLeader(this.#readable.home);
  }

  /**
   * Asks the leader to resign, and waits until it has: 10 s at most, then ERR_OUTCOME_UNKNOWN.
   * Returns who that was; null when nobody led.
   */
  async resign(): Promise<LeaderInfo | null> {
    const former = await this.leader();
    if (former === null) return null;
    const { clock } = this.#common;
    const { caller, keys } = this.#partitions.home;
    const endMs = clock.monotonicMs() + 10_000;
    while (clock.monotonicMs() < endMs) {
      await caller.send(['PUBLISH', keys.wake, `resign ${former.term}`]); // again and again: a message can be missed
      await clock.sleep(50);
      if ((await this.leader())?.term !== former.term) return former;
    }
    throw new DuestreamError(
      'ERR_OUTCOME_UNKNOWN',
      `the leader ${former.id} was asked to resign and still leads after 10s`,
    );
  }

  /** Waits for nothing: calls under way are rejected. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#servers.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #addAll(tasks: readonly NewTask[]): Promise<AddResult[]> {
    this.#assertOpen();
    const items = tasks.map((task, at) => {
      try {
        return toItem(task, this.#limits);
      } catch (error) {
        if (tasks.length > 1 && error instanceof DuestreamError) {
          throw new DuestreamError(error.code, `task ${at + 1} of ${tasks.length}: ${error.message}`, { cause: error });
        }
        throw error;
      }
    });
    this.#introduce();
    const statuses = await this.#adders.addAll(items);
    return items.map(({ id }, at) => ({ id, status: statuses[at] as AddStatus }));
  }

  /** Makes the queue's name known, with the first task; a failure is no reason not to add, but one to try again. */
  #introduce(): void {
    if (this.#isIntroduced) return;
    this.#isIntroduced = true;
    void introduce(this.#servers, this.#common.prefix, this.name).then((done) => {
      this.#isIntroduced = done;
    });
  }

  async #setPaused(paused: 0 | 1): Promise<void> {
    this.#assertOpen();
    await this.#editor.setPaused(paused);
  }

  #assertOpen(): void {
    if (this.#closed) throw new DuestreamError('ERR_CLOSED', `the queue "${this.name}" was closed`);
  }

  #check(id: string): void {
    this.#assertOpen();
    checkText(id, 'id', this.#limits.idBytesMax);
  }
}

function resolveLimits(limits: Partial<TaskLimits> = {}): TaskLimits {
  const resolved = { ...defaultLimits, ...limits };
  const unknown = Object.keys(resolved).find((name) => !(name in defaultLimits));
  if (unknown !== undefined)
    throw invalid(`unknown limit "${unknown}": expected ${Object.keys(defaultLimits).join(', ')}`);
  wholeNumber(resolved.payloadBytesMax, 'limits.payloadBytesMax', { min: 1, max: 256 * 1024 * 1024 });
  wholeNumber(resolved.idBytesMax, 'limits.idBytesMax', { min: 1, max: 4096 });
  wholeNumber(resolved.nameBytesMax, 'limits.nameBytesMax', { min: 1, max: 1024 });
  return resolved;
}
