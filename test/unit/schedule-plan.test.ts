import { describe, expect, test } from 'vitest';
import type { Cursor, Passed } from '../../src/schedule/cursor.js';
import { graceMsMin } from '../../src/schedule/fate.js';
import { lookMs } from '../../src/schedule/look.js';
import { plan } from '../../src/schedule/plan.js';
import { aheadMs } from '../../src/schedule/step.js';
import { cursorAt, dayMs, every, fired, minuteMs, passed, planAt, since } from '../support/schedule-standing.js';

describe('a time', () => {
  const definition = every('1m');

  test.each([
    ['is handed over half a second ahead', -aheadMs, [0]],
    ['not earlier', -aheadMs - 1, []],
    ['on time', 0, [0]],
    ['and up to ten seconds late, as after a change of leaders', graceMsMin, [0]],
  ])('%s', (_what, nowMs, expected) => {
    expect(fired(planAt(definition, cursorAt(0), nowMs))).toEqual(expected);
  });

  test('moves the schedule on to the next', () => {
    const [step] = planAt(definition, cursorAt(0), 0);
    expect(step?.cursor).toMatchObject({ nextMs: dayMs + minuteMs, count: 1, fired: [dayMs], passed: [] });
  });

  test.each([['skip'], ['one'], [{ all: 3 }]] as const)(
    'that came within the last ten seconds is fired, whatever the policy: %j',
    (catchUp) => {
      const steps = planAt(every('1s', { catchUp }), cursorAt(-9_000), 0);
      expect(fired(steps)).toEqual([-9, -8, -7, -6, -5, -4, -3, -2, -1, 0].map((second) => second * 1_000));
      expect(passed(steps)).toEqual([]);
    },
  );

  test('that is decided when it comes is not handed over ahead', () => {
    const skipping = every('1m', { overlap: 'skip' });
    expect(planAt(skipping, cursorAt(0), -1)).toEqual([]);
    expect(fired(planAt(skipping, cursorAt(0), 0))).toEqual([0]);
  });
});

describe('missed times', () => {
  const missedFrom = -5 * minuteMs;

  test('skip: none is fired', () => {
    const steps = planAt(every('1m', { catchUp: 'skip' }), cursorAt(missedFrom), 20_000);
    expect([fired(steps), passed(steps)]).toEqual([[], [[missedFrom, 0, 6, 'missed']]]);
    expect(steps.at(-1)?.cursor.nextMs).toBe(dayMs + minuteMs);
  });

  test('one: the last, for all of them', () => {
    const steps = planAt(every('1m'), cursorAt(missedFrom), 20_000);
    expect([fired(steps), passed(steps)]).toEqual([[0], [[missedFrom, -minuteMs, 5, 'coalesced']]]);
  });

  test('one: none, when a later one is on time', () => {
    const steps = planAt(every('1m'), cursorAt(missedFrom), 5_000);
    expect([fired(steps), passed(steps)]).toEqual([[0], [[missedFrom, -minuteMs, 5, 'coalesced']]]);
  });

  test('all: the earliest first, up to the most, and the one that is on time in any case', () => {
    const steps = planAt(every('1m', { catchUp: { all: 2 } }), cursorAt(missedFrom), 5_000);
    expect(fired(steps)).toEqual([missedFrom, -4 * minuteMs, 0]);
    expect(passed(steps)).toEqual([[-3 * minuteMs, -minuteMs, 3, 'missed']]);
    expect(steps.map(({ cursor }) => cursor.caughtUp)).toEqual([1, 2, 2, 0]);
  });

  test('none from before the window', () => {
    const policy = { catchUp: { all: 10 }, window: '150s' } as const;
    const steps = planAt(every('1m', policy), cursorAt(missedFrom), 20_000);
    expect(fired(steps)).toEqual([-2 * minuteMs, -minuteMs, 0]);
    expect(passed(steps)).toEqual([[missedFrom, -3 * minuteMs, 3, 'missed']]);
    expect(fired(planAt(every('1h', { window: '10s' }), cursorAt(0), minuteMs))).toEqual([]);
  });

  test('two weeks of them are gone through by the handful', () => {
    const definition = every('1s');
    let cursor = cursorAt(-14 * 86_400_000);
    const steps = planAt(definition, cursor, 20_000);
    expect(passed(steps)).toEqual([[-14 * 86_400_000, -14 * 86_400_000 + 199_000, 200, 'coalesced']]);
    let count = 0;
    for (let plans = 0; plans < 10_000 && (cursor.nextMs ?? 0) <= dayMs; plans += 1) {
      for (const step of planAt(definition, cursor, 20_000)) {
        count += (step.passed?.count ?? 0) + (step.fireMs === null ? 0 : 1);
        cursor = step.cursor;
      }
    }
    expect(count).toBe(14 * 86_400 + 20 + 1);
    expect(cursor.passed).toHaveLength(1);
  });

  test('in a pause are told apart, and one is caught up with', () => {
    const resumed = cursorAt(missedFrom, { resumedMs: dayMs + 2_000 });
    const steps = planAt(every('1m'), resumed, 2_000);
    expect([fired(steps), passed(steps)]).toEqual([[0], [[missedFrom, -minuteMs, 5, 'paused']]]);
    const skipping = planAt(every('1m', { catchUp: 'skip' }), resumed, 2_000);
    expect([fired(skipping), passed(skipping)]).toEqual([[], [[missedFrom, 0, 6, 'paused']]]);
  });
});

