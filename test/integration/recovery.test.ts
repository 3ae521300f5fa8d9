import { describe, expect, test } from 'vitest';
import { Gate, Lab, useLab } from '../support/lab.js';
import { Proxy } from '../support/proxy.js';
import { startRedis, until } from '../support/redis.js';

/** What happens to deliveries whose consumer died, lost its connection, or was cut off. */
const lab = useLab({ port: 'free' });

describe('the deliveries of a dead worker', () => {
  test('are taken over when their lease is over, as the same attempt', async () => {
    const { queue } = lab();
    const ids = (await queue.addMany(Array.from({ length: 5 }, () => ({ name: 'job' })))).map(({ id }) => id);
    await lab().ghost(5);
    await lab().age(2_000);
    const tasks: string[] = [];
    const { diary } = await lab().worker({ job: (task) => tasks.push(`${task.id} ${task.attempt} ${task.delivery}`) });
    await until(() => diary.all('completed').length === 5, 'all to complete');
    expect(tasks.sort()).toEqual(ids.map((id) => `${id} 1 2`).sort());
    expect(diary.all('recovered').every(({ of }) => of['delivery'] === 2)).toBe(true);
    await expect(queue.stats()).resolves.toMatchObject({ counts: { recovered: 5, complete: 5 } });
  });

  test('are taken over though the worker only lost its network and still runs', async () => {
    const { queue, server } = lab();
    const proxy = await Proxy.before(server);
    const gate = new Gate();
    const reasons: unknown[] = [];
    const cut = await lab().worker(
      {
        job: async (_task, ctx) => {
          await gate.opened;
          reasons.push((ctx.signal.reason as { why?: string } | undefined)?.why);
        },
      },
      { connection: proxy.url, lease: '1s', leader: 'never' },
    );
    await queue.add('job', null, { id: 'a' });
    await until(() => cut.worker.inFlight === 1, 'it to start');
    await proxy.close();
    await cut.diary.next('leaseLost', 'a');
    const other = await lab().worker({ job: () => 0 }, { lease: '1s', leader: 'never' });
    await other.diary.next('completed', 'a');
    await proxy.reopen();
    gate.open();
    await until(() => cut.worker.inFlight === 0, 'the handler to end');
    await cut.worker.stop();
    expect(reasons).toEqual(['lease_lost']);
    expect(cut.diary.all('completed')).toEqual([]);
    await expect(queue.stats()).resolves.toMatchObject({ counts: { complete: 1, recovered: 1 } });
    lab().errors = [];
  });

  test('are dead letters when more leases than maxDeliveries were lost', async () => {
    const { queue, keys } = lab();
    await queue.add('job', { n: 1 }, { id: 'a' });
    await lab().ghost(1);
    const [held] = await lab().pending();
    const args = ['ghost', 0, held?.entry ?? '', 'IDLE', 60_000, 'RETRYCOUNT', 3, 'JUSTID'];
    await lab().send('XCLAIM', keys.stream, 'workers', ...args);
    let ran = 0;
    await lab().worker({ job: () => (ran += 1) }, { maxDeliveries: 2 });
    await lab().state('a', 'dead');
    await expect(queue.dead.get('a')).resolves.toMatchObject({
      reason: 'max_deliveries',
      payload: { n: 1 },
      name: 'job',
    });
    expect(ran).toBe(0);
  });

  test('at the limit of maxDeliveries are run once more', async () => {
    const { queue, keys } = lab();
    await queue.add('job', null, { id: 'a' });
    await lab().ghost(1);
    const [held] = await lab().pending();
    const args = ['ghost', 0, held?.entry ?? '', 'IDLE', 60_000, 'RETRYCOUNT', 2, 'JUSTID'];
    await lab().send('XCLAIM', keys.stream, 'workers', ...args);
    const { diary } = await lab().worker({ job: () => 0 }, { maxDeliveries: 2 });
    await diary.next('completed', 'a');
    expect(diary.all('recovered', 'a')[0]?.of).toMatchObject({ delivery: 3 });
  });
});

