import { expect, test } from 'vitest';
import { CampaignHistory } from '../support/campaign-history.js';

const campaign = (): CampaignHistory => new CampaignHistory().withoutHandlers().task('later', 30_000);

test('an id that was added once is no duplicate', () => {
  const added = campaign().task('a', 1_000);
  expect(added.broken()).toEqual([]);
  expect(added.note(1_100, 'producer-1.1', { what: 'added', id: 'a', status: 'duplicate' }).broken()).toEqual([
    'ONE_ANSWER',
  ]);
});

test('it may be one when it was added again', () => {
  const history = campaign().note(900, 'producer-1.1', { what: 'add', id: 'a', fate: 'work' });
  history.task('a', 1_000).note(1_100, 'producer-1.1', { what: 'added', id: 'a', status: 'duplicate' });
  expect(history.broken()).toEqual([]);
});

test('whose end was written is not told that it lost the delivery', () => {
  const begun = (): CampaignHistory => campaign().add('a', 1_000).start('a', 1_005).returned('a', 1_010);
  const lostAt = (history: CampaignHistory, at: number): string[] =>
    history.note(at, 'worker-1.1', { what: 'lease_lost', id: 'a', attempt: 1 }).broken();
  expect(lostAt(begun().end('a', 1_011), 1_020)).toEqual(['ONE_ANSWER']);
  expect(lostAt(begun().end('a', 1_030), 1_020)).toEqual([]);
  expect(lostAt(begun().end('a', 1_011, { count: 2 }), 1_020)).toEqual([]);
  const recovered = begun().start('a', 1_400, { by: 'worker-2.1', delivery: 2 }).returned('a', 1_410, { how: 'threw' });
  recovered.fault('worker-freeze', 1_011, 1_500, { target: 'worker-1', costs: ['leases'] });
  recovered.end('a', 1_411, { verb: 'retry', count: 2 }).start('a', 1_450, { by: 'worker-2.1', attempt: 2 });
  recovered.finish('a', 1_460, { by: 'worker-2.1', attempt: 2 });
  expect(lostAt(recovered, 1_500)).toEqual([]); // what was written with that count is the end of the next attempt
});
