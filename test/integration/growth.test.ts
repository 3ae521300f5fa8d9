/** What the leader does for a queue that grows, ticked by hand. */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { StandIn } from '../../src/consumer/stand-in.js';
import { Growth } from '../../src/leader/growth.js';
import { Walk } from '../../src/leader/walk.js';
import { partitionOf } from '../../src/partition-of.js';
import type { Partition } from '../../src/redis/partition.js';
import type { Reply } from '../../src/redis/reply.js';
import { type Caller, runScript } from '../../src/redis/script.js';
import { add, grow } from '../../src/redis/scripts.generated.js';
import { releaseWhenDue } from '../../src/redis/split.js';
import { useLab } from '../support/lab.js';
import { idsIn, movingIds, partitionsIn } from '../support/partitions.js';

const lab = useLab();
const { keysOf, created, known, layoutAt } = partitionsIn(lab);

describe('the duty that sees a growth through', () => {
  const isWaiting = (partition: number) => lab().send('HEXISTS', keysOf(partition).meta, 'waits');

  /** As a leader has it, to tick by hand. */
  const dutyOf = async (callerFor?: (key: string) => Caller): Promise<Growth> => new Growth(await known(callerFor));

  test('has nothing to do in a queue that does not grow', async () => {
    await created(2);
    expect(await (await dutyOf()).tick()).toBe(60_000);
  });

  test('releases anew a partition that lost all it had, and came back as a new one', async () => {
    const queue = await created(2);
    const [old, lost] = movingIds(1, 3, 9) as [string, string];
    await queue.add('job', null, { id: old, in: '1h' }); // the growth lasts for as long
    await queue.grow(4);
    const duty = await dutyOf();
    await duty.tick();
    expect(await isWaiting(3)).toBe(0);
    await lab().send('DEL', ...Object.values(keysOf(3)));
    await queue.add('job', null, { id: lost });
    expect(await isWaiting(3)).toBe(1);
    for (let waitedMs = 0; waitedMs <= 30_000; ) waitedMs += await duty.tick();
    await duty.tick();
    expect(await isWaiting(3)).toBe(0);
    expect(await layoutAt(3)).toBe('1/4<2');
  });

  test('does for the others what it can not do for one that is away, and does not forget the past before it could', async () => {
    const queue = await created(2);
    await queue.grow(4);
    const isAway = { now: true };
    const away: Caller = {
      send: (...args) => (isAway.now ? Promise.reject(new Error('away')) : lab().link.send(...args)),
    };
    const duty = await dutyOf((key) => (key.includes(':1}') ? away : lab().link));
    await expect(duty.tick()).rejects.toThrow('partition 1 could not be told');
    expect([await isWaiting(2), await isWaiting(3)]).toEqual([0, 1]); // 3 waits for 1
    await expect(duty.tick()).rejects.toThrow('away');
    expect(await layoutAt(0)).toBe('1/4<2');
    isAway.now = false;
    for (let ticks = 0; ticks < 5; ticks += 1) await duty.tick();
    expect([await isWaiting(3), await layoutAt(0)]).toEqual([0, '1/4']);
  });

  test('forgets the past only when no task lies where it would not belong by now', async () => {
    const queue = await created(2);
    const stays = idsIn(1, { of: 4, count: 1 })[0] as string;
    const [byId, keyed] = movingIds(0, 2, 9) as [string, string];
    await queue.addMany(
      [{ id: stays }, { id: byId }, { id: 'k', key: keyed }].map((one) => ({ name: 'job', in: '1h', ...one })),
    );
    await queue.grow(4);
    const duty = await dutyOf();
    const after = async (id: string, place?: { key: string }): Promise<unknown> => {
      await queue.cancel(id, place);
      for (let ticks = 0; ticks < 4; ticks += 1) await duty.tick();
      return layoutAt(0);
    };
    expect(await after(byId)).toBe('1/4<2');
    expect(await after('k', { key: keyed })).toBe('1/4');
    expect(await queue.get(stays)).toMatchObject({ state: 'scheduled' });
  });

  test('releases one that still waits since an earlier growth', async () => {
    const queue = await created(2);
    await queue.grow(4);
    await (await dutyOf()).tick(); // released
    const end = { layout: '1/4', from: '1/4<2', waits: '', nowMs: 0 };
    await runScript(lab().link, grow, { keys: keysOf(0), args: end });
    await lab().send('HSET', keysOf(3).meta, 'layout', '1/4<2', 'waits', 0, 'paused', 1); // it lost that, and the end
    await queue.grow(8);
    const duty = await dutyOf();
    for (let ticks = 0; ticks < 4; ticks += 1) await duty.tick();
    expect([await isWaiting(3), await isWaiting(7)]).toEqual([0, 0]);
  });

  test('knows the key of a record that it can not read', async () => {
    await created(2);
    const [key] = movingIds(0, 2, 9) as [string];
    const id = idsIn(0, { of: 4, count: 1 })[0] as string;
    const items = [{ id, when: '+3600000', expires: '', record: JSON.stringify(['job', '"', { v: 2, k: key, x: 1 }]) }];
    await runScript(lab().link, add, { keys: keysOf(0), args: { layout: '1/2', nowMs: 0, lane: '', call: 0, items } });
    await lab().newQueue().grow(4);
    const duty = await dutyOf();
    for (let ticks = 0; ticks < 6; ticks += 1) await duty.tick();
    expect(await layoutAt(0)).toBe('1/4<2');
  });
});

test('a walk begins anew when the server is another, or has been restarted: its cursor meant something to that one only', async () => {
  const queue = await created(2);
  await queue.addMany(idsIn(0, { of: 4, count: 1_500 }).map((id) => ({ name: 'job', id, in: '1h' })));
  await queue.grow(4);
  const server = { now: 'a' };
  const renamed: Caller = {
    send: async (args, options) => {
      const reply = (await lab().link.send(args, options)) as Reply[];
      return options?.op === 'scan' ? ([reply[0], reply[1], server.now, reply[3]] as Reply) : reply;
    },
  };
  const { partitions } = await known(() => renamed);
  const walk = new Walk([partitions.home], (place, index) => partitionOf(place, 4) !== index);
  const untilNot = async (what: string): Promise<string> => {
    for (;;) {
      const found = await walk.step();
      if (found !== what) return found;
    }
  };
  await walk.step();
  server.now = 'b';
  expect(await untilNot('more')).toBe('done');
  await lab().send('HSET', keysOf(0).tasks, movingIds(0, 2, 9)[0] as string, '["job"]'); // a failover had it back
  server.now = 'c';
  expect(await walk.step()).toBe('more');
  expect(await untilNot('more')).toBe('met');
});

test('a new partition is released without a leader, too', async () => {
  await created(2);
  await lab().newQueue().grow(4);
  const { partitions } = await known();
  const partition = partitions.all[3] as Partition;
  const release = (): Promise<void> => releaseWhenDue(partition, partitions);
  const standIn = new StandIn({ partition, release, clock: systemClock, observe: lab().observe, lockTtlMs: 500 });
  await standIn.tick();
  expect(await lab().send('HEXISTS', keysOf(3).meta, 'waits')).toBe(0);
});
