import { describe, expect, test } from 'vitest';
import type { Cost, RecordOf } from '../../src/cli/verify/history/records.js';
import { aheadMs, CampaignHistory } from '../support/campaign-history.js';

const campaign = (form: 'quick' | 'long' = 'quick'): CampaignHistory => new CampaignHistory(form).task('later', 30_000);

describe('CONSERVE', () => {
  const seen = (at: number, over: Partial<RecordOf<'snapshot'>>): CampaignHistory => {
    const places = { scheduled: 0, due: 0, ready: 0, active: 0, dead: 0 };
    const history = campaign().note(50_000, 'nemesis', {
      what: 'snapshot',
      ...places,
      counts: { added: 1, complete: 1 },
    });
    return history.note(at, 'nemesis', { what: 'snapshot', ...places, counts: {}, ...over });
  };

  test('what was added is somewhere, or has its end', () => {
    const counts = { added: 10, replayed: 1, complete: 2, bury: 1, cancelled: 1, expired: 1, retry: 50, swept: 3 };
    expect(seen(20_000, { scheduled: 3, due: 1, ready: 1, active: 1, dead: 9, counts }).broken()).toEqual([]);
    expect(seen(20_000, { scheduled: 3, due: 1, ready: 1, active: 0, dead: 9, counts }).broken()).toEqual(['CONSERVE']);
    expect(seen(20_000, { scheduled: 4, due: 1, ready: 1, active: 1, dead: 9, counts }).broken()).toEqual(['CONSERVE']);
  });

  test.each([
    [5_000, 'group', true],
    [4_000, 'group', true],
    [20_000, 'group', false],
    [5_000, 'leases', false],
  ] as const)('%i ms after the begin of a fault that costs %s', (at, cost: Cost, isExempt) => {
    const lost = seen(at, { counts: { added: 1 } }).fault('a-fault', 4_000, 4_500, {
      target: 'operator',
      costs: [cost],
    });
    expect(lost.broken()).toEqual(isExempt ? [] : ['CONSERVE']);
  });

  const atTheEnd = (added: number): CampaignHistory => {
    const history = campaign().add('a', 1_000).end('a', 1_010, { verb: 'expired', consumer: '' });
    history.note(1_000, 'producer-1.1', { what: 'add', id: 'unknown', fate: 'work' });
    const ends = { complete: 1, expired: added - 1 };
    const places = { scheduled: 0, due: 0, ready: 0, active: 0, dead: 0 };
    return history.note(51_000, 'nemesis', { what: 'snapshot', ...places, counts: { added, ...ends } });
  };

  test('in the end that is what producers added, and may have added', () => {
    expect(atTheEnd(1).broken()).toEqual(['CONSERVE']);
    expect(atTheEnd(2).broken()).toEqual([]);
    expect(atTheEnd(3).broken()).toEqual([]);
    expect(atTheEnd(4).broken()).toEqual(['CONSERVE']);
    expect(
      atTheEnd(1)
        .fault('redis-kill', 1_500, 1_600, { costs: ['writes'] })
        .broken(),
    ).toEqual([]);
  });
});

describe('QUIESCE', () => {
  const left = (at: number, over: Partial<RecordOf<'left'>>, form: 'quick' | 'long' = 'quick'): string[] =>
    campaign(form)
      .note(at, 'nemesis', { what: 'left', keys: {}, consumers: 0, silent: 0, lock: 0, ...over })
      .broken();

  test.each(['due', 'tasks', 'stream', 'live', 'runs', 'expiry', 'pending'])('nothing is left in %s', (key) => {
    expect(left(50_100, { keys: { [key]: 0 } })).toEqual([]);
    expect(left(50_100, { keys: { [key]: 1 } })).toEqual(['QUIESCE']);
  });

  test('who works still is known and holds the lock, who has left is and does not', () => {
    expect(left(50_100, { consumers: 2, lock: 1 }, 'long')).toEqual([]);
    expect(left(55_100, { lock: 1 })).toEqual(['QUIESCE']);
    expect(left(55_100, { consumers: 1 }, 'long')).toEqual(['QUIESCE']);
    expect(left(50_100, { consumers: 3, silent: 1 }, 'long')).toEqual(['QUIESCE']);
  });

  test('the quick form does not wait until the dead are forgotten', () => {
    expect(left(50_100, { consumers: 3, silent: 1 })).toEqual([]);
    expect(left(55_100, { consumers: 1, silent: 1 })).toEqual([]);
  });

  test('a campaign that was broken off did not show it', () => {
    const history = campaign().note(50_001, 'nemesis', { what: 'left', keys: {}, consumers: 0, silent: 0, lock: 0 });
    expect(history.broken(({ what }) => what === 'left')).toEqual(['QUIESCE']);
  });
});

