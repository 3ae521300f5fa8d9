import { describe, expect, test } from 'vitest';
import { CampaignHistory } from '../support/campaign-history.js';

const campaign = (): CampaignHistory => new CampaignHistory().withoutHandlers().task('later', 30_000);

describe('HELD', () => {
  test('no more handlers are at work than the worker may have', () => {
    const three = (thirdAt: number): string[] => {
      const history = campaign().add('a', 1_000).add('b', 1_000).add('c', 1_000);
      history.start('a', 1_010).start('b', 1_020).start('c', thirdAt);
      return history.finish('a', 1_100).finish('b', 1_200).finish('c', 1_300).broken();
    };
    expect(three(1_110)).toEqual([]);
    expect(three(1_050)).toEqual(['HELD']);
  });

  test('each worker has its own, and each life of it', () => {
    const history = campaign();
    for (const [at, id] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      const by = ['worker-1.1', 'worker-2.1', 'worker-1.2'][at % 3] as string;
      history.add(id, 1_000).start(id, 1_010, { by }).finish(id, 1_100, { by });
    }
    history.note(1_005, 'worker-1.2', { what: 'ready', role: 'worker', pid: 2, concurrency: 2 });
    expect(history.judge()).toMatchObject({ held: true, figures: { atWorkMost: 2 } });
  });
});

describe('CLIENT_SANE', () => {
  test('no handler gets the payload of another task', () => {
    const history = campaign().add('a', 1_000).start('a', 1_005, { sane: false }).finish('a', 1_010);
    expect(history.broken()).toEqual(['CLIENT_SANE']);
  });

  test.each([
    ['ERR_BUG', 'settle: no mark for item 3'],
    ['', 'settle: no mark for item 3'],
    ['ERR_REDIS_REPLY', 'fetch: ok.nowMs must be int, got another string'],
    ['ERR_REDIS_REPLY', 'get: found.dueMs must be int?, got a list'],
    ['', 'open: expected {ok | other_layout, …}, got "OK"'],
    ['', 'beat: ok has 1 fields, got 4'],
  ])('an error that shows a bug, or a reply that does not fit: %s %s', (code, text) => {
    expect(campaign().note(2_000, 'worker-1.1', { what: 'error', code, text }).broken()).toEqual(['CLIENT_SANE']);
  });

  test.each([
    ['ERR_REDIS_UNREACHABLE', 'Redis could not be reached within 5000 ms; start Redis'],
    ['ERR_REDIS_REPLY', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['ERR_OUTCOME_UNKNOWN', 'the end of task a could not be written, and is given up'],
  ])('the world may fail: %s', (code, text) => {
    expect(campaign().note(2_000, 'worker-1.1', { what: 'error', code, text }).broken()).toEqual([]);
  });

  test('no process ends by itself, and who is asked to leaves in good order', () => {
    const exited = (asked: boolean, code: number | null, history = campaign()): string[] =>
      history
        .note(2_000, 'nemesis', { what: 'process', name: 'leader-2.1', phase: 'exited', code, signal: null, asked })
        .broken();
    const counted = campaign().note(1_990, 'leader-2.1', { what: 'metrics', samples: {} });
    expect(exited(true, 0, counted)).toEqual([]);
    expect(exited(true, 0)).toEqual(['METRICS']);
    expect(exited(true, 1)).toEqual(['CLIENT_SANE']);
    expect(exited(true, null)).toEqual(['CLIENT_SANE']); // it did not stop, and was ended
    expect(exited(false, 1)).toEqual(['CLIENT_SANE']);
    const killed = campaign().note(1_990, 'nemesis', { what: 'process', name: 'leader-2.1', phase: 'killed' });
    expect(exited(true, null, killed)).toEqual([]);
  });
});

describe('METRICS', () => {
  const workerCounts = (over: Record<string, number>): string[] => {
    const history = campaign().task('a', 1_000).told('a', 1_001, { what: 'recovered' });
    history.told('a', 1_002, { what: 'lease_lost' });
    const samples = {
      'duestream_tasks_settled_total{queue="campaign",name="work",outcome="completed"}': 1,
      'duestream_tasks_settled_total{queue="campaign",name="slow",outcome="completed"}': 1,
      'duestream_tasks_settled_total{queue="campaign",name="work",outcome="expired"}': 5,
      'duestream_deliveries_recovered_total{queue="campaign"}': 1,
      'duestream_lease_lost_total{queue="campaign"}': 1,
      ...over,
    };
    return history.note(55_000, 'worker-1.1', { what: 'metrics', samples }).broken();
  };

  test('a worker counts what it noted', () => expect(workerCounts({})).toEqual([]));

  test.each([
    'duestream_tasks_settled_total{queue="campaign",name="work",outcome="completed"}',
    'duestream_tasks_settled_total{queue="campaign",name="work",outcome="retried"}',
    'duestream_tasks_settled_total{queue="campaign",name="work",outcome="dead"}',
    'duestream_deliveries_recovered_total{queue="campaign"}',
    'duestream_lease_lost_total{queue="campaign"}',
  ])('%s is wrong', (name) => expect(workerCounts({ [name]: 3 })).toEqual(['METRICS']));

  const dead = 'duestream_tasks_settled_total{queue="campaign",name="work",outcome="dead"}';

  test('who buries a task that lost too many leases counts it without a word', () => {
    const buried = (count: number): string[] => {
      const history = campaign().add('a', 1_000).end('a', 9_000, { verb: 'bury', of: '', count: 0, consumer: '' });
      return history.note(55_000, 'worker-2.1', { what: 'metrics', samples: { [dead]: count } }).broken();
    };
    expect(buried(1)).toEqual([]);
    expect(buried(2)).toEqual(['METRICS']);
  });

  const producerCounts = (ready: number, scheduled: number): CampaignHistory => {
    const samples = {
      'duestream_tasks_added_total{queue="campaign",name="work",status="ready"}': ready,
      'duestream_tasks_added_total{queue="campaign",name="work",status="scheduled"}': scheduled,
    };
    return campaign().note(55_000, 'producer-1.1', { what: 'metrics', samples });
  };

  test('a producer counts what it was told', () => {
    expect(producerCounts(1, 0).broken()).toEqual([]);
    expect(producerCounts(2, 0).broken()).toEqual(['METRICS']);
    expect(producerCounts(0, 0).broken()).toEqual(['METRICS']);
    expect(producerCounts(1, 1).broken()).toEqual(['METRICS']);
  });

  test('of a batch that failed the metric knows which part was added', () => {
    const history = producerCounts(1, 1).note(2_000, 'producer-1.1', { what: 'add', id: 'b', fate: 'work' });
    history.note(2_001, 'producer-1.1', { what: 'add_unknown', id: 'b', code: 'ERR_OUTCOME_UNKNOWN' });
    expect(history.broken()).toEqual([]);
  });

  test('what it noted after it had read its metrics is not compared', () => {
    expect(producerCounts(1, 0).add('b', 56_000).end('b', 56_010).broken()).toEqual([]);
  });
});
