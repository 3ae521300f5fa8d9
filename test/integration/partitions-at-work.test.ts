import { describe, expect, onTestFinished, test } from 'vitest';
import { Gate, useLab } from '../support/lab.js';
import { idsIn, partitionsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';

const lab = useLab();
const { keysOf, queueOf, created } = partitionsIn(lab);

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

  test('says on which its schedules are not fired, until they are', async () => {
    await created(4);
    await lab().send('SET', keysOf(1).upcoming, 'not a sorted set');
    const leader = await lab().leader({ lockTtl: '500ms' });
    const problem = 'schedules are not fired on partition 1';
    await until(() => leader.health().problems.includes(problem), 'its health to say so');
    expect([leader.health().ready, leader.seat]).toEqual([false, 'leader']);
    await lab().send('DEL', keysOf(1).upcoming);
    await until(() => leader.health().ready, 'it to be well', 10_000);
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
