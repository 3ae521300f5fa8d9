import { scheduler } from 'node:timers/promises';
import { Queue, type QueueStats } from '../../index.js';
import { exitCodes, Failure, lineOf } from '../failure.js';
import { Cast } from './cast.js';
import type { Child } from './child.js';
import { commit, type FaultName } from './fault.js';
import type { Scene } from './frame.js';
import { History } from './history.js';
import { type Lateness, latenessOf } from './lateness.js';
import { Leading } from './leading.js';
import type { Plan } from './plan.js';
import type { Screen } from './screen.js';
import type { Stage } from './stage.js';
import { latenessesOf, type Report, verdict } from './verdict.js';

export interface PlayParts {
  readonly stage: Stage;
  readonly plan: Plan;
  readonly screen: Screen;
  readonly fault: FaultName | undefined;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
}

const frameMs = 200;
const latenessEveryMs = 1_000;
/** With nothing left in the queue, what a worker still has to say arrives within this. */
const quietMs = 1_500;
const queueName = 'demo';

/**
 * The play: five processes come on, tasks are added, the leading process is killed half-way, and when all tasks have
 * come to their end it is judged. Whatever goes wrong, the processes are gone when `run` ends.
 */
export class Play {
  readonly #parts: PlayParts;
  readonly #history = new History();
  readonly #leading = new Leading();
  readonly #queue: Queue;
  readonly #events: { atMs: number; text: string }[] = [];
  readonly #failed = new AbortController();
  #isOver = false;
  #hasProduced = false;
  #faultIsOpen = false;
  #startedAtMs: number | undefined;
  #quietSinceMs: number | undefined;
  /** By how much a timer here came too late, at worst: for so long the machine did not let us run. */
  #stalledMs = 0;
  #lateness: { atMs: number; figures: Lateness } = { atMs: -Infinity, figures: latenessOf([]) };

  constructor(parts: PlayParts) {
    this.#parts = parts;
    const { connection, prefix } = parts.stage;
    this.#queue = new Queue(queueName, { connection, prefix, repeatFor: '4s', commandTimeout: '4s' });
  }

