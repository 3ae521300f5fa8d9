/** What a schedule does when its former occurrence is not settled, or has died. */
import { describe, expect, test } from 'vitest';
import { planBlocked } from '../../src/schedule/blocked.js';
import type { Cursor } from '../../src/schedule/cursor.js';
import { graceMsMin } from '../../src/schedule/fate.js';
import { judge, unjudged } from '../../src/schedule/judge.js';
import { lookMs } from '../../src/schedule/look.js';
import type { SchedulePolicy } from '../../src/schedule/policy.js';
import { aheadMs, type Step } from '../../src/schedule/step.js';
import { cursorAt, dayMs, every, fired, minuteMs, passed, planAt, since } from '../support/schedule-standing.js';

/** The one step that all of it is. */
function only(steps: readonly Step[] | 'cancel'): Step {
  expect(steps).toHaveLength(1);
  return steps[0] as Step;
}

describe('the former occurrence', () => {
  const former = { fired: [dayMs - minuteMs], count: 1 };

  test.each([
    ['allow', null],
    ['skip', -minuteMs],
    ['bufferOne', -minuteMs],
    [{ bufferAll: 2 }, -minuteMs],
    ['cancelOther', -minuteMs],
  ] as const)('is looked at: %j', (overlap, unless) => {
    const [step] = planAt(every('1m', { overlap }), cursorAt(0, former), 0);
    expect([since(step?.fireMs ?? null), since(step?.unlessMs ?? null)]).toEqual([0, unless]);
  });

  const blocked = (
    overlap: NonNullable<SchedulePolicy['overlap']>,
    more: Partial<Cursor> = {},
  ): readonly Step[] | 'cancel' =>
    planBlocked(
      { definition: every('1m', { overlap }), cursor: cursorAt(0, { ...former, ...more }) },
      { nowMs: dayMs, graceMs: graceMsMin },
    );

  test('skip: this one is left out', () => {
    const step = only(blocked('skip'));
    expect([fired([step]), passed([step])]).toEqual([[], [[0, 0, 1, 'overlap']]]);
    expect(step.cursor).toMatchObject({ nextMs: dayMs + minuteMs, waiting: [] });
  });

  test('bufferOne: this one waits, a further one is left out', () => {
    const step = only(blocked('bufferOne'));
    expect(step.cursor).toMatchObject({ nextMs: dayMs + minuteMs, waiting: [dayMs], passed: [] });
    const second = only(blocked('bufferOne', { waiting: [dayMs - minuteMs] }));
    expect(second.cursor.waiting).toEqual([dayMs - minuteMs]);
    expect(passed([second])).toEqual([[0, 0, 1, 'overlap']]);
  });

  test('bufferAll: as many wait as may', () => {
    const one = only(blocked({ bufferAll: 2 }, { waiting: [dayMs - minuteMs] }));
    expect(one.cursor.waiting).toEqual([dayMs - minuteMs, dayMs]);
    const two = only(blocked({ bufferAll: 1 }, { waiting: [dayMs - minuteMs] }));
    expect(passed([two])).toEqual([[0, 0, 1, 'overlap']]);
  });

  test('cancelOther: it is to be cancelled', () => {
    expect(blocked('cancelOther')).toBe('cancel');
  });

  test('several that have come since wait or are left out in one step', () => {
    const late = cursorAt(-3 * minuteMs, { ...former, fired: [dayMs - 4 * minuteMs] });
    const at = { nowMs: dayMs + 1_000, graceMs: 10 * minuteMs };
    const skipped = only(planBlocked({ definition: every('1m', { overlap: 'skip' }), cursor: late }, at));
    expect(passed([skipped])).toEqual([[-3 * minuteMs, 0, 4, 'overlap']]);
    expect(skipped.cursor.nextMs).toBe(dayMs + minuteMs);
    const one = only(planBlocked({ definition: every('1m', { overlap: 'bufferOne' }), cursor: late }, at));
    expect(one.cursor.waiting.map(since)).toEqual([-3 * minuteMs]);
    expect(passed([one])).toEqual([[-2 * minuteMs, 0, 3, 'overlap']]);
    const hasTime = (): boolean => false;
    const hasty = planBlocked({ definition: every('1m', { overlap: 'skip' }), cursor: late }, { ...at, hasTime });
    expect(passed([only(hasty)])).toEqual([[-3 * minuteMs, -3 * minuteMs, 1, 'overlap']]);
  });

  test('those that fare otherwise are another step of the same look', () => {
    const policy = { overlap: { bufferAll: 9 }, catchUp: { all: 9 }, window: '150s' } as const;
    const late = cursorAt(-4 * minuteMs, { fired: [dayMs - 5 * minuteMs] });
    const at = { nowMs: dayMs + 1_000, graceMs: graceMsMin };
    const [missed, waits, ...more] = planBlocked({ definition: every('1m', policy), cursor: late }, at) as Step[];
    expect([passed([missed as Step]), missed?.cursor.waiting]).toEqual([
      [[-4 * minuteMs, -3 * minuteMs, 2, 'missed']],
      [],
    ]);
    expect([waits?.passed, waits?.cursor.waiting.map(since)]).toEqual([null, [-2 * minuteMs, -minuteMs, 0]]);
    expect(more).toEqual([]);
  });

  test('those that come late and find no room were missed: they are not left out for the former alone', () => {
    const late = cursorAt(-5 * minuteMs, { fired: [dayMs - 6 * minuteMs] });
    const at = { nowMs: dayMs + 1_000, graceMs: graceMsMin };
    const definition = every('1m', { overlap: 'skip', catchUp: { all: 9 } });
    const blockedAt = (cursor: Cursor): unknown => passed(planBlocked({ definition, cursor }, at) as Step[]);
    const onTime = [0, 0, 1, 'overlap'];
    expect(blockedAt(late)).toEqual([[-5 * minuteMs, -minuteMs, 5, 'missed'], onTime]);
    expect(blockedAt({ ...late, resumedMs: dayMs })).toEqual([[-5 * minuteMs, -minuteMs, 5, 'paused'], onTime]);
  });

  test('no more wait to be caught up with than may', () => {
    const policy = { overlap: { bufferAll: 9 }, catchUp: { all: 2 } } as const;
    const late = cursorAt(-5 * minuteMs, { fired: [dayMs - 6 * minuteMs] });
    const at = { nowMs: dayMs - 20_000, graceMs: graceMsMin };
    const step = only(planBlocked({ definition: every('1m', policy), cursor: late }, at));
    expect(step.cursor).toMatchObject({ caughtUp: 2, nextMs: dayMs });
    expect(step.cursor.waiting.map(since)).toEqual([-5 * minuteMs, -4 * minuteMs]);
    expect(passed([step])).toEqual([[-3 * minuteMs, -minuteMs, 3, 'missed']]);
  });

  test('who has waited for long is looked after less often: it may wait in thousands', () => {
    const definition = every('1d', { overlap: 'bufferOne' });
    const step = only(planBlocked({ definition, cursor: cursorAt(0, former) }, { nowMs: dayMs, graceMs: 1 }));
    const waited = [0, 1_000, 60_000, 3_600_000].map((ms) => {
      const nowMs = dayMs + ms;
      return (lookMs({ definition, cursor: step.cursor }, nowMs) ?? 0) - nowMs - aheadMs;
    });
    expect(waited).toEqual([100, 100, 1_200, 5_000]);
  });

  test('what comes while others wait, and the former is settled, waits with them', () => {
    const waiting = cursorAt(0, { ...former, waiting: [dayMs - 3 * minuteMs], waitingSinceMs: dayMs });
    const steps = planAt(every('1m', { overlap: { bufferAll: 5 } }), waiting, 1_000);
    expect(steps.map(({ fireMs, cursor }) => [since(fireMs), cursor.waiting.map(since)])).toEqual([
      [null, [-3 * minuteMs, 0]],
      [-3 * minuteMs, [0]],
    ]);
  });

  test('what waits holds up no look at the times that come, nor at those that have come', () => {
    const definition = every('1m', { overlap: { bufferAll: 5 } });
    const waiting = cursorAt(1_000, { ...former, waiting: [dayMs - minuteMs], waitingSinceMs: dayMs - 3_600_000 });
    expect(lookMs({ definition, cursor: waiting }, dayMs)).toBe(dayMs + 1_000 + aheadMs);
    expect(lookMs({ definition, cursor: { ...waiting, nextMs: dayMs - 20_000 } }, dayMs)).toBe(dayMs);
  });

  test('what waits comes first, and is looked after often', () => {
    const waiting = cursorAt(minuteMs, { ...former, waiting: [dayMs, dayMs + 1_000] });
    const steps = planAt(every('1m', { overlap: { bufferAll: 5 } }), waiting, 30_000);
    expect(steps.map(({ fireMs, unlessMs }) => [since(fireMs), since(unlessMs)])).toEqual([[0, -minuteMs]]);
    expect(steps[0]?.cursor).toMatchObject({ waiting: [dayMs + 1_000], nextMs: dayMs + minuteMs });
    expect((lookMs({ definition: every('1m'), cursor: waiting }, dayMs + 30_000) ?? 0) - dayMs - 30_000).toBe(
      aheadMs + 100,
    );
  });

  test('one that waits and is blocked stays as it is until the next time comes', () => {
    const cursor = cursorAt(minuteMs, { ...former, waiting: [dayMs] });
    const steps = planBlocked(
      { definition: every('1m', { overlap: 'bufferOne' }), cursor },
      { nowMs: dayMs + 1_000, graceMs: graceMsMin },
    );
    expect(only(steps).cursor).toBe(cursor);
  });
});

