import { describe, expect, test } from 'vitest';
import { backfillOf as asked, countBackfill } from '../../src/producer/schedule-backfill.js';
import { ended, planBackfill } from '../../src/schedule/backfill.js';
import { countOpen } from '../../src/schedule/backfill-count.js';
import { change } from '../../src/schedule/change.js';
import { type Backfill, type Cursor, newCursor, type Passed, type Range } from '../../src/schedule/cursor.js';
import type { Definition } from '../../src/schedule/definition.js';
import { resolvePolicy } from '../../src/schedule/policy.js';
import type { ScheduleTiming } from '../../src/schedule/rule.js';
import { aheadMs } from '../../src/schedule/step.js';
import { resolveTiming } from '../../src/schedule/timing.js';
import { VirtualClock } from '../support/virtual-clock.js';

const minuteMs = 60_000;
const createdMs = Date.UTC(2027, 0);
const at = (minutes: number): number => createdMs + minutes * minuteMs;

function ruled(timing: ScheduleTiming, version = 1): Definition {
  const [policy, record] = [resolvePolicy({}), '["job"]'];
  return { version, timing: resolveTiming(timing), policy, record, expiresInMs: null };
}

function missed(from: number, to: number): Passed {
  return { fromMs: at(from), toMs: at(to), count: to - from + 1, why: 'missed' };
}

function backfillOf(from: number, to: number, again = false): Backfill {
  return { fromMs: at(from), nextMs: at(from), toMs: at(to), perSecond: 10_000, again, lookMs: at(600), count: 0 };
}

const made = newCursor(1, createdMs, at(600));
const minutely = ruled({ every: '1m' });

/** Until it is over, or so many looks. */
function run(definition: Definition, cursor: Cursor, looksMax = 1_000): { times: number[]; cursor: Cursor } {
  const times: number[] = [];
  let left = cursor;
  for (let looks = 0; left.backfill !== null && looks < looksMax; looks += 1) {
    for (const step of planBackfill({ definition, cursor: left }, { nowMs: left.backfill?.lookMs ?? 0 })) {
      left = step.cursor;
      if (step.fireMs !== null) times.push(step.fireMs);
    }
  }
  return { times, cursor: left };
}

test('a hundred ranges that lie apart are known; one more is refused, unless it joins some', () => {
  const filled = Array.from({ length: 100 }, (_, nth): Range => [at(-10 * nth - 5), at(-10 * nth)]).toReversed();
  const cursor = { ...made, filled };
  const toMs = createdMs - 2_000 * minuteMs;
  const wanted = (from: number, to: number): Backfill => asked('nightly', { from, to })(cursor, createdMs);
  expect(() => wanted(toMs - 1, toMs)).toThrow(
    'nightly was backfilled in 100 ranges that lie apart: begin in one of them',
  );
  expect(wanted(at(-10), at(-7))).toMatchObject({ fromMs: at(-10), toMs: at(-7) });
  expect(() => wanted(at(-2_000), createdMs)).toThrow('lie apart');
});

test.each([
  [1, 1, 1_000],
  [19, 2, 106],
  [100, 10, 100],
  [10_000, 1_000, 100],
])('at %d a second it adds %d, and goes on after %d ms', (perSecond, count, waitMs) => {
  const backfill = { ...backfillOf(-5_000, 0), perSecond };
  const steps = planBackfill({ definition: minutely, cursor: { ...made, backfill } }, { nowMs: backfill.lookMs });
  expect(steps.filter(({ fireMs }) => fireMs !== null)).toHaveLength(count);
  expect((steps.at(-1)?.cursor.backfill?.lookMs ?? 0) - backfill.lookMs - aheadMs).toBe(waitMs);
});

