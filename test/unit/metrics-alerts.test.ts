import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The shipped alerts, run by promtool on made-up fleets: a minute per value, two hours ahead in a moment. */
const alertsPath = fileURLToPath(new URL('../../docs/alerts.yml', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
const skipped = hasPromtool ? '' : ' (skipped: promtool is not installed)';

const from = (labels: string): string => `{instance="a:9100",queue="mail"${labels && `,${labels}`}}`;
const other = '{instance="b:9100",queue="mail"}';

/** Two processes at their work for two hours. */
const healthy: Readonly<Record<string, string>> = {
  'duestream_redis_up{instance="a:9100"}': '1x120',
  [`duestream_leader_elected${from('')}`]: '1x120',
  [`duestream_leader_elected${other}`]: '0x120',
  [`duestream_leader_transitions_total${from('event="elected"')}`]: '1x120',
  [`duestream_queue_oldest_due_age_seconds${from('')}`]: '0x120',
  [`duestream_queue_oldest_ready_age_seconds${from('')}`]: '0x120',
  [`duestream_queue_paused${from('')}`]: '0x120',
  [`duestream_queue_consumers${from('')}`]: '4x120',
  [`duestream_queue_tasks${from('state="ready"')}`]: '3x120',
  [`duestream_promotions_without_leader_total${from('')}`]: '0x120',
  [`duestream_stale_writes_refused_total${from('op="promote"')}`]: '0x120',
  [`duestream_task_start_delay_seconds_bucket${from('le="0.01"')}`]: '0+60x120',
  [`duestream_task_start_delay_seconds_bucket${from('le="6"')}`]: '0+60x120',
  [`duestream_task_start_delay_seconds_bucket${from('le="+Inf"')}`]: '0+60x120',
  [`duestream_tasks_settled_total${from('name="welcome",outcome="completed"')}`]: '0+60x120',
  [`duestream_tasks_settled_total${from('name="welcome",outcome="retried"')}`]: '0+1x120',
  [`duestream_tasks_settled_total${from('name="welcome",outcome="dead"')}`]: '0x120',
  [`duestream_lease_lost_total${from('')}`]: '0x120',
  [`duestream_deliveries_recovered_total${from('')}`]: '0x120',
  [`duestream_settle_failures_total${from('')}`]: '0x120',
  [`duestream_recovery_on_hold${from('')}`]: '0x120',
  [`duestream_swept_total${from('')}`]: '0x120',
  [`duestream_schedule_occurrences_total${from('outcome="fired"')}`]: '0+1x120',
  [`duestream_schedule_occurrences_total${from('outcome="missed"')}`]: '0x120',
  [`duestream_schedule_occurrences_total${from('outcome="coalesced"')}`]: '0x120',
  [`duestream_schedule_next_timestamp_seconds${from('')}`]: '60+60x120',
  [`duestream_collector_success${from('collector="stats"')}`]: '1x120',
};

/** The alerts that fire at the end, when the fleet differs from the healthy one in these series. */
function firing(changed: Readonly<Record<string, string>>): string[] {
  const series = { ...healthy };
  for (const [start, values] of Object.entries(changed)) {
    const matching = Object.keys(series).filter((name) => name.startsWith(`duestream_${start}`));
    if (matching.length === 0) throw new Error(`the healthy fleet has no duestream_${start}`);
    for (const name of matching) series[name] = values;
  }
  const names = 'count by (alertname) (ALERTS{alertstate="firing"})';
  const folder = mkdtempSync(join(tmpdir(), 'duestream-alerts-'));
  try {
    const unit = {
      rule_files: [alertsPath],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [{ expr: names, eval_time: '120m', exp_samples: [{ labels: 'none', value: -1 }] }],
        },
      ],
    };
    writeFileSync(join(folder, 'unit.yml'), JSON.stringify(unit)); // JSON is YAML too
    const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'unit.yml'], { cwd: folder, encoding: 'utf8' });
    // It was told to expect nonsense, and says what it got instead.
    const got = /got:(.*)/s.exec(stdout + stderr)?.[1];
    if (got === undefined) throw new Error(`promtool gave no answer:\n${stdout}${stderr}`);
    return [...got.matchAll(/alertname="(\w+)"/g)].map(([, name]) => name as string).sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.skipIf(!hasPromtool)(`no alert fires for a healthy fleet${skipped}`, () => {
  expect(firing({})).toEqual([]);
});

