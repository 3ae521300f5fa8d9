import { Queue, type QueueOptions } from '../../index.js';
import type { HistoryWriter } from './history/writer.js';
import { occurrenceName, occurrencePayload } from './roles/tasks.js';

export interface RecurringParts {
  readonly queue: string;
  readonly connection: NonNullable<QueueOptions['connection']>;
  readonly prefix: string;
  readonly partitions: number;
  readonly writer: HistoryWriter;
}

/** Nothing that a schedule misses may be left out. */
const catchUp = { all: 100_000 };
const everyMs = 1_000;
/** Of each kind: where their names lead is several partitions, when there are several. */
const kindsMax = 4;

/**
 * The schedules of a campaign: of a distance and of a pattern, each a second long, so that their times need no more to be
 * known than that. What it notes is what the checker holds their occurrences against.
 */
export class Recurring {
  readonly #queue: Queue;
  readonly #writer: HistoryWriter;
  readonly #names: readonly string[];

  constructor({ queue, connection, prefix, partitions, writer }: RecurringParts) {
    this.#queue = new Queue(queue, { connection, prefix });
    this.#writer = writer;
    const count = Math.min(partitions, kindsMax);
    this.#names = Array.from({ length: count }, (_, at) => [`every-${at + 1}`, `cron-${at + 1}`]).flat();
  }

  async create(): Promise<void> {
    await this.#each(async (name) => {
      const isPattern = name.startsWith('cron');
      const rule = isPattern ? { cron: '* * * * * *' } : { every: everyMs };
      const task = { name: occurrenceName, payload: occurrencePayload(name, isPattern ? 'flaky' : 'work') };
      const { next } = await this.#queue.schedule(name, { ...rule, catchUp }, task);
      this.#writer.note({ what: 'schedule', schedule: name, phase: 'created', everyMs, fromMs: next ?? 0 });
    });
  }

  /** As far as it can be done with whatever else is broken. */
  async pause(): Promise<void> {
    await this.#each(async (name) => {
      const nextMs = await this.#pause(name).then(
        ({ nextMs }) => nextMs,
        () => undefined,
      );
      if (nextMs !== undefined) this.#writer.note({ what: 'schedule', schedule: name, phase: 'paused', nextMs });
    });
  }

  async resume(): Promise<void> {
    await this.#each(async (name) => {
      this.#writer.note({ what: 'schedule', schedule: name, phase: 'resuming' });
      await this.#queue.schedules.resume(name);
    });
  }

  /** Takes them away, and notes up to where they have come. */
  async end(): Promise<void> {
    await this.#each(async (name) => {
      const { nextMs, sinceMs } = await this.#pause(name);
      this.#writer.note({ what: 'schedule', schedule: name, phase: 'ended', nextMs, sinceMs });
      await this.#queue.schedules.delete(name);
    });
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  /** Where nobody led for a while the first that it has not fired has passed already. */
  async #pause(name: string): Promise<{ nextMs: number; sinceMs: number }> {
    const { fired, upcoming, paused } = await this.#queue.schedules.pause(name);
    const [lastMs] = fired;
    const nextMs = lastMs === undefined ? upcoming[0] : lastMs + everyMs;
    return { nextMs: nextMs ?? 0, sinceMs: paused?.since ?? 0 };
  }

  async #each(act: (name: string) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#names.map(act));
  }
}
