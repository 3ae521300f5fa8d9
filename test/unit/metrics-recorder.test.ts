import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Observation } from '../../src/events.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { VirtualClock } from '../support/virtual-clock.js';

const queue = 'mail';
const [name, id, connection, worker] = ['welcome', 'x1', 'commands', 'w1'];

/** The lines of the scrape that start so, without the prefix. */
async function lines(metrics: Metrics, start: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').flatMap((line) => (line.startsWith(`duestream_${start}`) ? [line.slice(10)] : []));
}

async function after(...seen: Observation[]): Promise<Metrics> {
  const metrics = new Metrics({ defaultMetrics: false });
  for (const each of seen) metrics.observe(each);
  return metrics;
}

test.each<[Observation, ...string[]]>([
  [
    { type: 'added', queue, name, status: 'ready', count: 3 },
    'tasks_added_total{queue="mail",name="welcome",status="ready"} 3',
    'tasks_added_total{queue="mail",name="welcome",status="duplicate"} 0',
  ],
  [
    { type: 'seat', queue, event: 'elected', leading: true, term: 1_800_000_000_000_001 },
    'leader_elected{queue="mail"} 1',
    'leader_term{queue="mail"} 1800000000000001',
    'leader_transitions_total{queue="mail",event="elected"} 1',
    'leader_transitions_total{queue="mail",event="lost"} 0',
  ],
  [
    { type: 'promoted', queue, count: 5, dropped: 2, lagMs: 4, durationMs: 7, withoutLeader: false },
    'tasks_promoted_total{queue="mail"} 5',
    'due_members_dropped_total{queue="mail"} 2',
    'promotion_lag_seconds_bucket{le="0.003",queue="mail"} 0',
    'promotion_lag_seconds_bucket{le="0.005",queue="mail"} 1',
    'promotion_duration_seconds_sum{queue="mail"} 0.007',
    'promotions_without_leader_total{queue="mail"} 0',
  ],
  [
    { type: 'promoted', queue, count: 1, dropped: 0, lagMs: 6_001, durationMs: 1, withoutLeader: true },
    'promotions_without_leader_total{queue="mail"} 1',
  ],
  [
    { type: 'promoted', queue, count: 0, dropped: 0, lagMs: 0, durationMs: 1, withoutLeader: true },
    'promotions_without_leader_total{queue="mail"} 0',
    'promotion_lag_seconds_count{queue="mail"} 0',
    'promotion_duration_seconds_count{queue="mail"} 1',
  ],
  [
    { type: 'stale_write_refused', queue, op: 'sweep' },
    'stale_writes_refused_total{queue="mail",op="sweep"} 1',
    'stale_writes_refused_total{queue="mail",op="promote"} 0',
  ],
  [{ type: 'swept', queue, count: 4 }, 'swept_total{queue="mail"} 4'],
  [{ type: 'stale_entries', queue, count: 2 }, 'stale_entries_total{queue="mail"} 2'],
  [
    { type: 'started', queue, name, delayMs: 1.2 },
    'task_start_delay_seconds_bucket{le="0.001",queue="mail"} 0',
    'task_start_delay_seconds_bucket{le="0.0015",queue="mail"} 1',
  ],
  [{ type: 'started', queue, name, delayMs: -1 }, 'task_start_delay_seconds_sum{queue="mail"} 0'],
  [
    { type: 'settled', queue, name, outcome: 'completed', durationMs: 20 },
    'tasks_settled_total{queue="mail",name="welcome",outcome="completed"} 1',
    'tasks_settled_total{queue="mail",name="welcome",outcome="dead"} 0',
    'task_duration_seconds_sum{queue="mail",name="welcome"} 0.02',
  ],
  [
    { type: 'settled', queue, name, outcome: 'expired' },
    'tasks_settled_total{queue="mail",name="welcome",outcome="expired"} 1',
    'task_duration_seconds_count{queue="mail",name="welcome"} 0',
  ],
  [{ type: 'recovered', queue, name, id, attempt: 1, delivery: 2 }, 'deliveries_recovered_total{queue="mail"} 1'],
  [{ type: 'lease_lost', queue, name, id }, 'lease_lost_total{queue="mail"} 1'],
  [{ type: 'settle_failed', queue, name, id }, 'settle_failures_total{queue="mail"} 1'],
  [
    { type: 'in_flight', queue, worker, inFlight: 3, concurrency: 10 },
    'worker_tasks_in_flight{queue="mail"} 3',
    'worker_concurrency{queue="mail"} 10',
  ],
  [{ type: 'recovery_on_hold', queue, onHold: true }, 'recovery_on_hold{queue="mail"} 1'],
  [{ type: 'redis_up', connection, up: true }, 'redis_up 1'],
  [{ type: 'redis_reconnected', connection }, 'redis_reconnects_total 1'],
  [
    { type: 'redis_error', connection, kind: 'timeout' },
    'redis_errors_total{kind="timeout"} 1',
    'redis_errors_total{kind="connect"} 0',
  ],
  [
    { type: 'redis_command', op: 'settle', durationMs: 2 },
    'redis_command_duration_seconds_bucket{le="0.0025",op="settle"} 1',
    'redis_command_duration_seconds_sum{op="settle"} 0.002',
  ],
  [{ type: 'error', queue, where: 'sweep', error: new Error('x') }, 'errors_total{queue="mail",where="sweep"} 1'],
])('%o is served', async (seen, ...expected) => {
  const all = await lines(await after(seen), '');
  for (const line of expected) expect(all).toContain(line);
});