test('a backlog without end does not keep the one slot from what was abandoned', async () => {
  const { queue } = lab();
  await queue.add('job', null, { id: 'abandoned' });
  await lab().ghost(1);
  await lab().age(2_000);
  await queue.add('job');
  const looks = (): number =>
    lab().observations.filter((seen) => seen.type === 'redis_command' && seen.op === 'recover').length;
  const { diary } = await lab().worker(
    {
      job: async () => {
        await queue.addMany([{ name: 'job' }, { name: 'job' }]); // each brings two more
        const before = looks();
        await until(() => looks() > before, 'a look, while the slot is taken');
      },
    },
    { concurrency: 1, lease: '1s' },
  );
  await diary.next('completed', 'abandoned');
  expect(diary.events('abandoned')).toEqual(['recovered', 'completed']);
});

test("the owner's lease counts, not that of who looks", async () => {
  const { queue } = lab();
  await queue.add('job', null, { id: 'patient' });
  await lab().ghost(1, { name: 'patient', leaseMs: 60_000 });
  await queue.add('job', null, { id: 'hasty' });
  await lab().ghost(1, { name: 'hasty', leaseMs: 1_000 });
  await lab().age(30_000);
  const { diary } = await lab().worker({ job: () => 0 }, { lease: '1s' });
  await diary.next('completed', 'hasty');
  await expect(queue.get('patient')).resolves.toMatchObject({ state: 'active' });
  expect(diary.all('recovered', 'patient')).toEqual([]);
});

test('more than a page of deliveries that live does not hide one that is abandoned', async () => {
  const { queue } = lab();
  await queue.addMany(Array.from({ length: 450 }, (_, at) => ({ name: 'job', id: `t${at}` })));
  await lab().ghost(430, { name: 'alive', leaseMs: 600_000 });
  await lab().ghost(20, { name: 'dead', leaseMs: 1_000 });
  await lab().age(5_000);
  const { diary } = await lab().worker({ job: () => 0 }, { concurrency: 7 });
  await until(() => diary.all('completed').length === 20, 'those of the dead');
  expect(
    diary
      .all('recovered')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(Array.from({ length: 20 }, (_, at) => `t${430 + at}`).sort());
});

test('a task at work through an outage longer than its lease is not started a second time', async () => {
  const server = await startRedis({ port: 'free' });
  const outage = new Lab(server);
  try {
    const { queue } = outage;
    const gate = new Gate();
    let runs = 0;
    const handler = async (): Promise<void> => {
      runs += 1;
      await gate.opened;
    };
    const first = await outage.worker({ job: handler }, { lease: '1s' });
    const second = await outage.worker({ job: handler }, { lease: '1s' });
    await queue.add('job', null, { id: 'a' });
    await until(() => runs === 1, 'it to start');
    await server.kill('SIGSTOP');
    const frozenAtMs = performance.now();
    await until(() => performance.now() - frozenAtMs > 2_500, 'two and a half leases');
    await server.kill('SIGCONT');
    await queue.add('job', null, { id: 'b', in: '1500ms' }); // looks go on beyond the hold of one lease
    await until(() => runs === 2, 'the other to start');
    gate.open();
    await until(async () => (await queue.get('a')) === null && (await queue.get('b')) === null, 'both to end');
    expect(runs).toBe(2);
    expect([...first.diary.all('recovered'), ...second.diary.all('recovered')]).toEqual([]);
  } finally {
    await server.kill('SIGCONT');
    await outage.end();
  }
});

test('after an outage nothing is recovered for one lease, and health and stats say so', async () => {
  const { queue, keys } = lab();
  await queue.add('job', null, { id: 'a' });
  await lab().ghost(1, { leaseMs: 3_000 });
  await lab().send('HSET', keys.meta, 'seen_ms', Math.floor(await lab().nowMs()) - 10_000); // nobody looked for 10 s
  await lab().age(60_000);
  const { worker, diary } = await lab().worker({ job: () => 0 }, { lease: '1s', leader: 'never' });
  const isTold = (): boolean => worker.health().problems.includes('recovery is on hold after an outage');
  await until(async () => isTold() && (await queue.stats()).recoveryOnHold, 'the hold');
  const endedMs = Number(await lab().send('HGET', keys.meta, 'gap_end_ms'));
  expect(diary.told).toEqual([]);
  await diary.next('completed', 'a');
  expect(await lab().nowMs()).toBeGreaterThanOrEqual(endedMs + 3_000); // the owner's lease, not the worker's
  await until(async () => !isTold() && !(await queue.stats()).recoveryOnHold, 'the hold to end');
});

describe('the reader', () => {
  async function readerOf(): Promise<string> {
    const clients = String(await lab().send('CLIENT', 'LIST')).split('\n');
    const reader = clients.find((line) => line.includes('cmd=xreadgroup'));
    return /id=(\d+)/.exec(reader ?? '')?.[1] ?? '';
  }

  test('that lost its connection reads on under a new name, and nothing is lost', async () => {
    const { queue, keys } = lab();
    const gate = new Gate();
    const { worker, diary } = await lab().worker({ job: () => gate.opened });
    const names = (): Promise<string[]> => lab().send('HKEYS', keys.consumers) as Promise<string[]>;
    await queue.add('job', null, { id: 'held' });
    await until(() => worker.inFlight === 1, 'it to start');
    await until(async () => (await readerOf()) !== '', 'the reader to block');
    const [before] = await names();
    await lab().send('CLIENT', 'KILL', 'ID', await readerOf());
    await until(async () => (await names()).some((name) => name !== before), 'a new name');
    await queue.add('job', null, { id: 'b' });
    await until(() => worker.inFlight === 2, 'the next to start');
    const holders = new Set((await lab().pending()).map(({ consumer }) => consumer));
    expect(holders.size).toBe(2); // what was read before keeps its name
    expect(holders).toContain(before);
    gate.open();
    await diary.next('completed', 'held');
    await diary.next('completed', 'b');
    expect(diary.all('leaseLost')).toEqual([]);
    await worker.stop();
    await expect(queue.stats()).resolves.toMatchObject({ consumers: 0, active: 0 });
    lab().errors = [];
  });

  test('survives being killed again and again under load: each task completes once', async () => {
    const { queue } = lab();
    const { diary, worker } = await lab().worker({ job: () => 0 }, { lease: '1s', concurrency: 5 });
    const ids: string[] = [];
    for (let round = 0; round < 15; round += 1) {
      ids.push(...(await queue.addMany(Array.from({ length: 10 }, () => ({ name: 'job' })))).map(({ id }) => id));
      const reader = await readerOf();
      if (reader !== '')
        await lab()
          .send('CLIENT', 'KILL', 'ID', reader)
          .catch(() => {});
    }
    await until(() => diary.all('completed').length >= 150, 'all to complete');
    expect(
      diary
        .all('completed')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids.sort());
    await worker.stop();
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, ready: 0, counts: { complete: 150 } });
    lab().errors = [];
  });
});

