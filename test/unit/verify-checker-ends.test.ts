import { describe, expect, test } from 'vitest';
import type { Cost } from '../../src/cli/verify/history/records.js';
import { brokenIn, CampaignHistory } from '../support/campaign-history.js';

const campaign = (): CampaignHistory => new CampaignHistory().withoutHandlers().task('later', 30_000);

describe('SETTLE_UNIQUE', () => {
  test('a task ends once', () => {
    const history = campaign().task('a', 1_000).end('a', 5_000, { verb: 'bury', of: 'another', consumer: 'c2' });
    expect(history.broken()).toEqual(['SETTLE_UNIQUE']);
    expect(history.judge().results.find(({ name }) => name === 'SETTLE_UNIQUE')?.broken[0]).toMatch(
      /^a ended 2 times: complete at .* s, bury at .* s$/,
    );
  });

  const retried = (settled: { of: string; count: number; consumer?: string }): string[] => {
    const history = campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_010);
    history.end('a', 1_011, { verb: 'retry', of: 'e1', count: 1 }).told('a', 1_012, { what: 'retried' });
    history.start('a', 1_200, { attempt: 2 }).returned('a', 1_210, { attempt: 2 });
    return history.end('a', 1_211, settled).told('a', 1_212).broken();
  };

  test('a delivery is settled once', () => {
    expect(retried({ of: 'e2', count: 1 })).toEqual([]);
    expect(retried({ of: 'e1', count: 2 })).toEqual([]);
    expect(retried({ of: 'e1', count: 1 })).toEqual(['SETTLE_UNIQUE']);
  });

  test('what no consumer settled has no delivery', () => {
    const history = campaign().add('a', 1_000).add('b', 1_000);
    for (const id of ['a', 'b']) history.end(id, 1_010, { verb: 'expired', of: '', count: 0, consumer: '' });
    expect(history.broken()).toEqual([]);
  });

  const afterItsEnd = (at: number, costs: readonly Cost[] = ['leases']): string[] => {
    const history = campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_900).end('a', 1_950).told('a', 1_951);
    history
      .start('a', at, { by: 'worker-2.1', delivery: 2 })
      .fault('a-fault', 1_006, 1_007, { target: 'worker-1', costs });
    return history.broken();
  };

  test('nothing starts after its end, by more than the clocks differ', () => {
    expect(afterItsEnd(1_951)).toEqual([]);
    expect(afterItsEnd(1_952)).toEqual(['SETTLE_UNIQUE']);
  });

  test('but when a group was made anew it may, or when Redis lost that end', () => {
    expect(afterItsEnd(1_999, ['group'])).toEqual([]);
    expect(afterItsEnd(1_999, ['writes'])).toEqual([]);
  });

  test('an attempt does not start after it was given back', () => {
    const history = campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_010);
    history.end('a', 1_011, { verb: 'retry', of: 'e1' }).fault('worker-freeze', 1_020, 1_030, {
      target: 'worker-1',
      costs: ['leases'],
    });
    history.start('a', 1_040, { by: 'worker-2.1', delivery: 2 }).end('a', 1_100, { verb: 'cancelled', consumer: '' });
    expect(history.broken()).toEqual(['SETTLE_UNIQUE']);
  });

  test('what was opened before it was cancelled starts within its lease', () => {
    const cancelled = (startAt: number): string[] => {
      const history = campaign()
        .add('a', 1_000)
        .end('a', 1_100, { verb: 'cancelled', of: 'e1', count: 0, consumer: '' });
      return history.start('a', startAt).broken();
    };
    expect(cancelled(1_900)).toEqual([]);
    expect(cancelled(2_200)).toEqual(['SETTLE_UNIQUE']);
  });

  test.each([
    ['completed', 'complete'],
    ['retried', 'retry'],
    ['dead', 'bury'],
  ] as const)('a worker that was told “%s” was told what Redis wrote', (what, verb) => {
    const told = (history: CampaignHistory): string[] =>
      history.note(1_012, 'worker-1.1', { what, id: 'a', attempt: 1 }).broken();
    const begun = (): CampaignHistory => campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_010);
    const ended = (history: CampaignHistory): CampaignHistory =>
      verb === 'retry' ? history.end('a', 9_000, { verb: 'expired', consumer: '' }) : history;
    expect(told(ended(begun().end('a', 1_011, { verb, of: 'e1' })))).toEqual([]);
    const other = verb === 'bury' ? 'complete' : 'bury';
    expect(told(begun().end('a', 1_011, { verb: other }))).toEqual(['SETTLE_UNIQUE']);
    expect(told(begun().end('a', 1_020, { verb, of: 'e1' }))).toContain('SETTLE_UNIQUE');
  });

  test('two workers are not both told that they completed it', () => {
    const history = campaign()
      .add('a', 1_000)
      .start('a', 1_005)
      .fault('worker-freeze', 1_010, 2_500, {
        target: 'worker-1',
        costs: ['leases'],
      });
    history.start('a', 2_300, { by: 'worker-2.1', delivery: 2 }).finish('a', 2_400, { by: 'worker-2.1', delivery: 2 });
    history.returned('a', 2_510);
    expect(history.broken()).toEqual([]);
    expect(history.told('a', 2_511).broken()).toEqual(['SETTLE_UNIQUE']);
  });

  test('who has lost a delivery does not settle it, while another is at work on it', () => {
    const history = campaign().add('a', 1_000).start('a', 1_005);
    history.fault('worker-freeze', 1_010, 2_500, { target: 'worker-1', costs: ['leases'] });
    history.start('a', 2_300, { by: 'worker-2.1', delivery: 2 }).returned('a', 2_510);
    history.returned('a', 2_520, { by: 'worker-2.1', delivery: 2 });
    const settledBy = (by: string): CampaignHistory => history.end('a', 2_530).told('a', 2_532, { by });
    expect(settledBy('worker-1.1').broken()).toEqual(['SETTLE_UNIQUE']);
  });

  test('what a worker hears when it is not busy any more may have been lost since', () => {
    const heard = (costs: readonly Cost[]): string[] => {
      const history = campaign().add('a', 10_000).start('a', 10_005).returned('a', 10_010);
      history.fault('power-loss', 10_900, 11_200, { costs }).told('a', 14_500);
      history.fault('worker-block', 10_900, 14_400, { target: 'worker-1', costs: ['leases'] });
      history.start('a', 16_000, { by: 'worker-2.1', delivery: 2 });
      return history.finish('a', 16_010, { by: 'worker-2.1', delivery: 2 }).broken();
    };
    expect(heard(['writes'])).toEqual([]);
    expect(heard([])).toEqual(['SETTLE_UNIQUE']);
  });

  test('what a worker was told just before Redis lost writes may be lost', () => {
    const verdict = campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_010).told('a', 1_012);
    verdict.fault('redis-kill', 1_100, 1_200, { costs: ['writes'] });
    verdict.start('a', 2_000).finish('a', 2_010);
    expect(brokenIn(verdict.judge())).toEqual([]);
  });
});
