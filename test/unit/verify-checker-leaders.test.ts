import { describe, expect, test } from 'vitest';
import type { Cost } from '../../src/cli/verify/history/records.js';
import { CampaignHistory } from '../support/campaign-history.js';

const campaign = (): CampaignHistory => new CampaignHistory().task('later', 30_000);

test('leaders that follow one another break nothing', () => {
  const verdict = campaign().reign(7, 1_000).reign(9, 2_100, { by: 'leader-2.1' }).reign(12, 3_200).judge();
  expect(verdict).toMatchObject({
    held: true,
    figures: { terms: 3, promotes: 3, promotesWithoutLeader: 0, reigns: 3 },
  });
});

describe('FENCE', () => {
  test('a promotion by an earlier term is a write that the fence let through', () => {
    const history = campaign().reign(7, 1_000).audit(2_100, { op: 'lead', term: 9, leader: 'b' });
    expect(history.audit(2_200, { op: 'promote', term: 9, ids: ['a'] }).broken()).toEqual([]);
    expect(history.audit(2_300, { op: 'promote', term: 7, ids: ['a'] }).broken()).toEqual(['FENCE']);
  });

  test('so is one of a term that has resigned, and of one that nobody took', () => {
    expect(campaign().reign(7, 1_000).audit(2_200, { op: 'promote', term: 7, ids: [] }).broken()).toEqual(['FENCE']);
    expect(campaign().audit(2_200, { op: 'promote', term: 7, ids: [] }).broken()).toEqual(['FENCE']);
  });

  test('the resignation of an earlier term changes nothing', () => {
    const history = campaign().audit(1_000, { op: 'lead', term: 7, leader: 'a' });
    history.audit(1_100, { op: 'lead', term: 9, leader: 'b' }).audit(1_200, { op: 'resign', term: 7 });
    expect(history.audit(1_300, { op: 'promote', term: 9, ids: ['a'] }).broken()).toEqual([]);
  });

  test('what anybody may promote when nobody leads is counted', () => {
    const verdict = campaign()
      .audit(1_000, { op: 'promote', term: null, ids: ['a'] })
      .judge();
    expect(verdict).toMatchObject({ held: true, figures: { promotesWithoutLeader: 1 } });
  });
});

describe('STALE_REFUSED', () => {
  const refused = (term: number): CampaignHistory =>
    campaign()
      .audit(1_000, { op: 'lead', term: 7, leader: 'a' })
      .audit(1_100, { op: 'lead', term: 9, leader: 'b' })
      .audit(1_200, { op: 'refused', by: 'promote', term });

  test('an earlier term is refused', () => {
    expect(refused(7).judge()).toMatchObject({ held: true, figures: { refusedWrites: 1 } });
  });

  test('the accepted one is not', () => expect(refused(9).broken()).toEqual(['STALE_REFUSED']));

  test('what was refused does not write later', () => {
    const history = refused(7).audit(1_300, { op: 'promote', term: 7, ids: ['a'] });
    expect(history.broken()).toEqual(['STALE_REFUSED', 'FENCE']);
  });
});

describe('TERM_MONO', () => {
  test('a term that is less than the last, or the same, is none', () => {
    expect(campaign().reign(7, 1_000).reign(6, 2_100).broken()).toEqual(['TERM_MONO']);
    expect(campaign().reign(7, 1_000).reign(7, 2_100, { by: 'leader-2.1' }).broken()).toContain('TERM_MONO');
  });

  test('also after a failover', () => {
    const history = campaign().reign(7, 1_000).reign(6, 4_000);
    expect(history.fault('failover', 2_500, 3_000, { costs: ['writes'] }).broken()).toEqual(['TERM_MONO']);
  });
});

describe('ONE_LEADER_PER_TERM', () => {
  test('two processes are not elected for one term', () => {
    const history = campaign().reign(7, 1_000).note(5_000, 'leader-2.1', { what: 'seat', event: 'elected', term: 7 });
    expect(history.broken()).toEqual(['ONE_LEADER_PER_TERM']);
  });

  test('two do not take one term', () => {
    const history = campaign().audit(1_000, { op: 'lead', term: 7, leader: 'a' });
    expect(history.audit(1_100, { op: 'lead', term: 7, leader: 'b' }).broken()).toEqual([
      'TERM_MONO',
      'ONE_LEADER_PER_TERM',
    ]);
  });
});

describe('TRUST_DISJOINT', () => {
  const both = (from: number, to = from + 1_000): CampaignHistory =>
    campaign().reign(7, 1_000, { toMs: 2_000 }).reign(9, from, { by: 'leader-2.1', toMs: to });

  test('two processes that trust at once that they lead', () => {
    expect(both(1_900).broken()).toContain('TRUST_DISJOINT');
    expect(
      both(1_900)
        .judge()
        .results.find(({ name }) => name === 'TRUST_DISJOINT')?.broken,
    ).toEqual(['leader-1.1 (term 7) and leader-2.1 (term 9) both trusted that they lead, from 1.901 s to 2.000 s']);
  });

  test('trust ends when the seat falls, and not before', () => expect(both(2_000).broken()).toEqual([]));

  const trusting = (untilMs: number): CampaignHistory =>
    campaign()
      .note(1_000, 'leader-1.1', { what: 'trust', term: 7, untilMs: 1_400 })
      .note(1_300, 'leader-1.1', { what: 'trust', term: 7, untilMs })
      .note(1_500, 'leader-2.1', { what: 'trust', term: 9, untilMs: 1_900 });

  test('it ends by itself when it is not renewed', () => {
    expect(trusting(1_500).broken()).toEqual([]);
    expect(trusting(1_700).broken()).toEqual(['TRUST_DISJOINT']);
  });

  test('a process that was killed trusts nothing', () => {
    const killed = (at: number): string[] =>
      trusting(1_700).note(at, 'nemesis', { what: 'process', name: 'leader-1.1', phase: 'killed' }).broken();
    expect(killed(1_450)).toEqual([]);
    expect(killed(1_600)).toEqual(['TRUST_DISJOINT']);
  });

  test('one process may go from term to term', () => {
    const history = campaign().note(1_000, 'leader-1.1', { what: 'trust', term: 7, untilMs: 2_000 });
    expect(history.note(1_500, 'leader-1.1', { what: 'trust', term: 9, untilMs: 2_500 }).broken()).toEqual([]);
  });

  test('three at once are all found', () => {
    const history = trusting(1_700).note(1_600, 'leader-3.1', { what: 'trust', term: 11, untilMs: 1_650 });
    expect(history.judge().results.find(({ name }) => name === 'TRUST_DISJOINT')?.count).toBe(3);
  });

  test.each([
    ['clock', true],
    ['writes', true],
    ['votes', true],
    ['leases', false],
  ] as const)('a fault that costs %s explains it: %s', (cost: Cost, isExplained) => {
    const history = trusting(1_700).fault('a-fault', 1_100, 1_200, { costs: [cost] });
    expect(history.broken()).toEqual(isExplained ? [] : ['TRUST_DISJOINT']);
  });

  test('but not one of long ago', () => {
    const history = campaign().fault('lock-nodes-down', 1_000, 1_100, { target: 'lock-nodes', costs: ['votes'] });
    history.note(20_000, 'leader-1.1', { what: 'trust', term: 7, untilMs: 20_400 });
    history.note(20_200, 'leader-2.1', { what: 'trust', term: 9, untilMs: 20_500 });
    expect(history.broken()).toEqual(['TRUST_DISJOINT']);
  });
});
