import { describe, expect, onTestFinished, test } from 'vitest';
import { Queue, RejectTask } from '../../src/index.js';
import { partitionKeys } from '../../src/keys.js';
import { partitionOf } from '../../src/partition-of.js';
import { Gate, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** A queue of several partitions, through the public API. */
const lab = useLab();

const keysOf = (partition: number): ReturnType<typeof partitionKeys> =>
  partitionKeys('duestream', lab().name, partition);

/** Ids that go to this partition, of so many. */
function idsIn(partition: number, { of, count }: { of: number; count: number }): string[] {
  const ids: string[] = [];
  for (let at = 0; ids.length < count; at += 1) if (partitionOf(`t${at}`, of) === partition) ids.push(`t${at}`);
  return ids;
}

const queueOf = (partitions: number): Queue => lab().newQueue({ partitions });

async function created(partitions: number): Promise<Queue> {
  const queue = queueOf(partitions);
  await queue.create();
  return queue;
}

describe('how many partitions a queue has', () => {
  test('is settled by its first use, and taken over by whoever was told nothing', async () => {
    await queueOf(4).create();
    const { queue } = lab();
    await queue.addMany(Array.from({ length: 40 }, (_, at) => ({ name: 'job', id: `t${at}` })));
    expect(await queue.stats()).toMatchObject({ partitions: 4, ready: 40 });
    expect(await lab().send('HGET', keysOf(3).meta, 'layout')).toBe('1/4');
  });

  test('is 1 for a queue that was used before anybody said otherwise', async () => {
    await lab().queue.add('job');
    await expect(queueOf(4).create()).rejects.toMatchObject({ code: 'ERR_OTHER_LAYOUT' });
    expect(await lab().queue.create()).toEqual({ queue: lab().name, partitions: 1 });
  });

  test('is not settled by looking', async () => {
    expect(await lab().queue.stats()).toMatchObject({ partitions: 1, ready: 0 });
    expect(await lab().queue.get('nobody')).toBeNull();
    expect(await queueOf(3).create()).toEqual({ queue: lab().name, partitions: 3 });
    expect(await lab().queue.stats()).toMatchObject({ partitions: 3 });
  });

  test('must be believed by every process: another belief writes nothing', async () => {
    await queueOf(4).create();
    const other = queueOf(8);
    await expect(other.add('job')).rejects.toMatchObject({
      code: 'ERR_OTHER_LAYOUT',
      message: expect.stringContaining('has 4 partitions in Redis, and this process was told 8'),
    });
    await expect(other.addMany([{ name: 'job' }])).rejects.toMatchObject({ code: 'ERR_OTHER_LAYOUT' });
    await expect(other.stats()).rejects.toMatchObject({ code: 'ERR_OTHER_LAYOUT' });
    const { worker } = await lab().worker({ job: () => {} }, { partitions: 8 });
    const leader = await lab().leader({ partitions: 2 });
    await until(() => lab().errors.length >= 2, 'both to be refused');
    expect(worker.health()).toMatchObject({ ready: false, problems: [expect.stringContaining('4 partitions')] });
    expect(leader.health()).toMatchObject({ ready: false, problems: [expect.stringContaining('4 partitions')] });
    expect(await lab().queue.stats()).toMatchObject({ ready: 0, consumers: 0, leader: null });
    lab().errors = [];
  });

  test('is not forgotten with the first partition: it is read from the second, and put back', async () => {
    const queue = await created(4);
    await queue.addMany(Array.from({ length: 40 }, (_, at) => ({ name: 'job', id: `t${at}`, in: '1h' })));
    await lab().send('DEL', keysOf(0).meta, keysOf(0).tasks, keysOf(0).due);
    const ids = idsIn(1, { of: 4, count: 2 });
    expect(
      await lab()
        .newQueue()
        .get(ids[0] as string),
    ).toMatchObject({ state: 'scheduled' });
    expect(await lab().newQueue().stats()).toMatchObject({ partitions: 4 });
    await expect(queueOf(1).add('job')).rejects.toMatchObject({ code: 'ERR_OTHER_LAYOUT' });
    expect(await lab().newQueue().create()).toEqual({ queue: lab().name, partitions: 4 });
    expect(await lab().send('HGET', keysOf(0).meta, 'layout')).toBe('1/4');
  });

  test.each([0, -1, 1.5, 1_025, Number.NaN, '4'])('can not be %s', (partitions) => {
    const make = (): Queue => new Queue('mail', { partitions: partitions as number });
    expect(make).toThrow('partitions must be a whole number from 1 to 1024');
  });

  test('is asked for once by a thousand adds of one turn', async () => {
    const calls = async (): Promise<number> =>
      Number(/cmdstat_hsetnx:calls=(\d+)/.exec(String(await lab().send('INFO', 'commandstats')))?.[1] ?? 0);
    const before = await calls();
    const queue = queueOf(4);
    await Promise.all(Array.from({ length: 1_000 }, () => queue.add('job')));
    expect((await calls()) - before).toBe(1);
    expect(await queue.stats()).toMatchObject({ ready: 1_000 });
  });
});

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

describe('a worker', () => {
  test('runs the tasks of all partitions, also where there are more of them than slots', async () => {
    const queue = await created(12);
    const ran = new Map<string, number>();
    let [atWork, most] = [0, 0];
    const run = async ({ id }: { id: string }): Promise<void> => {
      atWork += 1;
      most = Math.max(most, atWork);
      ran.set(id, (ran.get(id) ?? 0) + 1);
      await Promise.resolve();
      atWork -= 1;
    };
    const { diary } = await lab().worker({ job: run }, { concurrency: 3 });
    await queue.addMany(Array.from({ length: 300 }, (_, at) => ({ name: 'job', id: `t${at}`, in: at % 3 ? 0 : 100 })));
    await until(() => diary.all('completed').length === 300, 'all to complete');
    expect([ran.size, ...new Set(ran.values())]).toEqual([300, 1]);
    expect(most).toBeLessThanOrEqual(3);
    expect(await queue.stats()).toMatchObject({ ready: 0, active: 0, counts: { added: 300, complete: 300 } });
  });

  test('keeps no more than it has slots for: what else it reads goes to others at once', async () => {
    const queue = await created(8);
    const gate = new Gate();
    const started: string[] = [];
    const run = async ({ id }: { id: string }): Promise<void> => {
      started.push(id);
      await gate.opened;
    };
    const one = await lab().worker({ job: run }, { concurrency: 2 });
    await until(async () => (await queue.stats()).consumers === 8, 'all its readers');
    for (let partition = 0; partition < 8; partition += 1) {
      await queue.add('job', null, { id: idsIn(partition, { of: 8, count: 1 })[0] as string });
    }
    await until(() => started.length === 2, 'two to start');
    const two = await lab().worker({ job: run }, { concurrency: 6 });
    await until(() => started.length === 8, 'the others to start elsewhere');
    expect([one.worker.inFlight, two.worker.inFlight]).toEqual([2, 6]);
    gate.open();
    await until(() => one.diary.all('completed').length + two.diary.all('completed').length === 8, 'all to end');
    expect(new Set(started).size).toBe(8);
    expect(one.diary.all('recovered').length + two.diary.all('recovered').length).toBe(0);
  });

  test('lets no full partition starve another', async () => {
    const queue = await created(4);
    const backlog = idsIn(0, { of: 4, count: 400 });
    const lone = idsIn(1, { of: 4, count: 1 })[0] as string;
    const order: string[] = [];
    const halfway = new Gate();
    const run = async ({ id }: { id: string }): Promise<void> => {
      order.push(id);
      if (order.length === 100) {
        await queue.add('job', null, { id: lone });
        halfway.open();
      }
      if (order.length > 100) await halfway.opened;
    };
    await queue.addMany(backlog.map((id) => ({ name: 'job', id })));
    const { diary } = await lab().worker({ job: run }, { concurrency: 1 });
    await diary.next('completed', lone);
    expect(order.length).toBeLessThan(200);
    await until(() => diary.all('completed').length === 401, 'all to complete');
  });

  test('hands back what it has read when it stops', async () => {
    const queue = await created(6);
    const gate = new Gate();
    const { worker } = await lab().worker({ job: () => gate.opened }, { concurrency: 4 });
    await queue.addMany(Array.from({ length: 60 }, (_, at) => ({ name: 'job', id: `t${at}` })));
    await until(() => worker.inFlight === 4, 'all slots to be at work');
    const stopped = worker.stop();
    gate.open();
    await stopped;
    const { ready, active, consumers, counts } = await queue.stats();
    expect({ left: ready + (counts['complete'] ?? 0), active, consumers }).toEqual({
      left: 60,
      active: 0,
      consumers: 0,
    });
  });

  test('has a connection for each partition, and few more', async () => {
    await queueOf(10).create();
    const before = ((await lab().send('CLIENT', 'LIST')) as string).trim().split('\n').length;
    await lab().worker({ job: () => {} });
    await until(async () => (await lab().queue.stats()).consumers === 10, 'all its readers');
    const after = ((await lab().send('CLIENT', 'LIST')) as string).trim().split('\n').length;
    expect(after - before).toBeLessThanOrEqual(10 + 1 + 4 + 1); // one is the queue's own, opened meanwhile
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

describe('the leader', () => {
  const epochs = async (partitions: number): Promise<unknown[]> =>
    Promise.all(Array.from({ length: partitions }, (_, at) => lab().send('HMGET', keysOf(at).epoch, 'term', 'token')));

  test('claims its term on each partition before it writes there', async () => {
    const queue = await created(6);
    await lab().leader();
    await queue.addMany(Array.from({ length: 60 }, (_, at) => ({ name: 'job', id: `t${at}`, in: 50 })));
    await until(async () => (await queue.stats()).ready === 60, 'all to be promoted');
    const { term } = (await queue.leader()) as { term: number };
    const all = await epochs(6);
    expect(new Set(all.map((epoch) => JSON.stringify(epoch))).size).toBe(1);
    expect((all[0] as string[])[0]).toBe(String(term));
  });

  test('takes a higher term, and claims it everywhere, where a higher one stands', async () => {
    const queue = await created(4);
    const future = (Date.now() + 3_600_000) * 1_000;
    await lab().send('HSET', keysOf(2).epoch, 'term', future, 'token', 'of a leader that is gone');
    await lab().leader({ lockTtl: '500ms' });
    await queue.addMany(Array.from({ length: 40 }, (_, at) => ({ name: 'job', id: `t${at}`, in: 50 })));
    await until(async () => (await queue.stats()).ready === 40, 'all to be promoted');
    const all = await epochs(4);
    expect(new Set(all.map((epoch) => JSON.stringify(epoch))).size).toBe(1);
    expect(Number((all[0] as string[])[0])).toBeGreaterThan(future);
  });

  test('promotes on the others while one fails, and says which', async () => {
    const queue = await created(4);
    await lab().send('SET', keysOf(1).due, 'not a sorted set');
    const leader = await lab().leader({ lockTtl: '500ms' });
    const ids = [0, 2, 3].flatMap((partition) => idsIn(partition, { of: 4, count: 5 }));
    await queue.addMany(ids.map((id) => ({ name: 'job', id, in: 50 })));
    const ready = (partition: number): Promise<unknown> => lab().send('XLEN', keysOf(partition).stream);
    await until(async () => (await Promise.all([0, 2, 3].map(ready))).every((length) => length === 5), 'the others');
    await until(() => leader.health().problems.includes('promotion is failing on partition 1'), 'its health to say so');
    expect(leader.seat).toBe('leader');
    lab().errors = [];
  });

  test('of many partitions warns of no leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const queue = await created(24);
    await lab().worker({ job: () => {} });
    await until(async () => (await queue.stats()).leader !== null, 'it to lead');
    await queue.addMany(Array.from({ length: 100 }, (_, at) => ({ name: 'job', id: `t${at}`, in: 20 })));
    await until(async () => (await queue.stats()).counts['complete'] === 100, 'all to complete');
    expect(warnings).toEqual([]);
  });

  test('hands over all partitions when it stops', async () => {
    const queue = await created(5);
    const first = await lab().leader();
    await until(() => first.seat === 'leader', 'the first to lead');
    const second = await lab().leader();
    await first.stop();
    await until(() => second.seat === 'leader', 'the second to lead');
    await queue.addMany(Array.from({ length: 50 }, (_, at) => ({ name: 'job', id: `t${at}`, in: 20 })));
    await until(async () => (await queue.stats()).ready === 50, 'all to be promoted');
  });
});
