import { expect, test } from 'vitest';
import { brokenIn, CampaignHistory } from '../support/campaign-history.js';

const [old, other] = ['127.0.0.1:1', '127.0.0.1:2'];

/** Frozen at 10 s, the address moved at 13 s, back at 14 s and demoted at 24 s. */
function failover(minReplicas: number): CampaignHistory {
  const history = new CampaignHistory();
  history.fault('failover-paused', 10_000, 24_500, { costs: ['writes'] });
  history.note(10_000, 'nemesis', { what: 'server', address: old, phase: 'frozen' });
  history.note(13_000, 'nemesis', { what: 'failover', from: old, to: other, tookMs: 3_000 });
  history.note(14_000, 'nemesis', { what: 'server', address: old, phase: 'thawed' });
  history.note(24_000, 'nemesis', { what: 'server', address: old, phase: 'demoted' });
  history.task('goes-on', 25_000);
  const plan = { seed: 1, seconds: 40, leaseMs: 1_000, lockTtlMs: 500, ownRedis: true, form: 'quick' } as const;
  return history.note(-1, 'nemesis', { what: 'plan', ...plan, replicated: true, minReplicas });
}

test('what a failover lost is counted, over what time it was acknowledged, and what of it had ended', () => {
  const history = failover(0).task('kept', 1_000).add('lost', 14_050).add('last', 23_050);
  const verdict = history.told('last', 23_900).judge();
  expect(verdict.figures).toMatchObject({
    failovers: 1,
    failoverTookMsMax: 3_000,
    failover1LostAdds: 2,
    failover1LostAddsEnded: 1,
    failover1LostOverMs: 9_000,
    failover1LostMsAfterBack: 9_051,
  });
  expect(brokenIn(verdict)).toEqual([]);
});

test('with a replica that has to keep up, an old master that goes on acknowledging breaks FAILOVER', () => {
  expect(failover(1).add('lost', 14_050).broken()).toEqual([]);
  expect(failover(1).add('lost', 14_050).add('late', 23_050).broken()).toEqual(['FAILOVER']);
});

test('what was lost before a failover began is no loss of that', () => {
  expect(failover(0).add('lost', 5_000).broken()).toEqual(['NO_LOSS']);
  expect(failover(0).add('lost', 5_000).judge().figures).toMatchObject({ failover1LostAdds: 0 });
});