const cases: [what: string, changed: Record<string, string>, alert: string][] = [
  ['Redis is away', { redis_up: '1x118 0x2' }, 'DuestreamRedisDown'],
  ['nobody leads', { leader_elected: '0x120' }, 'DuestreamNoLeader'],
  ['the leader changes each minute', { leader_transitions_total: '0+1x120' }, 'DuestreamLeaderFlaps'],
  ['due tasks are not promoted', { queue_oldest_due_age_seconds: '0+60x120' }, 'DuestreamPromotionStalled'],
  ['consumers promote', { promotions_without_leader_total: '0x118 1x2' }, 'DuestreamPromotedWithoutLeader'],
  ['a frozen leader writes', { stale_writes_refused_total: '0+1x120' }, 'DuestreamStaleWrites'],
  [
    'half of the tasks start late',
    { 'task_start_delay_seconds_bucket{instance="a:9100",queue="mail",le="0.01"}': '0+30x120' },
    'DuestreamTasksStartLate',
  ],
  ['ready tasks wait', { queue_oldest_ready_age_seconds: '0+60x120' }, 'DuestreamBacklog'],
  ['no consumer is there', { queue_consumers: '0x120' }, 'DuestreamNoConsumers'],
  [
    'a paused queue grows old',
    { queue_paused: '1x120', queue_oldest_due_age_seconds: '0+60x120', queue_oldest_ready_age_seconds: '0+60x120' },
    'DuestreamPausedLong',
  ],
  [
    'the first task ever dies',
    { 'tasks_settled_total{instance="a:9100",queue="mail",name="welcome",outcome="dead"}': '0x118 1x2' },
    'DuestreamDeadLetters',
  ],
  [
    'most runs fail',
    { 'tasks_settled_total{instance="a:9100",queue="mail",name="welcome",outcome="retried"}': '0+90x120' },
    'DuestreamMostlyRetries',
  ],
  ['leases are lost', { lease_lost_total: '0+1x120' }, 'DuestreamDeliveriesLost'],
  ['an outcome is not placed', { settle_failures_total: '0x118 1x2' }, 'DuestreamOutcomesNotPlaced'],
  ['recovery stays on hold', { recovery_on_hold: '1x120' }, 'DuestreamRecoveryOnHold'],
  ['a task is put back', { swept_total: '0x118 1x2' }, 'DuestreamTasksSwept'],
  ['nobody fires schedules', { schedule_next_timestamp_seconds: '60x120' }, 'DuestreamSchedulesStalled'],
  [
    'a time of a schedule is missed',
    { 'schedule_occurrences_total{instance="a:9100",queue="mail",outcome="missed"}': '0x118 1x2' },
    'DuestreamOccurrencesMissed',
  ],
  [
    'a later time of a schedule is fired for those that were missed',
    { 'schedule_occurrences_total{instance="a:9100",queue="mail",outcome="coalesced"}': '0x118 1x2' },
    'DuestreamOccurrencesCoalesced',
  ],
  [
    'a new process takes over, and counts at once what was missed before it was there',
    { 'schedule_occurrences_total{instance="a:9100",queue="mail",outcome="missed"}': '_x115 26x5' },
    'DuestreamOccurrencesMissed',
  ],
  [
    'nobody was there for long, and who comes back has one fired for all of them',
    { 'schedule_occurrences_total{instance="a:9100",queue="mail",outcome="coalesced"}': '0x60 _x50 26x9' },
    'DuestreamOccurrencesCoalesced',
  ],
  ['the depths can not be read', { collector_success: '0x120' }, 'DuestreamCollectorFails'],
];

test.skipIf(!hasPromtool).each(cases)(`when %s, that alert fires and no other${skipped}`, (_what, changed, alert) => {
  expect(firing(changed)).toEqual([alert]);
});

test('every alert has a case here', () => {
  const alerts = [...readFileSync(alertsPath, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  expect(new Set(cases.map(([, , alert]) => alert))).toEqual(new Set(alerts));
});
