import { expect, test } from 'vitest';
import { planBackfill } from '../../src/schedule/backfill.js';
import { newCursor, type Passed, withFired, withPassed } from '../../src/schedule/cursor.js';
import type { Definition } from '../../src/schedule/definition.js';
import { resolvePolicy } from '../../src/schedule/policy.js';
import { resolveTiming } from '../../src/schedule/timing.js';

const secondMs = 1_000;
const beginMs = Date.UTC(2027, 0);
const at = (seconds: number): number => beginMs + seconds * secondMs;
const overlap = (from: number, to = from): Passed => ({
  fromMs: at(from),
  toMs: at(to),
  count: to - from + 1,
  why: 'overlap',
});
const made = newCursor(1, beginMs, at(1));

test('times that are passed over one after the other are one line', () => {
  const { passed } = withPassed(withPassed(made, overlap(1, 3)), overlap(4));
  expect(passed).toEqual([overlap(1, 4)]);
});

test.each([
  ['was fired', withFired(withPassed(made, overlap(1, 3)), at(4))],
  ['waits until the former is settled', { ...withPassed(made, overlap(1, 3)), waiting: [at(4)] }],
])('one between them that %s ends the line', (_what, cursor) => {
  expect(withPassed(cursor, overlap(5)).passed).toEqual([overlap(1, 3), overlap(5)]);
});

test('so a backfill does not fire again what has waited and was fired', () => {
  const definition: Definition = {
    version: 1,
    timing: resolveTiming({ every: '1s' }),
    policy: resolvePolicy({ overlap: 'bufferOne' }),
    record: '{"n":"job"}',
    expiresInMs: null,
  };
  const passing = withPassed({ ...withPassed(made, overlap(1, 3)), waiting: [at(4)] }, overlap(5, 6));
  const fired = withFired({ ...passing, waiting: [] }, at(4));
  const range = { fromMs: at(1), nextMs: at(1), toMs: at(7), count: 0, lookMs: at(9) };
  const cursor = { ...fired, nextMs: at(9), backfill: { ...range, perSecond: 1_000, again: false } };
  const steps = planBackfill({ definition, cursor }, { nowMs: at(9) });
  expect(steps.flatMap(({ fireMs }) => fireMs ?? [])).toEqual([1, 2, 3, 5, 6].map(at));
});