test('a queue that is only expected starts all its series at 0, and its handlers theirs', async () => {
  const metrics = await after();
  metrics.expect(queue, [name]);
  const all = await lines(metrics, '');
  const silent = all.filter((line) => line.includes('queue="mail"') && !line.endsWith(' 0'));
  expect(silent).toEqual([]);
  for (const series of [
    'leader_elected',
    'tasks_promoted_total',
    'swept_total',
    'lease_lost_total',
    'recovery_on_hold',
  ])
    expect(all).toContain(`${series}{queue="mail"} 0`);
  expect(all).toContain('tasks_settled_total{queue="mail",name="welcome",outcome="retried"} 0');
  expect(all).toContain('task_start_delay_seconds_count{queue="mail"} 0');
});

test('expecting a queue again takes nothing back', async () => {
  const metrics = await after({ type: 'settled', queue, name, outcome: 'completed', durationMs: 1 });
  metrics.expect(queue, [name]);
  metrics.expect(queue, [name]);
  expect(await lines(metrics, 'task_duration_seconds_count')).toEqual([
    'task_duration_seconds_count{queue="mail",name="welcome"} 1',
  ]);
});

test('a leader that steps down is seen as a follower, with the term it had', async () => {
  const metrics = await after(
    { type: 'seat', queue, event: 'elected', leading: true, term: 7 },
    { type: 'seat', queue, event: 'lost', leading: false, term: 7 },
  );
  expect(await lines(metrics, 'leader_elected')).toEqual(['leader_elected{queue="mail"} 0']);
  expect(await lines(metrics, 'leader_term')).toEqual(['leader_term{queue="mail"} 7']);
});

test('the last promotion is told by the wall clock, and absent before there is one', async () => {
  const metrics = new Metrics({ defaultMetrics: false, clock: new VirtualClock(0) });
  metrics.expect(queue);
  expect(await lines(metrics, 'promotion_last_success_timestamp_seconds')).toEqual([]);
  metrics.observe({ type: 'promoted', queue, count: 0, dropped: 0, lagMs: 0, durationMs: 1, withoutLeader: false });
  expect(await lines(metrics, 'promotion_last_success_timestamp_seconds')).toEqual([
    'promotion_last_success_timestamp_seconds{queue="mail"} 1800000000',
  ]);
});

test('redis is up only while every connection is', async () => {
  const metrics = await after();
  const upAfter = async (connection: string, up: boolean): Promise<string[]> => {
    metrics.observe({ type: 'redis_up', connection, up });
    return lines(metrics, 'redis_up');
  };
  expect(await lines(metrics, 'redis_up')).toEqual(['redis_up 0']);
  expect(await upAfter('commands', true)).toEqual(['redis_up 1']);
  expect(await upAfter('reader', false)).toEqual(['redis_up 0']);
  expect(await upAfter('commands', true)).toEqual(['redis_up 0']);
  expect(await upAfter('reader', true)).toEqual(['redis_up 1']);
});

