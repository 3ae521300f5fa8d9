import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Depth, WatchedQueue } from '../../src/metrics/depths.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { VirtualClock } from '../support/virtual-clock.js';

const depth: Depth = {
  partitions: 8,
  waiting: 4,
  paused: true,
  scheduled: 5,
  due: 4,
  ready: 3,
  active: 2,
  dead: 1,
  consumers: 6,
  oldestDueAgeMs: 1_500,
  oldestReadyAgeMs: null,
  schedules: 7,
  nextSchedule: 1_800_000_000_500,
};

/** A queue whose answers the test gives, one by one. */
class SlowQueue implements WatchedQueue {
  readonly name: string;
  asked = 0;
  answer: (depth: Depth) => void = () => undefined;

  constructor(name: string) {
    this.name = name;
  }

  stats(): Promise<Depth> {
    this.asked += 1;
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }
}

function watching(...queues: WatchedQueue[]): { metrics: Metrics; clock: VirtualClock } {
  const clock = new VirtualClock();
  const metrics = new Metrics({ defaultMetrics: false, clock });
  for (const queue of queues) metrics.watch(queue);
  return { metrics, clock };
}

test('the depths of a watched queue are read at the scrape', async () => {
  const { metrics, clock } = watching({ name: 'mail', stats: () => Promise.resolve(depth) });
  const text = await metrics.text();
  for (const line of [
    'queue_tasks{queue="mail",state="scheduled"} 5',
    'queue_tasks{queue="mail",state="due"} 4',
    'queue_tasks{queue="mail",state="ready"} 3',
    'queue_tasks{queue="mail",state="active"} 2',
    'queue_tasks{queue="mail",state="dead"} 1',
    'queue_oldest_due_age_seconds{queue="mail"} 1.5',
    'queue_oldest_ready_age_seconds{queue="mail"} 0',
    'queue_consumers{queue="mail"} 6',
    'queue_paused{queue="mail"} 1',
    'queue_schedules{queue="mail"} 7',
    'schedule_next_timestamp_seconds{queue="mail"} 1800000000.5',
    'collector_success{collector="stats",queue="mail"} 1',
    'collector_success{collector="registry"} 1',
  ])
    expect(text).toContain(`duestream_${line}\n`);
  expect(clock.pending).toBe(0);
});

test('one scrape asks a queue once, for all of its gauges', async () => {
  const queue = new SlowQueue('mail');
  const { metrics, clock } = watching(queue);
  const text = metrics.text();
  await clock.settle();
  expect(queue.asked).toBe(1);
  queue.answer(depth);
  expect(await text).toContain('duestream_queue_consumers{queue="mail"} 6');
  expect(queue.asked).toBe(1);
});

test('a Redis that does not answer holds the scrape up for a second, and takes the old depths away', async () => {
  const queue = new SlowQueue('mail');
  const { metrics, clock } = watching(queue, { name: 'web', stats: () => Promise.resolve(depth) });
  const before = metrics.text();
  await clock.settle();
  queue.answer(depth);
  expect(await before).toContain('duestream_queue_tasks{queue="mail"');

  const during = metrics.text();
  await clock.advance(1_000);
  const text = await during;
  expect(text).toContain('duestream_collector_success{collector="stats",queue="mail"} 0');
  expect(text).toContain('duestream_collector_success{collector="stats",queue="web"} 1');
  expect(text).not.toContain('duestream_queue_tasks{queue="mail"');
  expect(text).not.toContain('duestream_queue_paused{queue="mail"');
  expect(text).toContain('duestream_queue_tasks{queue="web",state="ready"} 3');
});

test('scrapes during an outage do not pile up calls, and the depths come back with the answer', async () => {
  const queue = new SlowQueue('mail');
  const { metrics, clock } = watching(queue);
  for (let scrape = 0; scrape < 3; scrape += 1) {
    const text = metrics.text();
    await clock.advance(1_000);
    expect(await text).toContain('duestream_collector_success{collector="stats",queue="mail"} 0');
  }
  expect(queue.asked).toBe(1);
  const text = metrics.text();
  await clock.settle();
  queue.answer(depth);
  expect(await text).toContain('duestream_collector_success{collector="stats",queue="mail"} 1');
});

test.each<[string, () => Promise<Depth>]>([
  ['rejects', () => Promise.reject(new Error('ECONNREFUSED'))],
  [
    'throws',
    () => {
      throw new Error('closed');
    },
  ],
])('a queue that %s at the scrape fails only its own depths', async (_how, stats) => {
  const registry = new Registry();
  const metrics = new Metrics({ registry });
  metrics.watch({ name: 'mail', stats });
  for (const text of [await metrics.text(), await registry.metrics()]) {
    expect(text).toContain('duestream_collector_success{collector="stats",queue="mail"} 0');
    expect(text).toContain('duestream_redis_up 0');
  }
});

test('somebody else’s metric that fails or hangs is left out, and told of', async () => {
  const [registry, clock] = [new Registry(), new VirtualClock()];
  const metrics = new Metrics({ registry, clock });
  const gauge = (name: string, collect: () => Promise<void>): Gauge =>
    new Gauge({ name, help: 'a metric of the program around', registers: [registry], collect });
  gauge('app_broken', () => Promise.reject(new Error('no')));
  gauge('app_stuck', () => new Promise(() => undefined));
  gauge('app_fine', () => Promise.resolve());
  const scraped = metrics.text();
  await clock.advance(2_000);
  const text = await scraped;
  expect(text).toContain('app_fine 0');
  expect(text).toContain('duestream_redis_up 0');
  expect(text).toContain('duestream_collector_success{collector="registry"} 0');
  expect(text).not.toMatch(/app_broken|app_stuck/);
});
