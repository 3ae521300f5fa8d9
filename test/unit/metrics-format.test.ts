import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';

const alertsPath = fileURLToPath(new URL('../../docs/alerts.yml', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
const skipped = hasPromtool ? '' : ' (skipped: promtool is not installed)';

/** A process that has seen something of everything. */
async function busyText(): Promise<string> {
  const metrics = new Metrics();
  const queue = 'mail';
  metrics.expect(queue, ['odd "name" with \\ in it']);
  metrics.observe({ type: 'promoted', queue, count: 1, dropped: 0, lagMs: 1, durationMs: 1, withoutLeader: false });
  metrics.observe({ type: 'added', queue, name: 'a', status: 'ready', count: 1 });
  metrics.observe({ type: 'settled', queue, name: 'ä "b" \\', outcome: 'completed', durationMs: 0.1 });
  metrics.observe({ type: 'error', queue, where: 'fetch', error: undefined });
  metrics.observe({ type: 'redis_command', op: 'settle', durationMs: 1 });
  const ages = { oldestDueAgeMs: 0.25, oldestReadyAgeMs: null };
  const depth = {
    partitions: 8,
    waiting: 4,
    paused: false,
    scheduled: 1,
    due: 0,
    ready: 0,
    active: 0,
    dead: 0,
    consumers: 1,
    schedules: 2,
    nextSchedule: 1_800_000_000_000,
    ...ages,
  };
  metrics.watch({ name: queue, stats: () => Promise.resolve(depth) });
  return metrics.text();
}

test.skipIf(!hasPromtool)(`promtool has nothing to say about the text${skipped}`, async () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await busyText(),
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
});

test.skipIf(!hasPromtool)(`promtool accepts the alerting rules${skipped}`, () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', alertsPath], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/SUCCESS: \d+ rules found/);
});

test('every metric that the alerting rules and the design name is served', async () => {
  const text = await busyText();
  const served = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
  const named = [...readFileSync(alertsPath, 'utf8').matchAll(/duestream_[a-z_]+/g)].map(([name]) =>
    name.replace(/_bucket$/, ''),
  );
  expect(named.length).toBeGreaterThan(20);
  for (const name of [...named, ...promised]) expect(served).toContain(name);
});

const promised = `tasks_added_total leader_elected leader_term leader_transitions_total tasks_promoted_total
  promotion_lag_seconds promotion_duration_seconds promotion_last_success_timestamp_seconds stale_writes_refused_total
  tasks_settled_total task_duration_seconds task_start_delay_seconds worker_tasks_in_flight worker_concurrency
  deliveries_recovered_total lease_lost_total settle_failures_total redis_up redis_errors_total redis_reconnects_total
  redis_command_duration_seconds queue_tasks queue_oldest_due_age_seconds queue_oldest_ready_age_seconds
  queue_consumers queue_paused queue_partitions queue_partitions_waiting queue_schedules schedule_next_timestamp_seconds
  schedule_occurrences_total schedule_last_fired_timestamp_seconds schedule_lateness_seconds collector_success swept_total stale_entries_total promotions_without_leader_total
  recovery_on_hold`
  .split(/\s+/)
  .map((name) => `duestream_${name}`);