test('workers of one queue are summed, and one that stopped is forgotten', async () => {
  const metrics = await after(
    { type: 'in_flight', queue, worker: 'w1', inFlight: 3, concurrency: 10 },
    { type: 'in_flight', queue, worker: 'w2', inFlight: 4, concurrency: 5 },
  );
  expect(await lines(metrics, 'worker_')).toEqual([
    'worker_tasks_in_flight{queue="mail"} 7',
    'worker_concurrency{queue="mail"} 15',
  ]);
  metrics.observe({ type: 'in_flight', queue, worker: 'w1', inFlight: 0, concurrency: 0 });
  expect(await lines(metrics, 'worker_concurrency')).toEqual(['worker_concurrency{queue="mail"} 5']);
});

test('a program that puts ids into its task names gets 200 of them, then "other"', async () => {
  const metrics = await after();
  for (let i = 0; i < 300; i += 1) {
    metrics.observe({ type: 'settled', queue, name: `task-${i}`, outcome: 'completed', durationMs: 1 });
    metrics.observe({ type: 'added', queue, name: `task-${i}`, status: 'ready', count: 1 });
  }
  metrics.expect(queue, ['handled']);
  metrics.observe({ type: 'settled', queue, name: 'handled', outcome: 'completed' });
  const settled = await lines(metrics, 'tasks_settled_total');
  expect(settled.filter((line) => line.includes('outcome="completed"'))).toHaveLength(202);
  expect(settled).toContain('tasks_settled_total{queue="mail",name="other",outcome="completed"} 100');
  expect(settled).toContain('tasks_settled_total{queue="mail",name="handled",outcome="completed"} 1');
  expect(await lines(metrics, 'tasks_added_total{queue="mail",name="other",status="ready"')).toEqual([
    'tasks_added_total{queue="mail",name="other",status="ready"} 100',
  ]);
});

test.each(['', 'x'.repeat(129), 'line\nbreak', '\ud800'])(
  'a name no producer of ours lets through counts as "other"',
  async (odd) => {
    const metrics = await after({ type: 'settled', queue, name: odd, outcome: 'dead' });
    expect(await lines(metrics, 'tasks_settled_total{queue="mail",name="other",outcome="dead"}')).toHaveLength(1);
  },
);

test('ids, error texts and connection names are in no series', async () => {
  const metrics = await after(
    { type: 'lease_lost', queue, name, id: 'secret-id' },
    { type: 'error', queue, where: 'fetch', error: new Error('secret-text') },
    { type: 'redis_error', connection: 'redis://:secret-word@host', kind: 'lost' },
  );
  expect(await metrics.text()).not.toContain('secret');
});

test('a second Metrics on a handed-in registry adds to the same series', async () => {
  const registry = new Registry();
  const [first, second] = [new Metrics({ registry }), new Metrics({ registry })];
  first.observe({ type: 'swept', queue, count: 1 });
  second.observe({ type: 'swept', queue, count: 2 });
  expect(await registry.metrics()).toContain('duestream_swept_total{queue="mail"} 3');
  expect(await registry.metrics()).not.toContain('process_cpu');
});

test('a registry that was cleared is filled again by the next Metrics', async () => {
  const registry = new Registry();
  new Metrics({ registry }).observe({ type: 'swept', queue, count: 1 });
  registry.clear();
  new Metrics({ registry }).observe({ type: 'swept', queue, count: 2 });
  expect(await registry.metrics()).toContain('duestream_swept_total{queue="mail"} 2');
});

test('process metrics go into a registry that has them already without a clash', async () => {
  const registry = new Registry();
  new Metrics({ registry, defaultMetrics: true });
  new Metrics({ registry, defaultMetrics: true });
  const text = await registry.metrics();
  expect(text).toContain('process_cpu_seconds_total');
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  expect(text).not.toContain('nodejs_active_handles_total');
});
