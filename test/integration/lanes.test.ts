import { describe, expect, test } from 'vitest';
import { RejectTask, type Queue } from '../../src/index.js';
import type { ScriptDefinition } from '../../src/redis/script.js';
import * as lua from '../../src/redis/scripts.generated.js';
import { useLab } from '../support/lab.js';
import { type Losses, lossy } from '../support/lossy.js';
import { Proxy } from '../support/proxy.js';
import { codeOf, until } from '../support/redis.js';

/** A write whose reply was lost is sent again, has its effect once, and gets its first answer; or says it can't know. */
const lab = useLab({ port: 'free' });

/** A queue that loses replies, and how many it lost. */
function losing(losses: Losses, options: { repeatFor?: string } = {}): { queue: Queue; lost: { count: number } } {
  const { make, lost } = lossy(lab().server, losses);
  return { queue: lab().newQueue({ connection: make, ...options }), lost };
}

describe('a producer that loses a reply', () => {
  test('adds once, and learns what its first call did', async () => {
    const { queue, lost } = losing({ script: lua.add, times: 2 });
    await expect(queue.add('job', null, { id: 'a' })).resolves.toEqual({ id: 'a', status: 'ready' });
    expect(lost.count).toBe(2);
    await expect(queue.stats()).resolves.toMatchObject({ ready: 1, counts: { added: 1 } });
  });

  test('adds once though the task was completed before the call was repeated', async () => {
    const { diary } = await lab().worker({ job: () => 0 });
    const { queue, lost } = losing({ script: lua.add, times: 1, meanwhile: () => diary.next('completed', 'a') });
    await expect(queue.add('job', null, { id: 'a' })).resolves.toEqual({ id: 'a', status: 'ready' });
    expect(lost.count).toBe(1);
    await lab().queue.add('job', null, { id: 'b' });
    await diary.next('completed', 'b');
    expect(diary.all('completed', 'a')).toHaveLength(1);
  });

  test('keeps its relative time: the repeated call moves nothing', async () => {
    const dues: unknown[] = [];
    const due = async (): Promise<unknown> => dues.push((await lab().queue.get('a'))?.due);
    const { queue } = losing({ script: lua.add, times: 1, meanwhile: due });
    await queue.add('job', null, { id: 'a', in: '1h' });
    await due();
    expect(dues[0]).toBe(dues[1]);
  });

  test('adds a batch once, with the answers of the first time, duplicates included', async () => {
    const { queue } = losing({ script: lua.add, times: 3 });
    const items = ['a', 'b', 'a'].map((id) => ({ name: 'job', id }));
    const statuses = (await queue.addMany(items)).map(({ status }) => status);
    expect(statuses).toEqual(['ready', 'ready', 'duplicate']);
    await expect(queue.stats()).resolves.toMatchObject({ ready: 2, counts: { added: 2 } });
  });

  test('cancels once: a task that took over the id meanwhile lives', async () => {
    await lab().queue.add('job', 'old', { id: 'a', in: '1h' });
    const again = (): Promise<unknown> => lab().queue.add('job', 'new', { id: 'a', in: '2h' });
    const { queue } = losing({ script: lua.cancel, times: 1, meanwhile: again });
    await expect(queue.cancel('a')).resolves.toEqual({ id: 'a', status: 'cancelled', was: 'scheduled' });
    await expect(queue.get('a')).resolves.toMatchObject({ state: 'scheduled', payload: 'new' });
  });

  test('reschedules, runs now, updates and replays once', async () => {
    await lab().queue.add('job', 1, { id: 'a', in: '1h' });
    const rescheduled = await losing({ script: lua.reschedule, times: 1 }).queue.reschedule('a', { in: '2h' });
    await expect(lab().queue.get('a')).resolves.toMatchObject({ due: (rescheduled as { due: number }).due });
    const updated = await losing({ script: lua.update, times: 1 }).queue.update('a', { payload: 2 });
    expect(updated).toEqual({ id: 'a', status: 'updated' });
    const ran = await losing({ script: lua.runNow, times: 1 }).queue.runNow('a');
    expect(ran).toEqual({ id: 'a', status: 'ready', was: 'scheduled' });
    const { worker, diary } = await lab().worker({ job: () => Promise.reject(new RejectTask('no')) });
    await diary.next('dead', 'a');
    await worker.stop();
    const replayed = await losing({ script: lua.replay, times: 1 }).queue.dead.replay('a');
    expect(replayed).toMatchObject({ status: 'replayed', id: 'a' });
    await expect(lab().queue.stats()).resolves.toMatchObject({ ready: 1, dead: 0, counts: { replayed: 1 } });
  });

  test('pauses and resumes', async () => {
    await losing({ script: lua.pause, times: 1 }).queue.pause();
    await expect(lab().queue.stats()).resolves.toMatchObject({ paused: true });
    await losing({ script: lua.pause, times: 1 }).queue.resume();
    await expect(lab().queue.stats()).resolves.toMatchObject({ paused: false });
  });

  test('purges all letters', async () => {
    const { worker, diary } = await lab().worker({ job: () => Promise.reject(new RejectTask('no')) });
    for (const id of ['a', 'b']) await lab().queue.add('job', null, { id });
    await until(() => diary.all('dead').length === 2, 'both to die');
    await worker.stop();
    await losing({ script: lua.purge, times: 1 }).queue.dead.purge();
    await expect(lab().queue.stats()).resolves.toMatchObject({ dead: 0, counts: { purged: 2 } });
  });

  test('reads again what it was told and did not hear', async () => {
    const { queue, lost } = losing({ script: lua.stats, times: 2 });
    await expect(queue.stats()).resolves.toMatchObject({ queue: queue.name });
    expect(lost.count).toBe(2);
  });

  test('is told that Redis is unreachable when a read is never answered: a read has no outcome', async () => {
    const { queue } = losing({ script: lua.get, times: Number.POSITIVE_INFINITY }, { repeatFor: '500ms' });
    await expect(codeOf(queue.get('a'))).resolves.toBe('ERR_REDIS_UNREACHABLE');
  });

  test('is told that it can not be known when no reply ever comes', async () => {
    const { queue, lost } = losing({ script: lua.add, times: Number.POSITIVE_INFINITY }, { repeatFor: '500ms' });
    await expect(codeOf(queue.add('job', null, { id: 'a' }))).resolves.toBe('ERR_OUTCOME_UNKNOWN');
    expect(lost.count).toBeGreaterThan(1);
    await expect(lab().queue.add('job', null, { id: 'a' })).resolves.toMatchObject({ status: 'duplicate' });
  });

  test('loses nothing and doubles nothing in many calls at once', async () => {
    const { queue, lost } = losing({ script: lua.add, times: 10 });
    const calls = Array.from({ length: 400 }, async (_, at) => {
      if (at % 40 === 0) await lab().send('PING'); // so that there are several calls
      return queue.add('job', null, { id: `t${at}` });
    });
    const results = await Promise.all(calls);
    expect(lost.count).toBe(10);
    expect(results.every(({ status }) => status === 'ready')).toBe(true);
    await expect(queue.stats()).resolves.toMatchObject({ ready: 400, counts: { added: 400 } });
  });
});

