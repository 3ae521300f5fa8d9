import { describe, expect, test } from 'vitest';
import { aheadMs, brokenIn, CampaignHistory, clockReading } from '../support/campaign-history.js';

const campaign = (): CampaignHistory => new CampaignHistory().withoutHandlers();

test('tasks that were added, started when due and ended once keep every promise', () => {
  const verdict = campaign().task('a', 1_000).task('b', 1_100, 'worker-2.1').reign(7, 500).judge();
  expect(brokenIn(verdict)).toEqual([]);
  expect(verdict).toMatchObject({ held: true, figures: { tasks: 2, accepted: 2, starts: 2, completed: 2 } });
});

test('a history without a plan is none of a campaign', () => {
  expect(() => campaign().judge(({ what }) => what === 'plan')).toThrow('no plan');
});

test('what was broken is shown five times, and then counted', () => {
  const history = campaign();
  for (let at = 1; at <= 8; at += 1) history.add(`lost-${at}`, at * 100);
  const result = history.judge().results.find(({ name }) => name === 'NO_LOSS');
  expect(result).toMatchObject({ held: false, count: 8 });
  expect(result?.broken).toHaveLength(6);
  expect(result?.broken[0]).toBe('lost-1 was added at 0.101 s and has no end; it never started');
  expect(result?.broken.at(-1)).toBe('and 3 more');
});

describe('NO_LOSS', () => {
  test('a task that was added and has no end is lost', () => {
    expect(campaign().task('a', 1_000).add('b', 1_000).broken()).toEqual(['NO_LOSS']);
  });

  test('so is one that was started, and one that was only given back to the schedule', () => {
    expect(campaign().add('b', 1_000).start('b', 1_005).broken()).toEqual(['NO_LOSS']);
    const retried = campaign()
      .add('b', 1_000)
      .start('b', 1_005)
      .returned('b', 1_010)
      .end('b', 1_011, { verb: 'retry' });
    expect(retried.broken()).toEqual(['NO_LOSS']);
  });

  test.each(['complete', 'bury', 'cancelled', 'expired'] as const)('%s is an end', (verb) => {
    expect(campaign().task('a', 500).add('b', 1_000).end('b', 1_010, { verb }).broken()).toEqual([]);
  });

  test('a duplicate after an add of which nobody heard is an add that returned', () => {
    const history = campaign().note(900, 'producer-1.1', { what: 'add_unknown', id: 'b', code: 'ERR_OUTCOME_UNKNOWN' });
    history.note(890, 'producer-1.1', { what: 'add', id: 'b', fate: 'work' });
    history.note(1_000, 'producer-1.1', { what: 'added', id: 'b', status: 'duplicate' });
    expect(history.broken()).toEqual(['NO_LOSS']);
  });

  test('an add of which nobody heard is owed nothing, nor is one whose producer was killed', () => {
    const history = campaign().task('a', 500).note(890, 'producer-1.1', { what: 'add', id: 'b', fate: 'work' });
    history.note(891, 'producer-1.1', { what: 'add', id: 'c', fate: 'work' });
    history.note(900, 'producer-1.1', { what: 'add_unknown', id: 'b', code: 'ERR_OUTCOME_UNKNOWN' });
    const verdict = history.judge();
    expect(verdict).toMatchObject({ held: true, figures: { accepted: 1, possible: 2 } });
  });

  test('what Redis lost with its last writes is counted and forgiven, and nothing before them', () => {
    const during = campaign()
      .task('a', 500)
      .add('b', 9_000)
      .fault('redis-kill', 10_000, 11_000, { costs: ['writes'] });
    expect(during.start('z', 20_000).judge()).toMatchObject({ figures: { lostWrites: 1 } });
    expect(during.judge().results.find(({ name }) => name === 'NO_LOSS')?.held).toBe(true);
    const before = campaign()
      .task('a', 500)
      .add('b', 7_000)
      .fault('redis-kill', 10_000, 11_000, { costs: ['writes'] });
    expect(before.task('c', 20_000).broken()).toEqual(['NO_LOSS']);
  });
});

describe('NO_GHOST', () => {
  const refused = (): CampaignHistory => {
    const history = campaign().task('a', 500).note(1_000, 'producer-1.1', { what: 'add', id: 'b', fate: 'work' });
    return history.note(1_001, 'producer-1.1', { what: 'add_refused', id: 'b', code: 'ERR_REDIS_UNREACHABLE' });
  };

  test('an add that was refused leaves nothing', () => expect(refused().broken()).toEqual([]));

  test('a task whose add was refused does not start', () => {
    expect(refused().start('b', 1_010).broken()).toEqual(['NO_GHOST']);
  });

  test('a task that nobody added does not start, and does not end', () => {
    expect(campaign().task('a', 500).start('b', 1_010).broken()).toEqual(['NO_GHOST']);
    expect(campaign().task('a', 500).end('b', 1_010, { verb: 'expired' }).broken()).toContain('NO_GHOST');
  });
});

