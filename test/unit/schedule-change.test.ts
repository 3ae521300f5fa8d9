/** What a change of a schedule makes of what it has not decided yet. */
import { describe, expect, test } from 'vitest';
import { change, resumed } from '../../src/schedule/change.js';
import { type Cursor, type Passed, withPassed } from '../../src/schedule/cursor.js';
import type { Definition } from '../../src/schedule/definition.js';
import type { SchedulePolicy } from '../../src/schedule/policy.js';
import { unjudged } from '../../src/schedule/judge.js';
import { cursorAt, dayMs, every, minuteMs, since } from '../support/schedule-standing.js';

const line = (from: number, to: number, why: Passed['why'] = 'overlap'): Passed => ({
  fromMs: dayMs + from * minuteMs,
  toMs: dayMs + to * minuteMs,
  count: to - from + 1,
  why,
});

function after(former: Definition, cursor: Cursor, wanted: Definition): Cursor {
  const done = change({ definition: former, cursor }, { ...wanted, version: 2 }, dayMs + 10 * minuteMs + 1);
  if (!('standing' in done)) throw new Error(done.kind);
  return done.standing.cursor;
}

describe('a new rule lists what the former one has left', () => {
  test('what waited, and what was passed over since, each as it is', () => {
    const policy: SchedulePolicy = { overlap: 'bufferOne' };
    const waiting = withPassed(cursorAt(6 * minuteMs, { waiting: [dayMs] }), line(1, 5));
    const { passed } = after(every('1m', policy), waiting, every('2m', policy));
    expect(passed).toEqual([line(1, 5), line(0, 0), line(6, 10, 'missed')]);
  });

  test('up to its last time, however many there are; a thousand are counted', () => {
    const cursor = cursorAt(-5_000 * minuteMs);
    const { passed } = after(every('1m'), cursor, every('2m'));
    expect(passed).toEqual([{ ...line(-5_000, 10, 'missed'), count: 1_000 }]);
  });
});

describe('a limit that is lowered', () => {
  test('leaves out what waits beyond it, and lists that', () => {
    const waiting = [0, 1, 2].map((minute) => dayMs + minute * minuteMs);
    const cursor = cursorAt(20 * minuteMs, { count: 1, waiting, waitingSinceMs: dayMs });
    const buffered: SchedulePolicy = { overlap: { bufferAll: 9 } };
    const lowered = after(every('1m', buffered), cursor, every('1m', { ...buffered, limit: 2 }));
    expect([lowered.waiting.map(since), lowered.passed]).toEqual([[0], [line(1, 2)]]);
    const over = after(every('1m', buffered), cursor, every('1m', { ...buffered, limit: 1 }));
    expect([over.waiting, over.waitingSinceMs, over.nextMs, over.passed]).toEqual([[], null, null, [line(0, 2)]]);
  });
});

test('who resumes it has nothing that was fired before held against it', () => {
  const fired = [1, 2, 3].map((minute) => dayMs + minute * minuteMs);
  const cursor = cursorAt(0, { fired, judgedMs: fired[0] as number, failures: 3, pause: { sinceMs: dayMs, note: '' } });
  expect(unjudged(resumed(cursor, dayMs))).toEqual([]);
});
