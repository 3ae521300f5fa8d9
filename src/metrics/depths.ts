import type { Clock } from '../clock.js';
import { type Series, seconds } from './series.js';
import { within } from './within.js';

/** What is read of a queue; `queue.stats()` gives it. */
export interface Depth {
  readonly partitions: number;
  readonly waiting: number;
  readonly paused: boolean;
  readonly scheduled: number;
  readonly due: number;
  readonly ready: number;
  readonly active: number;
  readonly dead: number;
  readonly consumers: number;
  readonly oldestDueAgeMs: number | null;
  readonly oldestReadyAgeMs: number | null;
  readonly schedules: number;
  readonly nextSchedule: number | null;
}

/** A queue whose depths are served; a `Queue` is one. */
export interface WatchedQueue {
  readonly name: string;
  stats(): Promise<Depth>;
}

interface Watched {
  readonly queue: WatchedQueue;
  asked?: Promise<Depth> | undefined;
}

const states = ['scheduled', 'due', 'ready', 'active', 'dead'] as const;

/** Less than any scrape waits: Prometheus gives 10 s unless told otherwise. */
const deadlineMs = 1_000;

/**
 * The depths of queues, read from Redis at each scrape. An outage must not fail the scrape, nor hold it up: each
 * reading has a deadline, and one that fails takes the queue's series away, for the last known depth would pass as
 * the present one; `collector_success` is 0 then. A reading still unanswered is not asked again, so scrapes during
 * an outage don't pile up calls.
 */
export class Depths {
  readonly #clock: Clock;
  readonly #gauges;
  readonly #queues = new Map<string, Watched>();
  #round: Promise<void> | undefined;

  constructor(series: Series, clock: Clock) {
    this.#clock = clock;
    this.#gauges = depthGauges(series, {
      read: () => this.#read(),
      settled: () => this.#round ?? Promise.resolve(),
    });
  }

  watch(queue: WatchedQueue): void {
    this.#queues.set(queue.name, { queue });
  }

  /** Every gauge of a scrape asks for it in the same tick, and all share one round. */
  #read(): Promise<void> {
    this.#round ??= Promise.all([...this.#queues.values()].map((each) => this.#readOne(each))).then(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #readOne(watched: Watched): Promise<void> {
    const { name } = watched.queue;
    try {
      this.#show(name, await within(ask(watched), deadlineMs, this.#clock));
      this.#gauges.success.set({ collector: 'stats', queue: name }, 1);
    } catch {
      this.#hide(name);
      this.#gauges.success.set({ collector: 'stats', queue: name }, 0);
    }
  }

  #show(queue: string, depth: Depth): void {
    const { tasks, dueAge, readyAge, consumers, paused, partitions, waiting, schedules, nextSchedule } = this.#gauges;
    for (const state of states) tasks.set({ queue, state }, depth[state]);
    dueAge.set({ queue }, seconds(depth.oldestDueAgeMs ?? 0));
    readyAge.set({ queue }, seconds(depth.oldestReadyAgeMs ?? 0));
    consumers.set({ queue }, depth.consumers);
    paused.set({ queue }, depth.paused ? 1 : 0);
    partitions.set({ queue }, depth.partitions);
    waiting.set({ queue }, depth.waiting);
    schedules.set({ queue }, depth.schedules);
    if (depth.nextSchedule === null) nextSchedule.remove({ queue });
    else nextSchedule.set({ queue }, seconds(depth.nextSchedule));
  }

  #hide(queue: string): void {
    const { tasks, success: _itself, ...ofQueues } = this.#gauges;
    for (const state of states) tasks.remove({ queue, state });
    for (const gauge of Object.values(ofQueues)) gauge.remove({ queue });
  }
}

async function ask(watched: Watched): Promise<Depth> {
  watched.asked ??= watched.queue.stats();
  try {
    return await watched.asked;
  } finally {
    watched.asked = undefined;
  }
}

/** `success` comes last: it waits for the round that the others began, and begins none. */
function depthGauges(series: Series, round: { read: () => Promise<void>; settled: () => Promise<void> }) {
  const labels = ['queue'] as const;
  const collect = round.read;
  return {
    tasks: series.gauge('queue_tasks', 'Tasks in the queue, by state.', { labels: ['queue', 'state'], collect }),
    dueAge: series.gauge('queue_oldest_due_age_seconds', 'How long the first due task waits to be promoted.', {
      labels,
      collect,
    }),
    readyAge: series.gauge('queue_oldest_ready_age_seconds', 'How long the first ready task waits for a consumer.', {
      labels,
      collect,
    }),
    consumers: series.gauge('queue_consumers', 'Consumers of the queue.', { labels, collect }),
    paused: series.gauge('queue_paused', '1 while the queue is paused.', { labels, collect }),
    partitions: series.gauge('queue_partitions', 'Partitions of the queue.', { labels, collect }),
    waiting: series.gauge('queue_partitions_waiting', 'Partitions that are new since the queue grew and wait.', {
      labels,
      collect,
    }),
    schedules: series.gauge('queue_schedules', 'Schedules of the queue.', { labels, collect }),
    nextSchedule: series.gauge(
      'schedule_next_timestamp_seconds',
      'When the first of the schedules has its next time.',
      {
        labels,
        collect,
      },
    ),
    success: series.gauge('collector_success', '0 when what is read at a scrape could not be read.', {
      labels: ['collector', 'queue'],
      collect: round.settled,
    }),
  };
}
