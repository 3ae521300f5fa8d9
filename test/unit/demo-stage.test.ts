import { expect, test } from 'vitest';
import { coloured, columns, frameOf, lineOf, plain, type Scene } from '../../src/cli/demo/frame.js';
import { msText } from '../../src/cli/demo/lateness.js';
import { Leading } from '../../src/cli/demo/leading.js';
import { addedBy, planOf, plannedTask } from '../../src/cli/demo/plan.js';
import { aged, narrowed } from '../../src/redis/server-clock.js';

const long = 'a very long word '.repeat(10);
const scene: Scene = {
  place: long,
  elapsedMs: 99_999,
  endMs: 20_000,
  tasks: 50_000,
  counts: { scheduled: 50_000, ready: 1, active: 0, completed: 60_000 },
  leads: long,
  lateness: { count: 2, p50Ms: 0.424, p99Ms: 12.34, maxMs: 123_456 },
  processes: [{ name: 'worker-1', pid: 4_194_304, note: long, isGone: true }],
  events: Array.from({ length: 40 }, (_, at) => ({ atMs: at, text: long })),
};

test('a frame is at most 80 columns wide and 24 lines high, whatever happens', () => {
  const lines = frameOf(scene, plain);
  expect(Math.max(...lines.map((line) => line.length))).toBe(columns);
  expect(lines.length).toBeLessThan(24);
});

test('a frame without colours has the same words, and nothing that steers a terminal', () => {
  const escape = String.fromCodePoint(27);
  const bare = frameOf(scene, coloured).map((line) => line.replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), ''));
  expect(frameOf(scene, plain)).toEqual(bare);
  expect(bare.join('')).not.toContain(escape);
});

test('one task of many is still to be seen in its bar', () => {
  expect(frameOf(scene, plain).find((line) => line.includes('ready'))).toMatch(/ 1 {2}█$/);
});

test('a plain line tells all the figures', () => {
  const few = { ...scene, elapsedMs: 3_000, leads: 'leader-1' };
  expect(lineOf(few)).toBe(
    '  3.0 s  scheduled 50000  ready 1  active 0  completed 60000  leads leader-1  lateness p50 0.42 ms p99 12.3 ms',
  );
});

test.each([
  [null, '-'],
  [0.424, '0.42 ms'],
  [12.34, '12.3 ms'],
  [123.4, '123 ms'],
  [-1_740, '-1.74 s'],
  [999.6, '1.00 s'],
])('%s ms is written %s', (ms, text) => expect(msText(ms)).toBe(text));

const plan = planOf({ seconds: 20, tasks: 4_000 });
const tasks = Array.from({ length: plan.tasks }, (_, n) => plannedTask(n, (n / plan.tasks) * plan.produceMs, plan));

test('half of the tasks are delayed, evenly over ten seconds, and one in a hundred fails once', () => {
  const delays = tasks.flatMap(({ delayMs }) => delayMs ?? []);
  expect(delays).toHaveLength(2_000);
  expect(Math.min(...delays)).toBeLessThan(100);
  expect(Math.max(...delays)).toBeGreaterThan(9_900);
  expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
  expect(tasks.filter(({ work }) => work.failsOnce)).toHaveLength(40);
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(4_000);
});

test('the last task is due before the end, and tasks are added and due after the leader was killed', () => {
  const dues = tasks.map(({ delayMs }, n) => (n / plan.tasks) * plan.produceMs + (delayMs ?? 0));
  expect(Math.max(...dues)).toBeLessThan(plan.endMs);
  expect(plan.produceMs).toBeGreaterThan(plan.killAtMs);
  expect(dues.filter((dueMs) => dueMs > plan.killAtMs + plan.lockTtlMs).length).toBeGreaterThan(500);
});

test('tasks are added at an even pace, and no more than planned', () => {
  expect([0, plan.produceMs / 2, plan.produceMs, plan.produceMs * 2].map((ms) => addedBy(ms, plan))).toEqual([
    0, 2_000, 4_000, 4_000,
  ]);
});

const at = (ms: number): { ms: number; withinMs: number } => ({ ms, withinMs: 0.1 });
const one = { name: 'leader-1', wasKilled: false };
const two = { name: 'leader-2', wasKilled: false };

test('the take-over begins with the kill and ends with the next election and its first promotion', () => {
  const leading = new Leading();
  expect(leading.hear({ kind: 'elected', at: at(1_000) }, one)).toBe('leader-1 leads');
  leading.hear({ kind: 'promoted', at: at(1_010) }, one);
  leading.killedAt(at(5_000));
  expect(leading.leader).toBeUndefined();
  expect(leading.hear({ kind: 'elected', at: at(6_500) }, two)).toBe('leader-2 leads, 1.50 s after the kill');
  leading.hear({ kind: 'promoted', at: at(6_510) }, two);
  expect(leading.leader).toBe(two);
  expect(leading.takeOver).toEqual({ killedAt: at(5_000), electedAt: at(6_500), promotedAt: at(6_510) });
});

test('what a killed leader had still said is no take-over', () => {
  const leading = new Leading();
  leading.killedAt(at(5_000));
  leading.hear({ kind: 'elected', at: at(5_001) }, { name: 'leader-1', wasKilled: true });
  expect(leading.takeOver.electedAt).toBeUndefined();
});

test('an election from before the kill that is heard after it is no take-over', () => {
  const leading = new Leading();
  leading.killedAt(at(5_000));
  leading.hear({ kind: 'elected', at: at(4_999) }, two);
  expect(leading.takeOver.electedAt).toBeUndefined();
});

test('each round trip narrows what is known of the server clock', () => {
  const known = { lowMs: 100, highMs: 110, knownAtMs: 0 };
  expect(narrowed(known, { lowMs: 104, highMs: 120, knownAtMs: 0 })).toMatchObject({ lowMs: 104, highMs: 110 });
  expect(narrowed(known, { lowMs: 90, highMs: 130, knownAtMs: 0 })).toMatchObject({ lowMs: 100, highMs: 110 });
});

test('what is known of the server clock gets less sure with time', () => {
  expect(aged({ lowMs: 100, highMs: 101, knownAtMs: 0 }, 10_000)).toEqual({
    lowMs: 99,
    highMs: 102,
    knownAtMs: 10_000,
  });
});

test('after the server clock was set only the new reading counts', () => {
  const fresh = { lowMs: 5_000, highMs: 5_001, knownAtMs: 1 };
  expect(narrowed({ lowMs: 100, highMs: 101, knownAtMs: 0 }, fresh)).toEqual(fresh);
});