describe('what is known of a backfill that is over', () => {
  test('is its range and how many it has added', () => {
    const { cursor } = run(minutely, { ...made, backfill: backfillOf(-30, 0) });
    expect(cursor.lastBackfill).toEqual({ fromMs: at(-30), nextMs: at(0), toMs: at(0), count: 30 });
  });

  test('is how far it has come, when it was stopped; that much is filled, and a later one adds the rest', () => {
    const under = run(minutely, { ...made, backfill: { ...backfillOf(-30, 0), perSecond: 100 } }, 1).cursor;
    const stopped = ended(under, under.backfill as Backfill);
    const cameTo = (under.backfill as Backfill).nextMs;
    expect(stopped).toMatchObject({ backfill: null, filled: [[at(-30), cameTo]] });
    expect(stopped.lastBackfill).toEqual({ fromMs: at(-30), nextMs: cameTo, toMs: at(0), count: 10 });
    const { times } = run(minutely, { ...stopped, backfill: backfillOf(-30, 0) });
    expect(times).toEqual(Array.from({ length: 20 }, (_, nth) => at(nth - 20)));
  });

  test('is no range that is filled, when it was stopped before it began', () => {
    expect(ended(made, backfillOf(-30, 0))).toMatchObject({ filled: [], lastBackfill: { count: 0, nextMs: at(-30) } });
  });

  test('is that a new rule has ended it', () => {
    const cursor = { ...made, backfill: { ...backfillOf(-30, 0), nextMs: at(-20), count: 10 } };
    const result = change({ definition: minutely, cursor }, ruled({ every: '2m' }, 2), at(0));
    expect(result).toMatchObject({
      standing: {
        cursor: { backfill: null, lastBackfill: { nextMs: at(-20), count: 10 }, filled: [[at(-30), at(-20)]] },
      },
    });
  });

  test('stays known while the next is under way', () => {
    const { cursor } = run(minutely, { ...made, backfill: backfillOf(-30, 0) });
    const next = run(minutely, { ...cursor, backfill: { ...backfillOf(-90, 0), perSecond: 100 } }, 1).cursor;
    expect(next).toMatchObject({ backfill: { count: 10 }, lastBackfill: { count: 30 } });
  });
});

describe('the count of what a backfill would add is what it adds', () => {
  const filled = [
    [at(-20), at(-10)],
    [at(35), at(45)],
  ] as const;
  const passed = [missed(5, 9), missed(30, 40), missed(44, 50)];
  test.each<[what: string, cursor: Cursor, again: boolean, expected: number]>([
    ['before the schedule was made', made, false, 60],
    ['and of what was passed over', { ...made, passed }, false, 60 + 5 + 11 + 7],
    ['less what was filled', { ...made, passed, filled }, false, 50 + 5 + 5 + 6],
    ['and what waits', { ...made, passed, filled, waiting: [at(5), at(48)] }, false, 50 + 4 + 5 + 5],
    ['all again', { ...made, passed, filled }, true, 180],
    ['all again but what waits', { ...made, passed, filled, waiting: [at(48)] }, true, 179],
  ])('%s', async (_what, cursor, again, expected) => {
    const backfill = backfillOf(-60, 120, again);
    expect(run(minutely, { ...cursor, backfill }).times).toHaveLength(expected);
    const preview = await countBackfill({ name: 's', definition: minutely, cursor }, backfill, new VirtualClock());
    expect(preview).toEqual({ name: 's', from: at(-60), to: at(120), count: expected, hasMore: false });
  });

  test('goes on where it was left, piece by piece', () => {
    const backfill = backfillOf(-2_500, 0);
    const pieces = [];
    for (let nextMs: number | null = backfill.fromMs; nextMs !== null; ) {
      const piece = countOpen({ definition: minutely, cursor: made }, backfill, { nextMs, hasTime: () => true });
      pieces.push(piece.count);
      ({ nextMs } = piece);
    }
    expect(pieces).toEqual([1_000, 1_000, 500]);
    const hasty = { nextMs: backfill.fromMs, hasTime: () => false };
    expect(countOpen({ definition: minutely, cursor: made }, backfill, hasty)).toMatchObject({ count: 1 });
  });

  test('leaps over what was fired, however much that is', async () => {
    const secondly = ruled({ every: '1s' });
    const cursor = { ...made, passed: [missed(100_000, 100_001)] };
    const backfill = backfillOf(0, 200_000);
    const all = { nextMs: backfill.fromMs, hasTime: () => true };
    expect(countOpen({ definition: secondly, cursor }, backfill, all)).toEqual({ count: 61, nextMs: null });
    const { times } = run(secondly, { ...cursor, backfill: { ...backfill, perSecond: 10_000 } }, 2);
    expect(times).toHaveLength(61);
  });

  test('of more than 100,000 says that there are more', async () => {
    const secondly = ruled({ every: '1s' });
    const clock = new VirtualClock();
    const counted = (minutes: number): Promise<unknown> =>
      countBackfill({ name: 's', definition: secondly, cursor: made }, backfillOf(-minutes, 0), clock);
    expect(await counted(1_666)).toMatchObject({ count: 99_960, hasMore: false });
    expect(await counted(1_667)).toMatchObject({ count: 100_000, hasMore: true });
    expect(await counted(100_000)).toMatchObject({ count: 100_000, hasMore: true });
  });
});