describe('who decides when its time comes', () => {
  const limited = every('1m', { overlap: 'bufferOne', limit: 2 });
  const at = { nowMs: dayMs + 30_000, graceMs: graceMsMin };

  test('is not looked at ahead', () => {
    expect(lookMs({ definition: limited, cursor: cursorAt(0) }, dayMs - 5_000)).toBe(dayMs + aheadMs);
    expect(lookMs({ definition: every('1m'), cursor: cursorAt(0) }, dayMs - 5_000)).toBe(dayMs);
  });

  test('and is behind takes its turn with the others', () => {
    expect(lookMs({ definition: every('1m'), cursor: cursorAt(-minuteMs) }, dayMs)).toBe(dayMs);
  });

  test('fires one at a time, for the next must wait for it', () => {
    const steps = planAt(every('1s', { overlap: 'skip', catchUp: { all: 100 } }), cursorAt(-60_000), 0);
    expect(fired(steps)).toEqual([-60_000]);
  });

  test('keeps to its limit, also with what waits', () => {
    const full = cursorAt(0, { count: 1, fired: [dayMs - minuteMs], waiting: [dayMs - 1_000] });
    expect(planBlocked({ definition: limited, cursor: full }, at)).toMatchObject([{ cursor: { nextMs: null } }]);
    const steps = planAt(limited, full, 30_000);
    expect(steps.at(-1)?.cursor).toMatchObject({ count: 2, nextMs: null, waiting: [] });
    expect(planAt(limited, cursorAt(0, { count: 2 }), 0)).toMatchObject([{ fireMs: null, cursor: { nextMs: null } }]);
  });

  test('keeps nothing that its policy would not catch up with', () => {
    const skipping = every('1m', { overlap: { bufferAll: 9 }, catchUp: 'skip' });
    const cursor = cursorAt(-minuteMs, { fired: [dayMs - 2 * minuteMs] });
    const step = only(planBlocked({ definition: skipping, cursor }, at));
    expect([passed([step]), step.cursor.waiting]).toEqual([[[-minuteMs, 0, 2, 'missed']], []]);
  });
});

describe('failures', () => {
  const definition = every('1m', { pauseAfter: 2 });
  const cursor = cursorAt(0, { fired: [dayMs - minuteMs] });

  test('so many in a row pause the schedule', () => {
    const once = judge({ definition, cursor }, 'dead', dayMs);
    expect(once).toMatchObject({ failures: 1, pause: null, judgedMs: dayMs - minuteMs });
    const next = { ...once, fired: [...once.fired, dayMs] };
    expect([unjudged(cursor), unjudged(once), unjudged(next)]).toEqual([[dayMs - minuteMs], [], [dayMs]]);
    const twice = judge({ definition, cursor: next }, 'dead', dayMs);
    expect(twice.pause).toEqual({ sinceMs: dayMs, note: '2 in a row became dead letters' });
  });

  test('one that is well counts them anew', () => {
    const once = judge({ definition, cursor }, 'dead', dayMs);
    expect(judge({ definition, cursor: once }, 'settled', dayMs)).toMatchObject({ failures: 0, pause: null });
  });
});