describe('NO_EARLY', () => {
  const dueAt = (ms: number): { dueMs: number } => ({ dueMs: ms + aheadMs });

  test('a start before what Redis said is early', () => {
    expect(campaign().add('a', 1_000).start('a', 1_500, dueAt(1_500.05)).finish('a', 1_600).broken()).toEqual([]);
    expect(campaign().add('a', 1_000).start('a', 1_500, dueAt(1_500.2)).finish('a', 1_600).broken()).toEqual([
      'NO_EARLY',
    ]);
  });

  test('a start before what the producer asked for is early, whatever Redis said', () => {
    const at = campaign().add('a', 1_000, dueAt(2_000)).start('a', 1_500, dueAt(1_500)).finish('a', 1_600);
    expect(at.broken()).toEqual(['NO_EARLY']);
    const late = campaign().add('a', 1_000, { inMs: 500 }).start('a', 1_499, dueAt(1_400)).finish('a', 1_600);
    expect(late.broken()).toEqual(['NO_EARLY']);
    const inTime = campaign().add('a', 1_000, { inMs: 500 }).start('a', 1_500, dueAt(1_400)).finish('a', 1_600);
    expect(inTime.broken()).toEqual([]);
  });

  test('a clock that was stepped may have shown either: only what is early by both is early', () => {
    const stepped = (startAt: number): string[] => {
      const history = campaign().add('a', 1_000).start('a', startAt, dueAt(2_000)).finish('a', 2_100);
      for (let at = 0; at < 60_000; at += 100) {
        const reading = clockReading(at, at <= 1_400 || at >= 1_900 ? aheadMs : aheadMs + 500);
        history.note(reading.at, reading.by, reading);
      }
      return history.broken();
    };
    expect(stepped(1_510)).toEqual([]);
    expect(stepped(1_450)).toEqual(['NO_EARLY']);
    expect(stepped(1_850)).toEqual([]);
    expect(stepped(1_950)).toEqual(['NO_EARLY']);
  });

  test('what was opened before the clock went back was due then', () => {
    const history = campaign().task('b', 500).add('a', 1_000).start('a', 1_650, dueAt(1_900)).finish('a', 2_100);
    for (let at = 0; at < 60_000; at += 100) {
      const reading = clockReading(at, at < 1_300 ? aheadMs + 600 : aheadMs);
      history.note(reading.at, reading.by, reading);
    }
    expect(history.broken()).toContain('NO_EARLY');
    history.fault('clock-step', 1_300, 1_301, { costs: ['clock'] });
    expect(history.broken()).not.toContain('NO_EARLY');
  });

  test('without a reading of the clock nothing can be said', () => {
    expect(
      campaign()
        .task('a', 1_000)
        .broken(({ what }) => what === 'clock'),
    ).toEqual(['NO_EARLY']);
  });
});

describe('DUP_EXPLAINED', () => {
  const twice = (): CampaignHistory =>
    campaign()
      .add('a', 10_000)
      .start('a', 10_005)
      .start('a', 11_500, { by: 'worker-2.1', delivery: 2 })
      .finish('a', 11_600, { by: 'worker-2.1', delivery: 2 })
      .task('later', 20_000);

  test('a second start of an attempt without a fault is not explained', () => {
    expect(twice().broken()).toEqual(['DUP_EXPLAINED']);
  });

  test.each([
    ['the worker of the first start was killed', 10_100, 'worker-1', ['leases'], true],
    ['all of the network was cut', 10_100, 'all', ['leases'], true],
    ['another worker was killed', 10_100, 'worker-2', ['leases'], false],
    ['its worker was killed before it had a lease', 8_900, 'worker-1', ['leases'], false],
    ['its worker was killed after that', 11_600, 'worker-1', ['leases'], false],
    ['the leader was killed', 10_100, 'leader-1', [], false],
    ['Redis was away', 10_100, 'redis', [], false],
    ['all were restarted in turn', 10_100, 'all', [], false],
    ['the group was destroyed', 10_100, 'operator', ['group'], true],
    ['Redis lost writes', 10_100, 'redis', ['writes'], true],
    ['the clock was stepped', 10_100, 'redis', ['clock'], false],
  ] as const)('%s', (_what, at, target, costs, isExplained) => {
    const verdict = twice()
      .fault('a-fault', at, at + 50, { target, costs })
      .judge();
    expect(brokenIn(verdict)).toEqual(isExplained ? [] : ['DUP_EXPLAINED']);
    expect(verdict.figures['extraStarts']).toBe(isExplained ? 1 : 0);
  });

  test('the start of the next attempt is none of the last', () => {
    const history = campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_010);
    history.end('a', 1_011, { verb: 'retry', of: 'e1' }).told('a', 1_012, { what: 'retried' });
    history.start('a', 1_200, { attempt: 2 }).finish('a', 1_210, { attempt: 2 });
    expect(history.broken()).toEqual([]);
  });
});

describe('ATTEMPT_MONO', () => {
  const again = (more: { attempt?: number; delivery?: number }, costs: ('leases' | 'group' | 'writes')[]): string[] =>
    campaign()
      .add('a', 10_000)
      .start('a', 10_005, { delivery: 2 })
      .fault('a-fault', 10_010, 10_020, { target: 'worker-1', costs })
      .start('a', 11_500, { by: 'worker-2.1', delivery: 3, ...more })
      .finish('a', 11_600, { by: 'worker-2.1', delivery: 3, ...more })
      .task('later', 20_000)
      .broken();

  test('a recovery is a later delivery of the same attempt', () => expect(again({}, ['leases'])).toEqual([]));

  test.each([1, 2])('delivery %i after delivery 2 is none', (delivery) => {
    expect(again({ delivery }, ['leases'])).toEqual(['ATTEMPT_MONO']);
  });

  test('a new group counts deliveries anew, and lost writes are lost here too', () => {
    expect(again({ delivery: 1 }, ['group'])).toEqual([]);
    expect(again({ delivery: 1 }, ['writes'])).toEqual([]);
  });

  test('the next attempt begins after the last was given back, and no attempt is left out', () => {
    expect(again({ attempt: 2, delivery: 1 }, [])).toEqual(['ATTEMPT_MONO']);
    const early = campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_006).start('a', 1_100, { attempt: 2 });
    early.end('a', 1_150, { verb: 'retry', of: 'e1' }).finish('a', 1_200, { attempt: 2 });
    expect(early.broken()).toEqual(['ATTEMPT_MONO']);
  });
});