describe('a producer without Redis', () => {
  test('is told that nothing was sent', async () => {
    const proxy = await Proxy.before(lab().server);
    await proxy.close();
    const queue = lab().newQueue({ connection: proxy.url, repeatFor: '300ms', commandTimeout: '100ms' });
    await expect(codeOf(queue.add('job'))).resolves.toBe('ERR_REDIS_UNREACHABLE');
    await expect(codeOf(queue.get('a'))).resolves.toBe('ERR_REDIS_UNREACHABLE');
  });

  test('is told so of 20,000 tasks at once, not of one batch after the other', { timeout: 20_000 }, async () => {
    const proxy = await Proxy.before(lab().server);
    await proxy.close();
    const queue = lab().newQueue({ connection: proxy.url, repeatFor: '3s', commandTimeout: '1s' });
    const codes = await Promise.all(Array.from({ length: 20_000 }, () => codeOf(queue.add('job'))));
    expect(new Set(codes)).toEqual(new Set(['ERR_REDIS_UNREACHABLE'])); // ten waves of 3 s would be over the time limit
  });

  test('adds when it comes back in time', async () => {
    const proxy = await Proxy.before(lab().server);
    await proxy.close();
    const queue = lab().newQueue({ connection: proxy.url, repeatFor: '1m', commandTimeout: '200ms' });
    const added = queue.add('job', null, { id: 'a' });
    await proxy.reopen();
    await expect(added).resolves.toEqual({ id: 'a', status: 'ready' });
  });

  test('gives a silent connection up after the command timeout, and repeats the call on another', async () => {
    const proxy = await Proxy.before(lab().server);
    const queue = lab().newQueue({ connection: proxy.url, repeatFor: '1m', commandTimeout: '300ms' });
    await queue.add('job', null, { id: 'first' });
    proxy.blackHole('replies');
    const added = queue.add('job', null, { id: 'a' });
    await lab().state('a', 'ready'); // it arrived, and the answer does not
    const { connections } = proxy;
    await until(() => proxy.connections > connections, 'another connection');
    proxy.heal();
    await expect(added).resolves.toEqual({ id: 'a', status: 'ready' });
    await expect(lab().queue.stats()).resolves.toMatchObject({ counts: { added: 2 } });
  });
});

