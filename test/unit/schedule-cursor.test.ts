import { describe, expect, test } from 'vitest';
import { planBackfill } from '../../src/schedule/backfill.js';
import { type Cursor, newCursor, type Passed, withFired, withPassed } from '../../src/schedule/cursor.js';
import { decodeCursor, encodeCursor } from '../../src/schedule/cursor-text.js';
import { type Definition, decodeDefinition } from '../../src/schedule/definition.js';
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
    record: '["job"]',
    expiresInMs: null,
  };
  const passing = withPassed({ ...withPassed(made, overlap(1, 3)), waiting: [at(4)] }, overlap(5, 6));
  const fired = withFired({ ...passing, waiting: [] }, at(4));
  const range = { fromMs: at(1), nextMs: at(1), toMs: at(7), count: 0, lookMs: at(9) };
  const cursor = { ...fired, nextMs: at(9), backfill: { ...range, perSecond: 1_000, again: false } };
  const steps = planBackfill({ definition, cursor }, { nowMs: at(9) });
  expect(steps.flatMap(({ fireMs }) => fireMs ?? [])).toEqual([1, 2, 3, 5, 6].map(at));
});

describe('the text of a cursor', () => {
  test('says all of it', () => {
    const whole: Cursor = {
      version: 3,
      createdMs: 1,
      nextMs: 3,
      count: 4,
      fired: [5, 6],
      passed: [{ fromMs: 7, toMs: 8, count: 2, why: 'overlap' }],
      waiting: [9],
      waitingSinceMs: 5,
      caughtUp: 10,
      pause: { sinceMs: 11, note: 'why' },
      resumedMs: 12,
      failures: 13,
      judgedMs: 14,
      backfill: { fromMs: 1, nextMs: 2, toMs: 3, perSecond: 4, again: true, lookMs: 5, count: 6 },
      lastBackfill: { fromMs: 1, nextMs: 2, toMs: 3, count: 4 },
      moving: { to: 3, id: 'a move' },
      filled: [[1, 2]],
    };
    expect(decodeCursor(encodeCursor(whole))).toEqual(whole);
    expect(decodeCursor(encodeCursor(newCursor(1, 2, 3)))).toEqual(newCursor(1, 2, 3));
  });

  test('of something else is none', () => {
    const strange = [
      '{"v":1,"c":1,"n":"x","k":0}',
      '{"v":1,"c":1,"n":2,"k":0,"f":3}',
      '{"v":1,"c":1,"n":2,"k":0,"d":{}}',
      '{"v":1,"c":1,"n":2,"k":0,"e":7}',
      '{"v":1,"c":1,"n":2,"k":0,"f":[9007199254740991]}',
      '{"v":1,"c":1,"n":2,"k":0,"b":["x"]}',
      '{"v":1,"c":1,"n":2,"k":0,"l":{}}',
      '{"v":1,"c":1,"n":2,"k":0,"l":[1,2,3]}',
      '{"v":1,"c":1,"n":2,"k":0,"g":5}',
      '{"v":1,"c":1,"n":2,"k":0,"s":"x"}',
      '{"v":1,"c":1,"n":2,"k":0,"new":{}}',
    ];
    for (const text of ['', 'x', '{}', 'null', '[]', ...strange]) expect(decodeCursor(text)).toBeUndefined();
  });
});

test('the text of a definition without its rule or its policy is none', () => {
  const whole = { f: 1, v: 1, t: {}, p: {}, r: '["job"]', e: null };
  expect(decodeDefinition(JSON.stringify(whole))).toBeDefined();
  for (const lost of [{ f: 2 }, { t: null }, { p: null }, { p: 'one' }, { r: 1 }]) {
    expect(decodeDefinition(JSON.stringify({ ...whole, ...lost }))).toBeUndefined();
  }
});
