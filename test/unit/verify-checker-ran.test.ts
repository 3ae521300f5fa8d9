import { describe, expect, test } from 'vitest';
import { CampaignHistory } from '../support/campaign-history.js';

const campaign = (): CampaignHistory => new CampaignHistory().task('later', 30_000);

describe('RAN', () => {
  test('what was never started is not settled', () => {
    expect(campaign().add('a', 1_000).end('a', 1_020).broken()).toEqual(['RAN']);
    expect(campaign().add('a', 1_000).end('a', 1_020, { verb: 'expired', consumer: '' }).broken()).toEqual([]);
  });

  test('what a handler came to is what was written', () => {
    const ended = (how: 'returned' | 'threw', verb: 'complete' | 'bury', aborted?: string): string[] =>
      campaign()
        .add('a', 1_000)
        .start('a', 1_005)
        .returned('a', 1_010, { how, ...(aborted !== undefined && { aborted }) })
        .end('a', 1_020, { verb })
        .broken();
    expect(ended('returned', 'complete')).toEqual([]);
    expect(ended('threw', 'bury')).toEqual([]);
    expect(ended('threw', 'complete')).toEqual(['RAN']);
    expect(ended('returned', 'bury')).toEqual(['RAN']);
    expect(ended('returned', 'bury', 'stopping')).toEqual([]);
  });

  test('what is still at work is not settled', () => {
    expect(campaign().add('a', 1_000).start('a', 1_005).end('a', 1_020).returned('a', 9_000).broken()).toEqual(['RAN']);
  });
});

test('CLIENT_SANE: a process that was started has a history', () => {
  const started = (name: string): string[] =>
    campaign().note(900, 'nemesis', { what: 'process', name, phase: 'started' }).broken();
  expect(started('worker-1.1')).toEqual([]);
  expect(started('worker-7.1')).toEqual(['CLIENT_SANE']);
});

test('CONSERVE: without a look there is nothing to hold against', () => {
  expect(campaign().broken(({ what }) => what === 'snapshot')).toEqual(['CONSERVE']);
});
