import { describe, expect, test } from 'vitest';
import { DuestreamError } from '../../src/errors.js';
import type { Partition } from '../../src/redis/partition.js';
import { runScript } from '../../src/redis/script.js';
import { add, grow, replay, stats } from '../../src/redis/scripts.generated.js';
import { intercepted } from '../support/intercepted.js';
import { Gate, useLab } from '../support/lab.js';
import { lossy } from '../support/lossy.js';
import { idsIn, movingIds, partitionsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';

const lab = useLab();
const { keysOf, created, known, layoutAt } = partitionsIn(lab);

/** That it is one of four, and all of them know it. */
const isDone = async (): Promise<boolean> =>
  (await Promise.all([0, 1, 2, 3].map(layoutAt))).every((at) => at === '1/4');

/** Only the first partition has the new layout: whoever grew the queue died right then. */
async function growAtRootOnly(to: string, from: string): Promise<void> {
  const send = (args: readonly string[]) => lab().send(...args);
  await runScript({ send }, grow, { keys: keysOf(0), args: { layout: to, from, waits: '', nowMs: 0 } });
}

describe('a growth that was cut short', () => {
  test('is seen through by whoever adds', async () => {
    const queue = await created(2);
    const [old, id] = movingIds(1, 3, 9) as [string, string];
    await queue.add('job', null, { id: old, in: '1h' });
    await growAtRootOnly('1/4<2', '1/2');
    expect(await layoutAt(1)).toBe('1/2');
    expect(await lab().newQueue().add('job', null, { id: old })).toMatchObject({ status: 'duplicate' });
    expect(await layoutAt(1)).toBe('1/4<2');
    expect(await lab().newQueue().add('job', null, { id })).toMatchObject({ status: 'scheduled' });
    expect(await lab().send('HMGET', keysOf(3).meta, 'layout', 'waits')).toEqual(['1/4<2', '0']);
  });

  test('is seen through by the leader, and by the command again', async () => {
    const queue = await created(2);
    const id = movingIds(1, 3, 9)[0] as string;
    await queue.add('job', null, { id });
    await growAtRootOnly('1/4<2', '1/2');
    const { diary } = await lab().worker({ job: () => {} });
    await diary.next('completed', id);
    await until(isDone, 'the growth to be over');
    expect(await queue.grow(4)).toEqual({ queue: lab().name, partitions: 4, former: [] });
  });

  test('a call that brings up a partition is made again as it was: a late copy of it must not count twice', async () => {
    await created(2);
    await growAtRootOnly('1/4<2', '1/2');
    const { partitions, layout } = await known();
    const items = [{ id: movingIds(1, 3, 9)[0] as string, when: '+0', expires: '', record: '["job"]' }];
    const call = { items, lane: 'lane', call: 1 };
    const addAt3 = () => (partitions.all[3] as Partition).runIn(add, call, { layout: layout.text });
    expect(await addAt3()).toEqual({ status: 'ok', marks: 's' });
    expect(await addAt3()).toEqual({ status: 'ok', marks: 's' });
  });

  test('goes on where the first partition is away, with one that is behind', async () => {
    await created(2);
    const isAway = { now: false };
    const away = new Error('the first is away');
    const { partitions, layout } = await known((key) => ({
      send: (...args) => (isAway.now && key.includes(':0}') ? Promise.reject(away) : lab().link.send(...args)),
    }));
    await growAtRootOnly('1/4<2', '1/2');
    await lab().send('HSET', keysOf(1).meta, 'layout', '1/2');
    await partitions.home.run(stats, {});
    isAway.now = true;
    expect(await partitions.all[1]?.run(stats, {})).toMatchObject({ status: 'ok' });
    expect([layout.text, await layoutAt(1)]).toEqual(['1/4<2', '1/4<2']);
  });

  test('says that it has begun when not all partitions could be told', async () => {
    await created(2);
    const unreachable = new DuestreamError('ERR_REDIS_UNREACHABLE', 'not sent');
    const { layout } = await known((key) => ({
      send: (...args) => (key.includes(':1}') ? Promise.reject(unreachable) : lab().link.send(...args)),
    }));
    const begun = expect.stringContaining('has 4 partitions by now, but partition 1 could not be told');
    await expect(layout.grow(4)).rejects.toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN', message: begun });
  });

  test('a first partition that lost it learns it from the others', async () => {
    const queue = await created(2);
    await queue.add('job', null, { in: '1h' });
    await queue.grow(4);
    await lab().send('HSET', keysOf(0).meta, 'layout', '1/2');
    const inFirst = idsIn(0, { of: 4, count: 1 })[0] as string;
    await queue.add('job', null, { id: inFirst, in: '1h' });
    expect(await layoutAt(0)).toBe('1/4<2');
  });
});

describe('what is lost of a growth', () => {
  test.each(['1/4<2', '1/2'])(
    'its end, at the first partition, which is %s again: it learns it from the others',
    async (back) => {
      const queue = await created(2);
      await queue.grow(4);
      const { layout } = await known();
      await layout.finish();
      await lab().send('HSET', keysOf(0).meta, 'layout', back);
      const [here, there] = [idsIn(0, { of: 4, count: 1 })[0], idsIn(1, { of: 4, count: 1 })[0]] as [string, string];
      for (const one of [queue, lab().newQueue()]) {
        await one.add('job', null, { id: there });
        await one.add('job', null, { id: here });
        expect(await one.stats()).toMatchObject({ partitions: 4, ready: 2 });
      }
      expect(await layoutAt(0)).toBe('1/4');
    },
  );

  test('the first half of a queue: who knows better settles it as it was', async () => {
    await created(4);
    const running = lab().newQueue();
    await running.grow(8);
    for (let at = 4; at < 8; at += 1)
      await running.add('job', null, { id: idsIn(at, { of: 8, count: 1 })[0] as string });
    for (let at = 0; at < 4; at += 1) await lab().send('DEL', ...Object.values(keysOf(at)));
    await running.pause();
    expect(await layoutAt(0)).toBe('1/8<4');
    expect(await lab().newQueue().stats()).toMatchObject({ partitions: 8, paused: true });
  });

  test('a growth at the first partition, which is then grown further: nothing is forgotten', async () => {
    const queue = await created(2);
    await queue.grow(4);
    const id = idsIn(7, { of: 8, count: 1 })[0] as string; // in 3 of 4
    await queue.add('job', null, { id, in: '1h' });
    await lab().send('HSET', keysOf(0).meta, 'layout', '1/2');
    expect(await lab().newQueue().grow(8)).toMatchObject({ former: [4, 2] });
    expect(await lab().newQueue().add('job', null, { id })).toMatchObject({ status: 'duplicate' });
  });
});

describe('a dead letter, replayed', () => {
  async function dead(id: string): Promise<void> {
    const { diary, worker } = await lab().worker({ job: () => Promise.reject(new Error('no')) }, { leader: 'never' });
    await lab().newQueue().add('job', null, { id, maxAttempts: 1 });
    await diary.next('dead', id);
    await worker.stop();
  }

  test('says what it did though its reply was lost while the queue grew', async () => {
    const queue = await created(2);
    const id = idsIn(1, { of: 4, count: 1 })[0] as string; // it stays in partition 1
    await dead(id);
    const { make, lost } = lossy(lab().server, { script: replay, times: 1, meanwhile: () => queue.grow(4) });
    expect(await lab().newQueue({ connection: make }).dead.replay(id)).toMatchObject({ status: 'replayed', id });
    expect([lost.count, await layoutAt(1)]).toEqual([1, '1/4<2']);
  });

  test('becomes one task though it belongs elsewhere by now, and two do it at once', async () => {
    const queue = await created(2);
    const id = movingIds(1, 3, 9)[0] as string;
    await dead(id);
    await queue.grow(4);
    const [read, go] = [new Gate(), new Gate()];
    const connection = intercepted(lab().server, async (args) => {
      if (args[0] !== 'XRANGE' || !String(args[1]).endsWith(':dead')) return;
      read.open();
      await go.opened;
    });
    const slow = lab().newQueue({ connection }).dead.replay(id);
    await read.opened;
    expect(await queue.dead.replay(id)).toMatchObject({ status: 'replayed' });
    const { diary } = await lab().worker({ job: () => {} });
    await diary.next('completed', id);
    go.open();
    expect(await slow).toMatchObject({ status: 'replayed' });
    expect(await queue.stats()).toMatchObject({ dead: 0, ready: 0, due: 0, counts: { complete: 1 } });
  });

  test('is told of a conflict as long as there is one', async () => {
    const queue = await created(2);
    const id = movingIds(1, 3, 9)[0] as string;
    await dead(id);
    await queue.grow(4);
    await queue.add('job', null, { id, in: '1h' });
    for (let times = 0; times < 3; times += 1) {
      expect(await lab().newQueue().dead.replay(id)).toMatchObject({ status: 'conflict' });
    }
    await queue.cancel(id);
    const [letter] = (await queue.dead.list()).letters;
    expect(
      await lab()
        .newQueue()
        .dead.replay(letter?.number as string),
    ).toMatchObject({ status: 'replayed' });
  });
});
