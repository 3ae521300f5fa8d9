import { scheduler } from 'node:timers/promises';
import { Queue } from '../../../index.js';
import { codeOf } from '../../failure.js';
import { Seeded } from '../seeded.js';
import { nowMs, wallMs } from '../history/instant.js';
import type { Role, RoleParts } from './role.js';
import { type PlannedTask, planTask } from './tasks.js';

const everyMs = 50;
const underWayMax = 100;
const repeatForMs = 8_000;

/** Adds at an even pace, one by one and in batches, and cancels some. It notes what it asks before it asks. */
export function producer(parts: RoleParts): Role {
  const { setting, writer, observe } = parts;
  const { connection, prefix, durability } = setting;
  const queue = new Queue(setting.queue, { connection, prefix, observe, durability, repeatFor: repeatForMs });
  const adding = new Adding(queue, parts);
  return {
    start: async () => {
      writer.note({ what: 'ready', role: 'producer', pid: process.pid });
      void adding.run();
    },
    bulk: (tasks) => adding.bulk(tasks),
    quiet: () => adding.quiet(),
    stop: async () => {
      await adding.quiet();
      await queue.close();
    },
  };
}

class Adding {
  readonly #queue: Queue;
  readonly #parts: RoleParts;
  readonly #draws: Seeded;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #made = 0;

  constructor(queue: Queue, parts: RoleParts) {
    this.#queue = queue;
    this.#parts = parts;
    this.#draws = new Seeded(parts.setting.seed);
  }

  async run(): Promise<void> {
    const { tasksPerSecond } = this.#parts.setting;
    const startedAtMs = nowMs();
    let owed = 0;
    while (!this.#stopped.signal.aborted) {
      const until = Math.floor(((nowMs() - startedAtMs) / 1000) * tasksPerSecond);
      const count = until - owed;
      owed = until;
      if (count > 0 && this.#underWay.size < underWayMax) this.#addSome(Math.min(count, tasksPerSecond));
      await scheduler.wait(everyMs);
    }
  }

  /** What waits for its answer has it, or has no hope of one. */
  async quiet(): Promise<void> {
    this.#stopped.abort();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  bulk(count: number): void {
    const tasks = Array.from({ length: count }, () => planTask(this.#id(), this.#draws, 'big'));
    this.#track(this.#add(tasks));
  }

  #addSome(count: number): void {
    const tasks = Array.from({ length: count }, () => planTask(this.#id(), this.#draws));
    if (this.#draws.next() < 0.7) return this.#track(this.#add(tasks));
    for (const task of tasks) this.#track(this.#add([task]));
  }

  #id(): string {
    this.#made += 1;
    return `${this.#parts.setting.name}-${this.#made}`;
  }

  #track(work: Promise<void>): void {
    const done = work.finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #add(tasks: readonly PlannedTask[]): Promise<void> {
    const { writer } = this.#parts;
    const items = tasks.map(({ id, key, payload, when, expiresInMs }) => {
      const dueMs = when?.as === 'at' ? wallMs() + when.ms : undefined;
      const inMs = when?.as === 'in' ? when.ms : undefined;
      writer.note({
        what: 'add',
        id,
        ...(key !== undefined && { key }),
        fate: payload.fate,
        ...(dueMs !== undefined && { dueMs }),
        ...(inMs !== undefined && { inMs }),
      });
      return {
        id,
        ...(key !== undefined && { key }),
        name: payload.fate,
        payload,
        ...(dueMs !== undefined && { at: dueMs }),
        ...(inMs !== undefined && { in: inMs }),
        ...(expiresInMs !== undefined && { expiresIn: expiresInMs }),
      };
    });
    try {
      for (const { id, status } of await this.#queue.addMany(items)) writer.note({ what: 'added', id, status });
    } catch (error) {
      for (const { id } of tasks) this.#noteFailure(id, codeOf(error), tasks.length === 1);
      return;
    }
    for (const task of tasks) if (task.cancelAfterMs !== undefined) this.#track(this.#cancel(task, task.cancelAfterMs));
  }

  /** Part of a batch may have been added; of a single call the error says whether it was sent. */
  #noteFailure(id: string, code: string, isSingle: boolean): void {
    const isRefused = isSingle && ['ERR_REDIS_REPLY', 'ERR_REDIS_UNREACHABLE'].includes(code);
    this.#parts.writer.note({ what: isRefused ? 'add_refused' : 'add_unknown', id, code });
  }

  /** By the key, where there is one, for half of them; else by asking all. */
  async #cancel({ id, key }: PlannedTask, afterMs: number): Promise<void> {
    const { writer } = this.#parts;
    await scheduler.wait(afterMs);
    writer.note({ what: 'cancel', id });
    try {
      const isTold = key !== undefined && afterMs % 2 === 0;
      const { status } = await this.#queue.cancel(id, isTold ? { key } : {});
      writer.note({ what: 'cancelled', id, status });
    } catch (error) {
      writer.note({ what: 'cancel_unknown', id, code: codeOf(error) });
    }
  }
}
