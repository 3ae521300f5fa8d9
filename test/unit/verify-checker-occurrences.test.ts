import { describe, expect, test } from 'vitest';
import type { Cost } from '../../src/cli/verify/history/records.js';
import { aheadMs, CampaignHistory, leaseMs, occurrenceIdAt } from '../support/campaign-history.js';

const second = 'tick-1';
/** Longer ago than this a time was owed, however slow the machine. */
const graceMs = leaseMs + 500 + 2_000;

/** A leader, and a schedule of five seconds from 10 s on, each of which ran; but for those left out. */
function campaign({ without = [] }: { without?: readonly number[] } = {}): CampaignHistory {
  const history = new CampaignHistory().task('later', 30_000).audit(1_000, { op: 'lead', term: 7, leader: 'a' });
  history.schedule(second, 10_000, 15_000);
  for (let at = 10_000; at < 15_000; at += 1_000) if (!without.includes(at)) history.occurrence(second, at);
  return history;
}

const idAt = (at: number): string => occurrenceIdAt(second, at);
const wordsOf = (history: CampaignHistory): readonly string[] =>
  history.judge().results.find(({ name }) => name === 'ONE_OCCURRENCE')?.broken ?? [];

test('a schedule each of whose times ran once keeps every promise', () => {
  const verdict = campaign().judge();
  expect(verdict).toMatchObject({
    held: true,
    figures: { occurrences: 5, occurrencesMissing: 0, occurrencesTwice: 0, accepted: 1, tasks: 6 },
  });
  expect(verdict.figures['occurrencesCalmP99Ms']).toBeCloseTo(5, 3);
  expect(verdict.figures['occurrencesMaxMs']).toBeCloseTo(5, 3);
});

describe('ONE_OCCURRENCE: none is missing', () => {
  test('a time that never came', () => {
    expect(campaign({ without: [12_000] }).broken()).toEqual(['ONE_OCCURRENCE']);
    expect(wordsOf(campaign({ without: [12_000] }))).toEqual([`${idAt(12_000)} never started`]);
    expect(campaign({ without: [12_000] }).judge().figures['occurrencesMissing']).toBe(1);
  });

  test('one that was fired and never started, and one that was started and has no end', () => {
    const fired = campaign({ without: [12_000] }).audit(11_900, { op: 'tick', term: 7, ids: [idAt(12_000)] });
    expect(fired.broken()).toEqual(['ONE_OCCURRENCE']);
    const begun = fired.start(idAt(12_000), 12_005, { dueMs: 12_000 + aheadMs });
    expect(wordsOf(begun)).toEqual([`${idAt(12_000)} has no end`]);
  });

  test('not even where Redis lost writes', () => {
    const history = campaign({ without: [12_000] }).fault('power-loss', 11_500, 13_500, { costs: ['writes'] });
    expect(history.broken()).toEqual(['ONE_OCCURRENCE']);
  });

  const stuck = (sinceMs: number): CampaignHistory => {
    const history = new CampaignHistory().task('later', 30_000).audit(1_000, { op: 'lead', term: 7, leader: 'a' });
    return history.schedule(second, 10_000, 11_000, sinceMs).occurrence(second, 10_000);
  };

  test('a schedule that says it had not come to them owes them all the same', () => {
    expect(stuck(11_000 + graceMs).broken()).toEqual([]);
    expect(stuck(11_001 + graceMs).broken()).toEqual(['ONE_OCCURRENCE']);
    expect(wordsOf(stuck(13_001 + graceMs))).toHaveLength(3);
  });
});

describe('ONE_OCCURRENCE: none comes twice', () => {
  test('one that was fired again after its end', () => {
    const history = campaign().audit(13_500, { op: 'tick', term: 7, ids: [idAt(13_000)] });
    expect(history.broken()).toEqual(['ONE_OCCURRENCE']);
    expect(wordsOf(history)).toEqual([`${idAt(13_000)} was fired 2 times`]);
    expect(history.judge().figures['occurrencesTwice']).toBe(1);
  });

  test('one that ended twice', () => {
    const history = campaign().end(idAt(13_000), 13_500, { of: 'another', consumer: '' });
    expect(history.broken()).toEqual(['SETTLE_UNIQUE', 'ONE_OCCURRENCE']);
  });

  const again = (delivery: number, cost: Cost): string[] => {
    const history = campaign({ without: [12_000] }).audit(11_900, { op: 'tick', term: 7, ids: [idAt(12_000)] });
    const dueMs = 12_000 + aheadMs;
    history.start(idAt(12_000), 12_005, { dueMs }).fault('a-fault', 12_010, 12_020, { costs: [cost] });
    history.start(idAt(12_000), 13_500, { dueMs, delivery, by: 'worker-2.1' });
    return history.finish(idAt(12_000), 13_600, { by: 'worker-2.1', delivery }).broken();
  };

  test('a start that no delivery goes before is another life', () => {
    expect(again(1, 'leases')).toEqual(['ATTEMPT_MONO', 'ONE_OCCURRENCE']);
  });

  test('a lease that was lost is none, nor a group that was made anew, nor an end that Redis lost', () => {
    expect(again(2, 'leases')).toEqual([]);
    expect(again(1, 'group')).toEqual([]);
    expect(again(1, 'writes')).toEqual([]);
  });
});