describe('RECOVER', () => {
  const startsAfter = (ms: number | undefined, form: 'quick' | 'long'): string[] => {
    const history = new CampaignHistory(form).task('before', 1_000).fault('redis-kill', 10_000, 11_000);
    return ms === undefined ? history.broken() : history.task('after', 11_000 + ms - 5).broken();
  };

  test('in the long form the work goes on within a lease, a lock and two seconds', () => {
    expect(startsAfter(3_500, 'long')).toEqual([]);
    expect(startsAfter(3_501, 'long')).toEqual(['RECOVER']);
    expect(startsAfter(undefined, 'long')).toEqual(['RECOVER']);
  });

  test('in the quick form it goes on', () => {
    expect(startsAfter(20_000, 'quick')).toEqual([]);
    expect(startsAfter(undefined, 'quick')).toEqual(['RECOVER']);
  });

  test('where the next fault comes too soon nothing is asked, nor when the load is over', () => {
    const soon = campaign('long').fault('redis-kill', 10_000, 11_000).fault('net-hole', 14_000, 29_000);
    expect(soon.broken()).toEqual([]);
    const over = campaign('long').fault('redis-kill', 10_000, 11_000).fault('redis-kill', 44_000, 46_000);
    expect(over.task('after', 11_100).broken()).toEqual([]);
  });

  test('a long campaign that was never calm for long enough shows nothing', () => {
    expect(campaign('long').fault('redis-kill', 10_000, 44_000).broken()).toEqual(['RECOVER']);
    expect(campaign('quick').fault('redis-kill', 10_000, 44_000).task('after', 44_100).broken()).toEqual([]);
  });

  test('a fault inside another ends nothing', () => {
    const history = campaign('long').fault('redis-kill', 10_000, 29_000).fault('net-reset', 12_000, 13_000);
    expect(history.broken()).toEqual([]);
  });
});

describe('LATENESS', () => {
  const late = (lateMs: number, form: 'quick' | 'long' = 'long'): CampaignHistory => {
    const history = campaign(form)
      .add('a', 1_000)
      .start('a', 5_000, { dueMs: 5_000 + aheadMs - lateMs });
    return history.finish('a', 5_010);
  };

  test('is told', () => {
    const { figures } = late(200).judge();
    expect(figures).toMatchObject({ latenessCount: 2 });
    expect(figures['latenessP50Ms']).toBeCloseTo(5, 3);
    expect(figures['latenessP99Ms']).toBeCloseTo(200, 3);
  });

  test('more than a second, with nothing broken, is too much in the long form', () => {
    expect(late(999).broken()).toEqual([]);
    expect(late(1_001).broken()).toEqual(['LATENESS']);
    expect(late(1_001, 'quick').broken()).toEqual([]);
  });

  test('what was due when something was broken, or could be felt, does not count', () => {
    const broken = (fromMs: number): string[] =>
      late(1_500)
        .fault('redis-stall', fromMs, fromMs + 100)
        .broken();
    expect(broken(3_600)).not.toContain('LATENESS');
    expect(broken(100)).not.toContain('LATENESS');
    expect(broken(5_100)).toContain('LATENESS');
  });
});

describe('SOMETIMES', () => {
  const missed = (history: CampaignHistory): string[] =>
    history.judge().sometimes.flatMap(({ held, name }) => (held ? [] : [name]));

  test('a campaign without a start proves nothing', () => {
    expect(missed(new CampaignHistory())).toEqual(['a task was started']);
    expect(new CampaignHistory().judge().held).toBe(false);
  });

  const worker = { target: 'worker-1', costs: ['leases'] } as const;

  test('who was killed with a handler at work leaves something to recover', () => {
    const killed = (): CampaignHistory =>
      campaign().note(1_100, 'nemesis', { what: 'process', name: 'worker-1.1', phase: 'killed' });
    const atWork = (): CampaignHistory => killed().add('a', 1_000).start('a', 1_005).end('a', 3_000);
    expect(missed(atWork())).toEqual(['a delivery was recovered']);
    expect(missed(atWork().told('a', 2_900, { what: 'recovered', by: 'worker-2.1' }))).toEqual([]);
    expect(missed(killed())).toEqual([]);
    expect(missed(killed().task('a', 1_000))).toEqual([]);
  });

  test('who killed itself is known by the signal it ended by', () => {
    const exited = { what: 'process', name: 'worker-1.1', phase: 'exited', code: null, asked: true } as const;
    const ended = (signal: string | null): CampaignHistory =>
      campaign()
        .add('a', 1_000)
        .start('a', 1_005)
        .end('a', 3_000)
        .note(1_100, 'nemesis', { ...exited, signal });
    expect(missed(ended('SIGKILL'))).toEqual(['a delivery was recovered']);
    expect(missed(ended(null))).toEqual([]);
  });

  test('who was silent for longer than a lease, with a handler at work, loses some', () => {
    const frozen = (times: number): CampaignHistory => {
      const history = campaign();
      for (let at = 1; at <= times; at += 1) {
        history
          .add(`a${at}`, at * 3_000)
          .start(`a${at}`, at * 3_000 + 5)
          .finish(`a${at}`, at * 3_000 + 2_000);
        history.fault('worker-freeze', at * 3_000 + 100, at * 3_000 + 1_500, worker);
      }
      return history;
    };
    expect(missed(frozen(2))).toEqual([]);
    expect(missed(frozen(3))).toEqual(['a lease was lost']);
    expect(missed(frozen(3).told('a1', 4_600, { what: 'lease_lost' }))).toEqual([]);
  });

  test('replies that were to be cut were cut', () => {
    const cutting = (times: number): CampaignHistory => {
      const history = campaign();
      for (let at = 1; at <= times; at += 1) history.fault('net-cut-replies', at * 1_000, at * 1_000 + 500);
      return history;
    };
    expect(missed(cutting(2))).toEqual([]); // who is cut off may have had no replies just then
    expect(missed(cutting(3))).toEqual(['a reply was cut']);
    expect(missed(cutting(3).note(50_000, 'nemesis', { what: 'replies', cut: 1 }))).toEqual([]);
  });

  test('of many leaders that were frozen one had its write refused', () => {
    const history = campaign();
    for (let at = 1; at <= 30; at += 1) history.fault('leader-freeze', at * 100, at * 100 + 50, { target: 'leader-1' });
    expect(missed(history)).toEqual(['a write was refused']);
    expect(missed(history.note(9_000, 'leader-1.1', { what: 'stale_write_refused', op: 'sweep' }))).toEqual([]);
  });
});
