import { expect, test } from 'vitest';
import { History } from '../../src/cli/demo/history.js';
import type { Fact } from '../../src/cli/demo/records.js';
import { type Report, type TakeOver, verdict } from '../../src/cli/demo/verdict.js';

const at = (ms: number, withinMs = 0.1): { ms: number; withinMs: number } => ({ ms, withinMs });
const added = (id: string, notBeforeMs = 1_000): Fact => ({ kind: 'added', id, notBeforeMs, delayed: true });
const completed = (id: string): Fact => ({ kind: 'completed', id });
const failed = (id: string, attempt: number): Fact => ({ kind: 'failed', id, attempt });
const started = (id: string, ms: number, more: Partial<Extract<Fact, { kind: 'started' }>> = {}): Fact => {
  return { kind: 'started', id, attempt: 1, delivery: 1, dueMs: 1_000, at: at(ms), ...more };
};

const whole = (id: string, dueMs: number, startMs: number): Fact[] => [
  added(id, dueMs),
  started(id, startMs, { dueMs }),
  completed(id),
];
const inTime: TakeOver = { killedAt: at(5_000), electedAt: at(6_500), promotedAt: at(6_510) };

function judge(facts: readonly Fact[], takeOver: TakeOver = inTime, stalledMs = 0): Report {
  const history = new History();
  history.note(facts);
  return verdict(history, takeOver, { lockTtlMs: 2_000, stalledMs });
}

test('tasks that were added, started in time and completed keep every promise', () => {
  const report = judge([...whole('a', 1_000, 1_002), ...whole('b', 1_010, 1_011)]);
  expect(report).toMatchObject({ held: true, broken: [], tasks: { added: 2, completed: 2 } });
});

test('facts may come in any order', () => {
  expect(judge(whole('a', 1_000, 1_002).toReversed())).toMatchObject({ held: true, tasks: { added: 1, completed: 1 } });
});

test('nothing added is nothing shown', () => {
  expect(judge([]).broken).toEqual(['no task was added']);
});

test('a task that was added and never started is lost', () => {
  const report = judge([...whole('a', 1_000, 1_002), added('b')]);
  expect(report).toMatchObject({ held: false, lost: { count: 1, started: 0, ids: ['b'] } });
  expect(report.broken).toEqual(['1 lost: b']);
});

test('a task that was started and whose completion never counted is lost', () => {
  expect(judge([added('a'), started('a', 1_001)]).lost).toMatchObject({ count: 1, started: 1 });
});

test('a task whose add never returned is owed nothing', () => {
  expect(judge([...whole('a', 1_000, 1_002), started('b', 1_001)]).held).toBe(true);
});

test('a start before the time the producer asked for is early, whatever Redis says its due time is', () => {
  const report = judge([added('a', 2_000), started('a', 1_000, { dueMs: 0 }), completed('a')]);
  expect(report).toMatchObject({ held: false, early: { count: 1, ids: ['a'], leastMs: -1_000 } });
});

test('a retry before its own due time is early', () => {
  const again = started('a', 1_100, { attempt: 2, dueMs: 1_200 });
  expect(judge([added('a'), started('a', 1_001), failed('a', 1), again, completed('a')]).early.count).toBe(1);
});

test.each([
  { readMs: 999.95, withinMs: 0.1, early: 0 }, // may have been in time
  { readMs: 999.85, withinMs: 0.1, early: 1 }, // can't have been
  { readMs: 1_000, withinMs: 0, early: 0 },
])('a start read at $readMs ±$withinMs of a task due at 1000: $early early', ({ readMs, withinMs, early }) => {
  const report = judge([added('a'), started('a', 0, { at: at(readMs, withinMs) }), completed('a')]);
  expect(report.early).toMatchObject({ count: early, withinMs });
});

test('a start after a failure is a retry and no duplicate', () => {
  const report = judge([
    added('a'),
    started('a', 1_001),
    failed('a', 1),
    started('a', 1_301, { attempt: 2, dueMs: 1_300 }),
    completed('a'),
  ]);
  expect(report).toMatchObject({ held: true, retried: 1, duplicates: { recovered: 0, unexplained: 0 } });
});

test('a second attempt without a failure has no cause', () => {
  const report = judge([added('a'), started('a', 1_001), started('a', 1_301, { attempt: 2 }), completed('a')]);
  expect(report).toMatchObject({ held: false, duplicates: { unexplained: 1, ids: ['a'] } });
});

test('a later delivery of the same attempt was recovered: shown, and no broken promise', () => {
  const report = judge([added('a'), started('a', 1_001), started('a', 9_001, { delivery: 2 }), completed('a')]);
  expect(report).toMatchObject({ held: true, duplicates: { recovered: 1, unexplained: 0 } });
});

test('the same delivery of the same attempt twice has no cause', () => {
  const report = judge([added('a'), started('a', 1_001), started('a', 1_002), completed('a')]);
  expect(report.broken).toEqual(['1 started again without a cause: a']);
});

test('two completions that both counted are broken', () => {
  expect(judge([...whole('a', 1_000, 1_002), completed('a')]).broken).toEqual(['1 completed twice']);
});

test('lateness is told without what waited for the new leader, and with it', () => {
  const report = judge([
    ...whole('before', 4_999, 5_001),
    ...whole('during', 5_500, 6_512),
    ...whole('catching-up', 6_600, 6_700),
    ...whole('after', 6_800, 6_803),
  ]);
  expect(report.lateness.outsideTakeOver).toEqual({ count: 2, p50Ms: 2, p99Ms: 3, maxMs: 3 });
  expect(report.lateness.all).toEqual({ count: 4, p50Ms: 3, p99Ms: 1_012, maxMs: 1_012 });
});

test('a recovered start is not counted as late', () => {
  const report = judge([added('a'), started('a', 1_001), started('a', 9_001, { delivery: 2 }), completed('a')]);
  expect(report.lateness.all).toMatchObject({ count: 1, maxMs: 1 });
});

test('a take-over within lock TTL and a second holds', () => {
  expect(judge(whole('a', 1_000, 1_001)).takeOver).toMatchObject({
    electedMs: 1_500,
    promotedMs: 1_510,
    withinMs: 3_000,
  });
});

test.each([
  { electedMs: 8_100, stalledMs: 0, broken: ['the take-over took 3.10 s, where 3.00 s is promised'] },
  { electedMs: 8_100, stalledMs: 200, broken: [] }, // the machine stood still for as long
])('elected after $electedMs, the machine stalled for $stalledMs', ({ electedMs, stalledMs, broken }) => {
  const takeOver = { killedAt: at(5_000), electedAt: at(electedMs) };
  expect(judge(whole('a', 1_000, 1_001), takeOver, stalledMs).broken).toEqual(broken);
});

test('nobody taking over is a broken promise', () => {
  expect(judge(whole('a', 1_000, 1_001), { killedAt: at(5_000) }).broken).toEqual([
    'nobody took over from the leader that was killed',
  ]);
});
