import { describe, expect, test } from 'vitest';
import type { Queue } from '../../src/index.js';
import { Gate, useLab } from '../support/lab.js';
import { movingIds, partitionsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';

const lab = useLab();
const { keysOf, queueOf, created, layoutAt } = partitionsIn(lab);

/** That it is one of four, and all of them know it. */
const isDone = async (): Promise<boolean> =>
  (await Promise.all([0, 1, 2, 3].map(layoutAt))).every((at) => at === '1/4');

describe('a queue that grows', () => {
  test('while producers and workers are at it: each task runs once, and the former layout is forgotten', async () => {
    const queue = await created(2);
    const ran = new Map<string, number>();
    const run = ({ id }: { id: string }): void => {
      ran.set(id, (ran.get(id) ?? 0) + 1);
    };
    const workers = [await lab().worker({ job: run }), await lab().worker({ job: run }, { concurrency: 3 })];
    const others = [queue, lab().newQueue(), queueOf(2)];
    const added: Promise<unknown>[] = [];
    for (let at = 0; at < 900; at += 1) {
      const by = others[at % 3] as Queue;
      const key = at % 2 === 0 ? {} : { key: `k${at % 20}` };
      added.push(by.add('job', at, { id: `t${at}`, in: at % 5 === 0 ? 200 : 0, ...key }));
      if (at === 300) added.push(queue.grow(4));
      if (at % 50 === 0) await added.at(-2);
    }
    await Promise.all(added);
    await until(() => ran.size === 900, 'all to run');
    expect([...new Set(ran.values())]).toEqual([1]);
    await until(isDone, 'the growth to be over');
    expect(await queue.stats()).toMatchObject({
      partitions: 4,
      ready: 0,
      active: 0,
      counts: { added: 900, complete: 900 },
    });
    expect(workers.flatMap(({ diary }) => diary.all('recovered'))).toEqual([]);
    await queue.add('job', null, { id: movingIds(0, 2, 9)[0] as string });
    await until(() => [...ran.values()].includes(2), 'a task of a partition that is new');
  });

  test('keeps ids unique in all of it, whoever adds', async () => {
    const queue = await created(2);
    const [first, second, third] = movingIds(1, 3, 9) as [string, string, string];
    await queue.add('job', null, { id: first, in: '1h' });
    const stale = queueOf(2);
    await stale.add('job', null, { id: 'known', in: '1h' });
    expect(await queue.grow(4)).toEqual({ queue: lab().name, partitions: 4, former: [2] });
    for (const one of [queue, stale, lab().newQueue()]) {
      expect(await one.add('job', null, { id: first, in: '1h' })).toEqual({ id: first, status: 'duplicate' });
      const [a, b, c] = await one.addMany([first, second, third].map((id) => ({ name: 'job', id, in: '1h' })));
      expect([a?.status, b?.status]).toEqual(['duplicate', one === queue ? 'scheduled' : 'duplicate']);
      expect(c?.status).toBe(b?.status);
    }
    expect(await lab().send('HLEN', keysOf(3).tasks)).toBe(2);
    await queue.cancel(first);
    expect(await stale.add('job', null, { id: first, in: '1h' })).toMatchObject({ status: 'scheduled' });
    expect(await lab().send('HEXISTS', keysOf(3).tasks, first)).toBe(1);
  });

  test('keeps them unique under many who add and cancel the same few, whatever each knows of the layout', async () => {
    const queue = await created(1);
    const callers = Array.from({ length: 6 }, () => lab().newQueue());
    const ids = Array.from({ length: 12 }, (_, at) => `t${at}`);
    const living = new Map(ids.map((id) => [id, 0]));
    const count = (id: string, by: number): void => void living.set(id, (living.get(id) as number) + by);
    const key = (id: string): { key?: string } => (id < 't5' ? {} : { key: `of ${id}` });
    const work = async (caller: Queue, turn: number): Promise<void> => {
      for (let at = 0; at < 120; at += 1) {
        const id = ids[(at * 7 + turn * 5) % ids.length] as string;
        if ((at + turn) % 2 === 0) {
          const { status } = await caller.add('job', null, { id, in: '1h', ...key(id) });
          if (status === 'scheduled') count(id, 1);
        } else if ((await caller.cancel(id, (at + turn) % 3 ? key(id) : {})).status === 'cancelled') count(id, -1);
      }
    };
    const working = Promise.all(callers.map(work));
    for (const to of [2, 4, 8]) await queue.grow(to);
    await working;
    for (const id of ids) {
      const places = await Promise.all(
        [0, 1, 2, 3, 4, 5, 6, 7].map((at) => lab().send('HEXISTS', keysOf(at).tasks, id)),
      );
      expect([id, places.filter((there) => there === 1).length]).toEqual([id, living.get(id)]);
      expect([id, [0, 1].includes(living.get(id) as number)]).toEqual([id, true]);
    }
  });

  test('finds what lies where it lay before, by id and by key', async () => {
    const queue = await created(2);
    const stale = lab().newQueue();
    expect(await stale.get('nobody')).toBeNull();
    const [key] = movingIds(0, 2, 9) as [string];
    await queue.add('job', 1, { id: 'mine', key, in: '1h' });
    const { id } = await queue.add('job', 2, { key, in: '1h' });
    await queue.grow(4);
    for (const one of [queue, stale, lab().newQueue()]) {
      expect(await one.get('mine', { key })).toMatchObject({ payload: 1, state: 'scheduled' });
      expect(await one.get('mine')).toMatchObject({ payload: 1 });
      expect(await one.get(id)).toMatchObject({ payload: 2 });
      expect((await one.list()).tasks).toHaveLength(2);
    }
    expect(await queue.update('mine', { payload: 3 }, { key })).toMatchObject({ status: 'updated' });
    expect(await stale.reschedule('mine', { in: '2h' }, { key })).toMatchObject({ status: 'rescheduled' });
    expect(await queue.add('job', 4, { id: 'mine', key })).toMatchObject({ status: 'duplicate' });
    expect(await stale.cancel('mine', { key })).toMatchObject({ status: 'cancelled' });
    expect(await queue.get('mine', { key })).toMatchObject({ state: 'cancelled' });
    expect(await queue.add('job', 4, { id: 'mine', key, in: '1h' })).toMatchObject({ status: 'scheduled' });
    expect(await stale.get('mine', { key })).toMatchObject({ state: 'scheduled', payload: 4 });
  });

  test('is seen by an object that only looks', async () => {
    const queue = await created(2);
    const looking = lab().newQueue();
    expect(await looking.stats()).toMatchObject({ partitions: 2 });
    await queue.grow(4);
    const id = movingIds(0, 2, 9)[0] as string;
    await queue.add('job', 'there', { id, in: '1h' });
    expect(await looking.get(id)).toMatchObject({ payload: 'there' });
    expect(await looking.stats()).toMatchObject({ partitions: 4, scheduled: 1 });
  });

  test('hands out what was ready before what its new partitions got since', async () => {
    const queue = await created(2);
    const order: string[] = [];
    const before = movingIds(0, 2, 40);
    await queue.addMany(before.map((id) => ({ name: 'job', id })));
    await queue.grow(4);
    const key = before[0] as string;
    await queue.addMany(Array.from({ length: 5 }, () => ({ name: 'job', key })));
    expect(await queue.stats()).toMatchObject({ paused: false, ready: before.length });
    const { diary } = await lab().worker({ job: ({ id }) => void order.push(id) }, { concurrency: 1 });
    await until(() => diary.all('completed').length === before.length + 5, 'all to complete');
    expect(order.slice(0, before.length)).toEqual(before);
  });

  test('is paused as a whole, and resumed as a whole', async () => {
    const queue = await created(2);
    await queue.pause();
    await queue.grow(4);
    const ids = [movingIds(0, 2, 9)[0], movingIds(1, 3, 9)[0]] as string[];
    const { diary, worker } = await lab().worker({ job: () => {} });
    await queue.addMany(ids.map((id) => ({ name: 'job', id })));
    await until(
      async () => (await lab().send('HEXISTS', keysOf(3).meta, 'waits')) === 0,
      'the new ones to be released',
    );
    expect(await queue.stats()).toMatchObject({ paused: true, due: 2 });
    expect(worker.inFlight).toBe(0);
    await queue.resume();
    await until(() => diary.all('completed').length === 2, 'both to run');
    expect(await queue.stats()).toMatchObject({ paused: false });
  });

  test('a dead letter of before is made a task where it belongs by now', async () => {
    const queue = await created(2);
    const id = movingIds(1, 3, 9)[0] as string;
    const { diary, worker } = await lab().worker({ job: () => Promise.reject(new Error('no')) }, { leader: 'never' });
    await queue.add('job', 'it', { id, maxAttempts: 1 });
    await diary.next('dead', id);
    await worker.stop();
    await queue.grow(4);
    await queue.add('job', 'anew', { id, in: '1h' });
    expect(await queue.dead.replay(id)).toMatchObject({ status: 'conflict', id });
    await queue.cancel(id);
    const [letter] = (await queue.dead.list()).letters;
    expect(await queue.dead.replay(letter?.number as string)).toMatchObject({ status: 'replayed', id });
    expect(await queue.dead.list()).toMatchObject({ letters: [] });
    expect(await lab().send('HEXISTS', keysOf(3).tasks, id)).toBe(1);
    expect(await queue.get(id)).toMatchObject({ payload: 'it', attempt: 1 });
  });
});

describe('growing', () => {
  test('twice before the first is over', async () => {
    const queue = await created(1);
    const ids = Array.from({ length: 60 }, (_, at) => `t${at}`);
    await queue.addMany(ids.slice(0, 20).map((id) => ({ name: 'job', id, in: 300 })));
    await queue.grow(2);
    await queue.addMany(ids.slice(0, 40).map((id) => ({ name: 'job', id, in: 300 })));
    expect(await queue.grow(4)).toMatchObject({ former: [2, 1] });
    const results = await lab()
      .newQueue()
      .addMany(ids.map((id) => ({ name: 'job', id, in: 300 })));
    expect(results.filter(({ status }) => status === 'duplicate')).toHaveLength(40);
    const { diary } = await lab().worker({ job: () => {} });
    await until(() => diary.all('completed').length === 60, 'all to run');
    await until(isDone, 'the growth to be over');
  });

  test('by two at once: to the same number, or to one after the other', async () => {
    const queue = await created(2);
    const [one, other] = await Promise.all(
      [queue.grow(4), lab().newQueue().grow(8)].map((grown) => grown.catch(String)),
    );
    expect([4, 8]).toContain((one as { partitions: number }).partitions ?? 8);
    expect(other).toMatchObject({ partitions: 8 });
    expect(await Promise.all([lab().newQueue().grow(8), queue.grow(8)])).toMatchObject([{ partitions: 8 }, {}]);
    const texts = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(layoutAt));
    expect(new Set(texts).size).toBe(1);
  });

  test.each([
    [1, 'can grow to 4, 6, another multiple, and it can not shrink; got 1'],
    [3, 'can grow to 4, 6, another multiple; got 3'],
    [0, 'partitions must be'],
    [2_048, 'partitions must be'],
  ])('from 2 to %i is refused, and nothing is written', async (to, message) => {
    const queue = await created(2);
    const refused = { code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(message) };
    await expect(queue.grow(to)).rejects.toMatchObject(refused);
    expect(await Promise.all([0, 1, 2].map(layoutAt))).toEqual(['1/2', null, null]);
  });

  test('of a queue that nobody has used makes none', async () => {
    const refused = { code: 'ERR_NO_QUEUE', message: expect.stringContaining('there is no queue') };
    await expect(lab().newQueue().grow(4)).rejects.toMatchObject(refused);
    expect(await layoutAt(0)).toBeNull();
  });

  test('beyond what there may be is refused', async () => {
    const queue = await created(600);
    await expect(queue.grow(1_000)).rejects.toThrow('it can not grow: split it into several queues; got 1000');
  });

  test('to what it is changes nothing', async () => {
    const queue = await created(2);
    expect(await queue.grow(2)).toEqual({ queue: lab().name, partitions: 2, former: [] });
    expect(await layoutAt(1)).toBeNull();
  });

  test('a process that starts with the former number is refused; one that runs goes on', async () => {
    const running = await created(2);
    await running.add('job', null, { in: '1h' });
    await lab().newQueue().grow(4);
    expect(await running.add('job', null, { in: '1h' })).toMatchObject({ status: 'scheduled' });
    await expect(queueOf(2).add('job')).rejects.toMatchObject({ code: 'ERR_OTHER_LAYOUT' });
    expect(await queueOf(8).grow(8)).toMatchObject({ partitions: 8 });
  });

  test('goes on while a handler of before is at work, and its end counts', async () => {
    const queue = await created(1);
    const gate = new Gate();
    const { diary, worker } = await lab().worker({ job: () => gate.opened }, { lease: '1s' });
    await queue.add('job', null, { id: 'long' });
    await until(() => worker.inFlight === 1, 'it to start');
    await queue.grow(8);
    gate.open();
    await diary.next('completed', 'long');
    expect(await queue.stats()).toMatchObject({ active: 0, counts: { complete: 1 } });
  });
});
