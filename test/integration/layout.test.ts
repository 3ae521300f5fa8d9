import { describe, expect, test } from 'vitest';
import { Queue } from '../../src/index.js';
import { Layout } from '../../src/redis/layout.js';
import type { Caller } from '../../src/redis/script.js';
import { useLab } from '../support/lab.js';
import { idsIn, partitionsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';
import { VirtualClock } from '../support/virtual-clock.js';

const lab = useLab();
const { keysOf, queueOf, created } = partitionsIn(lab);

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
    expect(await lab().queue.create()).toEqual({ queue: lab().name, partitions: 1, former: [] });
  });

  test('is not settled by looking', async () => {
    expect(await lab().queue.stats()).toMatchObject({ partitions: 1, ready: 0 });
    expect(await lab().queue.get('nobody')).toBeNull();
    expect(await queueOf(3).create()).toEqual({ queue: lab().name, partitions: 3, former: [] });
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

  test('is learned from the second partition while the server of the first does not answer', async () => {
    const queue = await created(4);
    await queue.addMany(Array.from({ length: 40 }, (_, at) => ({ name: 'job', id: `t${at}`, in: '1h' })));
    const clock = new VirtualClock();
    const silent: Caller = { send: () => new Promise(() => {}) };
    const callerFor = (key: string): Caller => (key.includes(':0}') ? silent : lab().link);
    const layout = new Layout({ queue: lab().name, prefix: 'duestream', callerFor, clock, believed: undefined });
    const settled = layout.settle();
    await clock.advance(2_000);
    await settled;
    expect([layout.partitions, layout.isSettled]).toEqual([4, true]);
  });

  test('is not guessed when the first refuses to say and the second has none', async () => {
    await queueOf(4).create();
    const refusing: Caller = { send: () => Promise.reject(new Error('away')) };
    const callerFor = (key: string): Caller => (key.includes(':0}') ? refusing : lab().link);
    const clock = new VirtualClock();
    const layout = new Layout({ queue: lab().name, prefix: 'duestream', callerFor, clock, believed: 4 });
    await expect(layout.settle()).rejects.toThrow('away');
    await expect(layout.read()).rejects.toThrow('away');
    expect(layout.isSettled).toBe(false);
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
    expect(await lab().newQueue().create()).toEqual({ queue: lab().name, partitions: 4, former: [] });
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