describe('an end', () => {
  test('of a rule leaves no next time', () => {
    const steps = planAt(every('1m', {}, { end: dayMs + minuteMs }), cursorAt(0), 0);
    expect([fired(steps), steps.at(-1)?.cursor.nextMs]).toEqual([[0], null]);
    expect(lookMs({ definition: every('1m'), cursor: steps.at(-1)?.cursor as Cursor }, dayMs)).toBeNull();
  });

  test('by a limit, also in the middle of catching up', () => {
    const limited = every('1m', { catchUp: { all: 10 }, limit: 5 });
    const steps = planAt(limited, cursorAt(-5 * minuteMs, { count: 3 }), 0);
    expect([fired(steps), steps.at(-1)?.cursor.nextMs]).toEqual([[-5 * minuteMs, -4 * minuteMs], null]);
  });
});

test('a plan that has no time left looks at one time, and goes on with the next', () => {
  const at = { nowMs: dayMs, graceMs: graceMsMin, hasTime: () => false };
  const steps = plan({ definition: every('1s'), cursor: cursorAt(-5_000) }, at);
  expect(fired(steps)).toEqual([-5_000]);
});

test('a paused schedule fires nothing, and is not looked at any more', () => {
  const cursor = cursorAt(0, { pause: { sinceMs: dayMs, note: '' } });
  const steps = planAt(every('1m'), cursor, 0);
  expect(steps.map(({ fireMs, passed }) => [fireMs, passed])).toEqual([[null, null]]);
  expect(lookMs({ definition: every('1m'), cursor }, dayMs)).toBeNull();
});

describe('a backfill', () => {
  const hourMs = 60 * minuteMs;
  const fill = (fromMs: number, toMs: number, more: object = {}): Partial<Cursor> => ({
    createdMs: dayMs - hourMs,
    backfill: {
      fromMs: dayMs + fromMs,
      nextMs: dayMs + fromMs,
      toMs: dayMs + toMs,
      perSecond: 100,
      again: false,
      lookMs: dayMs,
      count: 0,
      ...more,
    },
  });
  /** All it fires, and where it leaves the cursor. */
  const run = (cursor: Cursor): { times: (number | null)[]; cursor: Cursor; looks: number } => {
    const times: (number | null)[] = [];
    let [at, looks] = [cursor, 0];
    for (let nowMs = 0; at.backfill !== null && looks < 1_000; nowMs = (at.backfill?.lookMs ?? 0) - dayMs) {
      looks += 1;
      for (const step of planAt(every('1m'), at, nowMs)) {
        at = step.cursor;
        if (step.fireMs !== null) times.push(since(step.fireMs));
      }
    }
    return { times, cursor: at, looks };
  };

  test('fires what was before the rule, and not what the rule has fired', () => {
    const { times, cursor, looks } = run(cursorAt(10 * hourMs, fill(-2 * hourMs, 0)));
    expect(times).toEqual(Array.from({ length: 60 }, (_, at) => -2 * hourMs + at * minuteMs));
    expect(cursor.filled).toEqual([[dayMs - 2 * hourMs, dayMs]]);
    expect(looks).toBeGreaterThanOrEqual(6); // ten each tenth of a second
    expect([cursor.count, cursor.fired]).toEqual([0, []]);
  });

  test('fires what was passed over', () => {
    const line: Passed = { fromMs: dayMs - 30 * minuteMs, toMs: dayMs - 28 * minuteMs, count: 3, why: 'missed' };
    const { times } = run(cursorAt(10 * hourMs, { ...fill(-hourMs, 0), passed: [line] }));
    expect(times).toEqual([-30 * minuteMs, -29 * minuteMs, -28 * minuteMs]);
  });

  test('fires each once: what was filled is not filled again, unless that is asked for', () => {
    const first = run(cursorAt(10 * hourMs, fill(-3 * hourMs, -2 * hourMs))).cursor;
    const more = run({ ...first, ...fill(-4 * hourMs, -hourMs) });
    expect(more.times).toHaveLength(120);
    expect(more.cursor.filled).toEqual([[dayMs - 4 * hourMs, dayMs - hourMs]]);
    expect(run({ ...first, ...fill(-4 * hourMs, -hourMs, { again: true }) }).times).toHaveLength(180);
  });

  test('leaves out what waits to be fired anyway', () => {
    const line: Passed = { fromMs: dayMs - minuteMs, toMs: dayMs, count: 2, why: 'overlap' };
    const waiting = { ...fill(-minuteMs, minuteMs), passed: [line], waiting: [dayMs] };
    const steps = plan({ definition: every('1m'), cursor: cursorAt(hourMs, waiting) }, { nowMs: dayMs, graceMs: 1 });
    expect(fired(steps)).toEqual([-minuteMs, 0]);
    expect(steps[0]?.cursor.waiting).toEqual([dayMs]);
  });

  test('keeps its rate, also one that is below ten a second', () => {
    const { looks } = run(cursorAt(10 * hourMs, fill(-2 * hourMs, -110 * minuteMs, { perSecond: 1 })));
    expect(looks).toBe(11);
    const slow = planAt(every('1m'), cursorAt(10 * hourMs, fill(-2 * hourMs, 0, { perSecond: 2 })), 0);
    expect((slow.at(-1)?.cursor.backfill?.lookMs ?? 0) - dayMs).toBe(aheadMs + 500);
  });

  test('holds up nothing that is due', () => {
    const steps = planAt(every('1m'), cursorAt(0, fill(-2 * hourMs, 0)), 0);
    expect(fired(steps)).toHaveLength(11);
    expect(steps.at(-1)?.cursor).toMatchObject({ nextMs: dayMs + minuteMs, fired: [dayMs] });
    expect(steps.at(-1)?.cursor.backfill?.count).toBe(10);
  });
});
