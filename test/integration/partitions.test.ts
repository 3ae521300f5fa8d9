import { describe, expect, test } from 'vitest';
import { type Queue, RejectTask } from '../../src/index.js';
import { partitionOf } from '../../src/partition-of.js';
import { useLab } from '../support/lab.js';
import { idsIn, partitionsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';

const lab = useLab();
const { keysOf, queueOf, created } = partitionsIn(lab);

describe('a task', () => {
  test('goes to the partition of its id, and answers come in the order of the tasks', async () => {
    const queue = await created(4);
    const ids = Array.from({ length: 100 }, (_, at) => `t${at}`);
    const results = await queue.addMany(ids.map((id) => ({ name: 'job', id, in: '1h' })));
    expect(results).toEqual(ids.map((id) => ({ id, status: 'scheduled' })));
    for (const id of ids.slice(0, 8)) {
      expect(await lab().send('ZSCORE', keysOf(partitionOf(id, 4)).due, id)).not.toBeNull();
    }
    const again = await queue.addMany([...ids, 'new'].map((id) => ({ name: 'job', id, in: '1h' })));
    expect(again.map(({ status }) => status)).toEqual([...ids.map(() => 'duplicate'), 'scheduled']);
  });

  test('with a key goes to the partition of its key, and its new id leads there without it', async () => {
    const queue = await created(16);
    for (const key of ['a', 'b', 'c', 'd', 'customer 7', '☂']) {
      const { id } = await queue.add('job', null, { key, in: '1h' });
      const partition = partitionOf(key, 16);
      expect(await lab().send('ZSCORE', keysOf(partition).due, id)).not.toBeNull();
      expect(partitionOf(id, 16)).toBe(partition);
      expect(await queue.get(id)).toMatchObject({ id, key, state: 'scheduled' });
    }
  });

  test('with a key and an id of its own is unique within its key, and found by asking all', async () => {
    const queue = await created(8);
    const [a, b] = [0, 1].map((at) => idsIn(at, { of: 8, count: 1 })[0] as string) as [string, string];
    const [id] = idsIn(2, { of: 8, count: 1 }) as [string];
    await queue.add('job', 'of a', { key: a, id, in: '1h' });
    expect(await queue.get(id)).toMatchObject({ key: a, payload: 'of a' });
    expect(await queue.add('job', 'of b', { key: b, id, in: '1h' })).toEqual({ id, status: 'scheduled' });
    expect(await queue.add('job', 'again', { key: b, id, in: '1h' })).toEqual({ id, status: 'duplicate' });
    expect(await queue.get(id, { key: b })).toMatchObject({ payload: 'of b' });
    expect(await queue.cancel(id, { key: 'of no task' })).toEqual({ id, status: 'not_found' });
    expect(await queue.cancel(id, { key: b })).toMatchObject({ status: 'cancelled' });
    expect(await queue.get(id)).toMatchObject({ key: a, state: 'scheduled' }); // one that lives comes first
    expect(await queue.reschedule(id, { in: '2h' })).toMatchObject({ status: 'rescheduled' });
    expect(await queue.update(id, { payload: 'new' })).toMatchObject({ status: 'updated' });
    expect(await queue.runNow(id)).toMatchObject({ status: 'ready' });
    expect(await queue.get(id)).toMatchObject({ key: a, payload: 'new', state: 'ready' });
    expect(await queue.cancel(id)).toMatchObject({ status: 'cancelled' });
  });

  test('is not taken for that of another key in the same partition', async () => {
    const queue = await created(1);
    await queue.add('job', null, { id: 'a', key: 'mine', in: '1h' });
    expect(await queue.get('a', { key: 'yours' })).toBeNull();
    expect(await queue.cancel('a', { key: 'yours' })).toEqual({ id: 'a', status: 'not_found' });
    expect(await queue.reschedule('a', { in: '2h' }, { key: 'yours' })).toMatchObject({ status: 'not_found' });
    expect(await queue.cancel('a', { key: 'mine' })).toMatchObject({ status: 'cancelled' });
  });

  test('that lives comes before one of its id that has ended elsewhere', async () => {
    const queue = await created(8);
    const [a, b] = [0, 1].map((at) => idsIn(at, { of: 8, count: 1 })[0] as string) as [string, string];
    const [id] = idsIn(0, { of: 8, count: 1 }) as [string];
    await queue.add('job', null, { id, key: a, in: '1h' });
    await queue.add('job', null, { id, key: b, in: '1h' });
    expect(await queue.cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(await queue.get(id)).toMatchObject({ key: b, state: 'scheduled' });
    expect(await queue.cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(await queue.cancel(id)).toMatchObject({ status: 'settled' });
  });

  test('tells its handler the key it was added with', async () => {
    const queue = await created(4);
    const keys: unknown[] = [];
    const { diary } = await lab().worker({ job: ({ key }) => keys.push(key) });
    await queue.add('job', null, { id: 'with', key: 'k' });
    await diary.next('completed', 'with');
    await queue.add('job', null, { id: 'without' });
    await diary.next('completed', 'without');
    expect(keys).toEqual(['k', undefined]);
  });

  test.each([
    [{ key: '' }, 'key must not be empty'],
    [{ key: 7 as unknown as string }, 'key must be a string, got number'],
    [{ key: 'x'.repeat(257) }, 'key must be at most 256 bytes, got 257'],
  ])('is refused with %o', async (options, message) => {
    await expect(queueOf(4).add('job', null, options)).rejects.toThrow(message);
    expect(await lab().send('EXISTS', keysOf(0).meta)).toBe(0);
  });
});

describe('over all partitions', () => {
  test('pausing stops them all, and resuming starts them', async () => {
    const queue = await created(6);
    const { diary } = await lab().worker({ job: () => {} });
    await queue.pause();
    expect(await queue.stats()).toMatchObject({ paused: true });
    await queue.addMany(Array.from({ length: 30 }, () => ({ name: 'job' })));
    expect(await queue.stats()).toMatchObject({ due: 30, ready: 0 });
    await queue.resume();
    await until(() => diary.all('completed').length === 30, 'all to complete');
  });

  test('lists go from one to the next, page by page', async () => {
    const queue = await created(5);
    await queue.addMany(
      Array.from({ length: 57 }, (_, at) => ({ name: 'job', id: `t${at}`, in: '1h', key: `k${at}` })),
    );
    const seen: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const page: Awaited<ReturnType<Queue['list']>> = await queue.list({ after, limit: 7 });
      seen.push(...page.tasks.map(({ id }) => id));
      after = page.after;
    }
    expect([seen.length, new Set(seen).size]).toEqual([57, 57]);
  });

  test('dead letters have numbers of their own: each is shown, replayed and purged by it', async () => {
    const queue = await created(5);
    let rejects = true;
    const run = (): void => {
      if (rejects) throw new RejectTask('no');
    };
    const { diary } = await lab().worker({ job: run });
    await queue.addMany(Array.from({ length: 20 }, (_, at) => ({ name: 'job', id: `t${at}` })));
    await until(() => diary.all('dead').length === 20, 'all to die');
    const { letters } = await queue.dead.list();
    expect(new Set(letters.map(({ number }) => number)).size).toBe(20);
    for (const { number, id } of letters) expect(await queue.dead.get(number)).toMatchObject({ number, id });
    const [first, second] = letters as unknown as [{ number: string; id: string }, { number: string }];
    rejects = false;
    expect(await queue.dead.replay(first.number)).toEqual({ status: 'replayed', id: first.id, number: first.number });
    await diary.next('completed', first.id);
    expect(await queue.dead.purge(second.number)).toBe(1);
    expect(await queue.dead.get(second.number)).toBeNull();
    expect(await queue.dead.get('9/1-1')).toBeNull();
    expect(await queue.dead.purge()).toBe(18);
    expect(await queue.stats()).toMatchObject({ dead: 0 });
  });
});

test('the figures of each partition are told where they are asked for, and add up to those of the queue', async () => {
  const queue = await created(3);
  const scheduled = idsIn(1, { of: 3, count: 4 });
  const ready = idsIn(2, { of: 3, count: 2 });
  await queue.addMany(scheduled.map((id) => ({ name: 'job', id, in: '1h' })));
  await queue.addMany(ready.map((id) => ({ name: 'job', id })));
  const stats = await queue.stats({ byPartition: true });
  const none = { paused: false, waiting: false, scheduled: 0, due: 0, ready: 0, active: 0, dead: 0, consumers: 0 };
  expect(stats).toMatchObject({ partitions: 3, scheduled: 4, ready: 2 });
  expect(stats.byPartition).toEqual([
    { partition: 0, ...none },
    { partition: 1, ...none, scheduled: 4 },
    { partition: 2, ...none, ready: 2 },
  ]);
  expect(await queue.stats()).not.toHaveProperty('byPartition');
});