describe('a worker that loses the reply of', () => {
  async function workerThatLoses(losses: Losses, handler: () => unknown): ReturnType<typeof worker> {
    const { make, lost } = lossy(lab().server, losses);
    return worker(make, lost, handler);
  }
  async function worker(
    connection: ReturnType<typeof lossy>['make'],
    lost: { count: number },
    handler: () => unknown,
  ): Promise<Awaited<ReturnType<ReturnType<typeof lab>['worker']>> & { lost: { count: number } }> {
    const backoff = { type: 'fixed', delay: '1h' } as const;
    const made = await lab().worker({ job: { handler, backoff } }, { connection, lease: '2s', leader: 'never' });
    return { ...made, lost };
  }
  const endings: [string, ScriptDefinition, () => unknown, string, Record<string, number>][] = [
    ['complete', lua.next, () => 0, 'completed', { complete: 1 }],
    ['retry', lua.retry, () => Promise.reject(new Error('no')), 'retried', { retry: 1 }],
    ['bury', lua.bury, () => Promise.reject(new RejectTask('no')), 'dead', { bury: 1 }],
  ];
  test.each(endings)(
    'a settle that is a %s settles once, and no lease is lost',
    async (_what, script, handler, event, counts) => {
      const { queue } = lab();
      const { diary, lost } = await workerThatLoses({ script, times: 1, withItems: true }, handler);
      await queue.add('job', null, { id: 'a' });
      await diary.next(event as 'completed', 'a');
      expect(lost.count).toBe(1);
      expect(diary.all('leaseLost')).toEqual([]);
      expect(diary.all(event as 'completed')).toHaveLength(1);
      await expect(queue.stats()).resolves.toMatchObject({ active: 0, counts });
      lab().errors = [];
    },
  );

  test('a fetch gets its task after a lease, by recovery', async () => {
    const { queue } = lab();
    await queue.add('job', null, { id: 'a' }); // a backlog comes by fetch
    const { diary, lost } = await workerThatLoses({ script: lua.next, times: 1 }, () => 0);
    await until(() => lost.count === 1, 'the loss');
    await until(async () => (await lab().age(60_000)) === 1, 'the delivery to age');
    await diary.next('completed', 'a');
    expect(diary.all('recovered', 'a')).toHaveLength(1);
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, counts: { complete: 1, recovered: 1 } });
    lab().errors = [];
  });

  test('an open is made again at once, for what was read is known', async () => {
    const { queue } = lab();
    const { diary, lost } = await workerThatLoses({ script: lua.open, times: 1 }, () => 0);
    const isBlocked = async (): Promise<boolean> =>
      String(await lab().send('CLIENT', 'LIST')).includes('cmd=xreadgroup');
    await until(isBlocked, 'the reader to block');
    await queue.add('job', null, { id: 'a' }); // a lone task comes by open
    await diary.next('completed', 'a');
    expect(lost.count).toBe(1);
    expect(diary.all('recovered', 'a')).toEqual([]);
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, counts: { complete: 1 } });
    lab().errors = [];
  });

  test('a promotion, as a stand-in, starts each task once', async () => {
    const { queue } = lab();
    const { make, lost } = lossy(lab().server, { script: lua.promote, times: 2 });
    const { diary } = await lab().worker({ job: () => 0 }, { connection: make, lockTtl: '5s' });
    await queue.addMany(Array.from({ length: 300 }, () => ({ name: 'job', in: 30 })));
    await until(() => diary.all('completed').length >= 300, 'all to complete');
    expect(lost.count).toBe(2);
    expect(new Set(diary.all('completed').map(({ id }) => id)).size).toBe(300);
    await expect(queue.stats()).resolves.toMatchObject({ counts: { complete: 300 } });
    lab().errors = [];
  });
});

test('a settle that can not be placed for one lease is told, and its task is left to others', async () => {
  const { queue, keys } = lab();
  const { make } = lossy(lab().server, { script: lua.next, times: Number.POSITIVE_INFINITY, withItems: true });
  let runs = 0;
  const losingWorker = await lab().worker(
    { job: () => (runs += 1) },
    { connection: make, lease: '1s', leader: 'never' },
  );
  await queue.add('job', null, { id: 'a' });
  await until(
    () => losingWorker.diary.errors.some((error) => String(error).includes('the end of task a')),
    'the error',
  );
  expect(losingWorker.diary.all('completed')).toEqual([]);
  expect(runs).toBe(1); // the settle did happen; only its answer was never heard
  await expect(lab().send('HEXISTS', keys.tasks, 'a')).resolves.toBe(0);
  expect(lab().observations.filter(({ type }) => type === 'settle_failed')).toHaveLength(1);
  lab().errors = [];
});