test('when all connections are killed again and again each task still ends once', async () => {
  const { queue } = lab();
  const runs = new Map<string, number>();
  const handler = (task: { id: string; attempt: number }): void => {
    runs.set(task.id, (runs.get(task.id) ?? 0) + 1);
    if (task.attempt === 1 && task.id.endsWith('7')) throw new Error('again');
  };
  const options = { lease: '1s', concurrency: 5, lockTtl: '1s' };
  const handlers = { job: { handler, backoff: { type: 'fixed', delay: 5 } as const } };
  const workers = [await lab().worker(handlers, options), await lab().worker(handlers, options)];
  for (let round = 0; round < 12; round += 1) {
    const items = Array.from({ length: 25 }, (_, at) => ({
      name: 'job',
      id: `${round}-${at}`,
      in: at % 3 === 0 ? 20 : 0,
    }));
    await queue.addMany(items);
    await lab().send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    if (round % 4 === 0) await lab().send('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }
  const fresh = lab().newQueue();
  const ended = async (): Promise<boolean> => {
    const { scheduled, due, ready, active } = await fresh.stats(); // the other's connection was killed too
    return scheduled + due + ready + active === 0;
  };
  await until(ended, 'all to end');
  await expect(fresh.stats()).resolves.toMatchObject({ dead: 0, ended: 0, counts: { added: 300, complete: 300 } });
  const completed = workers.flatMap(({ diary }) => diary.all('completed').map(({ id }) => id));
  expect(new Set(completed).size).toBe(completed.length); // told once at most
  expect(runs.size).toBe(300);
  await expect(lab().send('EXISTS', lab().keys.tasks, lab().keys.live, lab().keys.runs)).resolves.toBe(0);
  expect(lab().errors.filter((error) => (error as { name?: string }).name === 'BugError')).toEqual([]);
  lab().errors = [];
});