describe('ONE_OCCURRENCE: none is out of place', () => {
  test.each([
    [9_000, 'which came before its schedule'],
    [12_500, 'which is no time of its rule'],
    [15_000, 'which came after its schedule'],
  ])('at %i', (at, why) => {
    const history = campaign().occurrence(second, at);
    expect(history.broken()).toEqual(['ONE_OCCURRENCE']);
    expect(wordsOf(history)).toEqual([`${idAt(at)} ran, ${why}`]);
  });

  test('what is none of a schedule that there is was added by nobody', () => {
    expect(campaign().occurrence('unknown', 12_000).broken()).toContain('NO_GHOST');
  });

  const paused = (toMs: number, nextMs = 12_000): CampaignHistory => {
    const history = campaign();
    history.note(11_500, 'nemesis', {
      what: 'schedule',
      schedule: second,
      phase: 'paused',
      nextMs: nextMs + aheadMs,
    });
    return history.note(toMs, 'nemesis', { what: 'schedule', schedule: second, phase: 'resuming' });
  };

  test('what comes in a pause waits until the schedule is resumed', () => {
    expect(paused(11_900).broken()).toEqual([]);
    expect(paused(12_500).broken()).toEqual(['ONE_OCCURRENCE']);
  });

  test('what was fired before the pause starts in it', () => expect(paused(12_500, 13_000).broken()).toEqual([]));

  test('a pause that Redis lost is none', () => {
    expect(
      paused(12_500)
        .fault('power-loss', 11_600, 11_700, { costs: ['writes'] })
        .broken(),
    ).toEqual([]);
  });
});

describe('other checks', () => {
  test('NO_EARLY: no occurrence starts before its nominal time, whatever Redis said', () => {
    const history = campaign({ without: [12_000] }).audit(11_900, { op: 'tick', term: 7, ids: [idAt(12_000)] });
    history.start(idAt(12_000), 11_999, { dueMs: 11_900 + aheadMs }).finish(idAt(12_000), 12_010);
    expect(history.broken()).toEqual(['NO_EARLY']);
  });

  test('CONSERVE: in the end what is there was added by producers, or fired', () => {
    const counted = (added: number, fired: number): string[] => {
      const places = { scheduled: 0, due: 0, ready: 0, active: 0, dead: 0 };
      const counts = { added, fired, complete: added };
      return campaign()
        .note(51_000, 'nemesis', { what: 'snapshot', ...places, counts })
        .broken();
    };
    expect(counted(6, 5)).toEqual([]);
    expect(counted(6, 4)).toEqual(['CONSERVE']);
    expect(counted(7, 5)).toEqual(['CONSERVE']);
  });

  test('FENCE, STALE_REFUSED: an earlier term moves no schedule, and none that was refused', () => {
    const handed = (): CampaignHistory => campaign().audit(20_000, { op: 'lead', term: 9, leader: 'b' });
    expect(handed().audit(20_100, { op: 'tick', term: 9, ids: [] }).broken()).toEqual([]);
    expect(handed().audit(20_100, { op: 'tick', term: 7, ids: [] }).broken()).toEqual(['FENCE']);
    const refused = handed().audit(20_100, { op: 'refused', by: 'tick', term: 7 });
    expect(refused.audit(20_200, { op: 'tick', term: 7, ids: [] }).broken()).toEqual(['STALE_REFUSED', 'FENCE']);
  });
});

describe('SOMETIMES', () => {
  const missed = (history: CampaignHistory): string[] =>
    history.judge().sometimes.flatMap(({ held, name }) => (held ? [] : [name]));

  const killed = (times: number): CampaignHistory => {
    const history = campaign();
    for (let at = 1; at <= times; at += 1) {
      const [by, dies] = [`leader-1.${at}`, 16_000 + at * 1_000];
      history.note(dies - 100, by, { what: 'trust', term: 7, untilMs: dies + 100 });
      history.note(dies, 'nemesis', { what: 'process', name: by, phase: 'killed' });
      history.fault('leader-kill', dies, dies + 500, { target: 'leader-1' });
    }
    return history;
  };
  /** Of another schedule, by the next leader, `lateMs` after its time. */
  const firedLate = (history: CampaignHistory, lateMs: number): CampaignHistory => {
    const ids = [occurrenceIdAt(second, 17_100)];
    history.audit(17_050, { op: 'lead', term: 9, leader: 'b' });
    return history.audit(17_100 + lateMs, { op: 'tick', term: 9, ids });
  };

  test('of five deaths one has another leader fire, and late', () => {
    expect(missed(killed(4))).toEqual([]);
    expect(missed(killed(5))).toEqual([
      'another leader fired occurrences',
      "an occurrence came late, after a leader's death",
    ]);
    expect(missed(firedLate(killed(5), 500))).toEqual([]);
    expect(missed(firedLate(killed(5), 0))).toEqual(["an occurrence came late, after a leader's death"]);
  });

  test('who was killed when it did not lead takes nothing with it', () => {
    const history = campaign();
    for (let at = 1; at <= 5; at += 1) {
      history.note(16_000 + at, 'nemesis', { what: 'process', name: `leader-2.${at}`, phase: 'killed' });
    }
    expect(missed(history)).toEqual([]);
  });
});