  /** Undefined when it was ended before its time. Rejects when it could not be played to its end. */
  async run(): Promise<Report | undefined> {
    const { stage, plan, signal } = this.#parts;
    const { connection, prefix } = stage;
    const cast = new Cast({ connection, prefix, queue: queueName, plan }, this.#castEvents());
    try {
      const ended = AbortSignal.any([signal, this.#failed.signal]);
      await Promise.race([this.#perform(cast, ended), aborted(ended)]);
      if (signal.aborted) return undefined;
      this.#failed.signal.throwIfAborted();
    } finally {
      this.#isOver = true;
      await cast.stop(); // with what they still had to say
      await this.#queue.close();
    }
    return verdict(this.#history, this.#leading.takeOver, { lockTtlMs: plan.lockTtlMs, stalledMs: this.#stalledMs });
  }

  async #perform(cast: Cast, ended: AbortSignal): Promise<void> {
    const { stage, plan, screen, fault } = this.#parts;
    await cast.ready();
    if (ended.aborted) return;
    cast.begin();
    this.#startedAtMs = stage.clock.now().ms;
    const names = [...cast.children.map(({ name, pid }) => `${name} (pid ${pid})`), ...stage.processes];
    screen.tell({ atMs: 0, text: `on stage: ${names.join(', ')}` }); // a terminal lists them all the time
    if (fault !== undefined) void this.#commitLater(fault, ended);
    while (!ended.aborted) {
      const isComing = !this.#hasProduced || this.#faultIsOpen; // asked first: what came by then is counted
      const stats = await this.#queue.stats();
      if (!this.#leading.takeOver.killedAt && this.#elapsedMs >= plan.killAtMs) this.#killLeader(cast, stats);
      screen.show(this.#scene(cast, stats));
      if (this.#isDone(stats, isComing)) return;
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const beforeMs = this.#elapsedMs;
    await scheduler.wait(frameMs);
    this.#stalledMs = Math.max(this.#stalledMs, this.#elapsedMs - beforeMs - frameMs);
  }

  /** All is done and somebody took over; or nothing moves any more; or it has taken too long. */
  #isDone({ scheduled, due, ready, active }: QueueStats, isComing: boolean): boolean {
    const { lastDueMs, giveUpMs } = this.#parts.plan;
    const elapsedMs = this.#elapsedMs;
    if (elapsedMs >= giveUpMs) return true;
    const isLeft = scheduled + due + ready + active > 0; // one that was put back by hand, too
    if (isComing || isLeft || !this.#leading.takeOver.electedAt) {
      this.#quietSinceMs = undefined;
      return false;
    }
    if (this.#history.completed >= this.#history.added && elapsedMs >= lastDueMs) return true;
    this.#quietSinceMs ??= elapsedMs;
    return elapsedMs - this.#quietSinceMs >= quietMs;
  }

  #killLeader(cast: Cast, { leader }: QueueStats): void {
    const child = leader === null ? undefined : cast.withPid(leader.pid);
    if (child === undefined) return; // nobody leads at the moment: the next look finds somebody
    this.#leading.killedAt(this.#parts.stage.clock.now());
    child.kill();
    this.#tell(`SIGKILL to ${child.name} (pid ${child.pid}), which leads`);
  }

  async #commitLater(fault: FaultName, ended: AbortSignal): Promise<void> {
    this.#faultIsOpen = true;
    try {
      await scheduler.wait(this.#parts.plan.faultAtMs, { signal: ended });
      this.#tell(await commit(fault, this.#parts.stage, queueName));
      this.#faultIsOpen = false;
    } catch (error) {
      this.#fail(`the fault could not be made: ${lineOf(error)}`);
    }
  }

  #castEvents(): ConstructorParameters<typeof Cast>[1] {
    return {
      onFacts: (facts) => this.#history.note(facts),
      onNews: (news, child) => this.#tell(this.#leading.hear(news, child)),
      onDone: () => {
        this.#hasProduced = true;
        this.#tell(`the producer has added all ${this.#history.added} tasks`);
      },
      onTrouble: (text) => this.#tell(text),
      onFailed: (text) => this.#fail(text),
    };
  }

  #fail(text: string): void {
    this.#failed.abort(new Failure(exitCodes.failed, text));
  }

  #tell(text: string | undefined): void {
    if (text === undefined || this.#isOver) return;
    const event = { atMs: this.#elapsedMs, text };
    this.#events.push(event);
    this.#parts.screen.tell(event);
  }

  get #elapsedMs(): number {
    return this.#startedAtMs === undefined ? 0 : this.#parts.stage.clock.now().ms - this.#startedAtMs;
  }

  #scene(cast: Cast, { scheduled, due, ready, active }: QueueStats): Scene {
    const { stage, plan } = this.#parts;
    return {
      place: stage.place,
      elapsedMs: this.#elapsedMs,
      endMs: plan.endMs,
      tasks: plan.tasks,
      counts: { scheduled: scheduled + due, ready, active, completed: this.#history.completed },
      leads: this.#leading.leader?.name ?? 'nobody',
      lateness: this.#latenessNow(),
      processes: cast.children.map((child) => ({
        name: child.name,
        pid: child.pid,
        note: this.#noteOf(child),
        isGone: child.wasKilled,
      })),
      events: this.#events,
    };
  }

  #noteOf(child: Child): string {
    if (child.wasKilled) return 'killed';
    if (child.role === 'worker') return `${child.starts} handlers started`;
    if (child.role === 'producer') return this.#hasProduced ? 'has added all' : `${this.#history.added} added`;
    return child === this.#leading.leader ? 'leads' : 'stands by';
  }

  #latenessNow(): Lateness {
    const atMs = this.#elapsedMs;
    if (atMs - this.#lateness.atMs >= latenessEveryMs) {
      this.#lateness = { atMs, figures: latenessesOf(this.#history.starts(), this.#leading.takeOver).all };
    }
    return this.#lateness.figures;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
