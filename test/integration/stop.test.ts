import { describe, expect, test } from 'vitest';
import { RejectTask } from '../../src/index.js';
import { next } from '../../src/redis/scripts.generated.js';
import { intercepted } from '../support/intercepted.js';
import { Gate, aborted, useLab } from '../support/lab.js';
import { Proxy } from '../support/proxy.js';
import { until } from '../support/redis.js';

/** How a worker ends: what runs finishes or is cut short, what was not started goes back, nothing is left pending. */
const lab = useLab({ port: 'free' });

/** Nothing pending, no consumer, neither in our books nor in the group's. */
async function expectLeft(): Promise<void> {
  const { queue, keys } = lab();
  await expect(queue.stats()).resolves.toMatchObject({ active: 0, consumers: 0 });
  await expect(lab().send('XINFO', 'CONSUMERS', keys.stream, 'workers')).resolves.toEqual([]);
}

test('an idle worker is gone at once, and so is its consumer', async () => {
  const { worker, diary } = await lab().worker({ job: () => 0 });
  await lab().queue.add('job', null, { id: 'a' });
  await diary.next('completed', 'a');
  const startedAtMs = performance.now();
  await worker.stop();
  expect(performance.now() - startedAtMs).toBeLessThan(2_000); // the reader's block alone would take 5 s
  await expectLeft();
});

test('a handler at work may finish, and what it did is written', async () => {
  const { queue } = lab();
  const gate = new Gate();
  const { worker, diary } = await lab().worker({ job: () => gate.opened });
  await queue.add('job', null, { id: 'a' });
  await until(() => worker.inFlight === 1, 'it to start');
  const stopped = worker.stop();
  await queue.add('job', null, { id: 'b' });
  gate.open();
  await stopped;
  expect(diary.events('a')).toEqual(['completed']);
  await expect(queue.get('b')).resolves.toMatchObject({ state: 'ready' });
  await expectLeft();
});

test('a handler that takes longer than the drain time is aborted, and its task is tried again at once', async () => {
  const { queue } = lab();
  const reasons: string[] = [];
  const handler = async (_task: unknown, ctx: { signal: AbortSignal }): Promise<void> => {
    reasons.push(await aborted(ctx.signal));
    throw ctx.signal.reason;
  };
  const first = await lab().worker(
    { job: { handler, maxAttempts: 1, backoff: { type: 'fixed', delay: '1h' } } },
    { drain: 20 },
  );
  await queue.add('job', null, { id: 'a' });
  await until(() => first.worker.inFlight === 1, 'it to start');
  await first.worker.stop();
  expect(reasons).toEqual(['stopping']);
  expect(first.diary.events('a')).toEqual(['failed', 'retried']);
  await expectLeft();
  const second = await lab().worker({ job: () => 0 });
  await second.diary.next('completed', 'a');
});

test('a handler that rejects its task when it is aborted has its way', async () => {
  const { queue } = lab();
  const handler = async (_task: unknown, ctx: { signal: AbortSignal }): Promise<void> => {
    await aborted(ctx.signal);
    throw new RejectTask('not to be repeated');
  };
  const { worker, diary } = await lab().worker({ job: handler }, { drain: 0 });
  await queue.add('job', null, { id: 'a' });
  await until(() => worker.inFlight === 1, 'it to start');
  await worker.stop();
  expect(diary.all('dead', 'a')[0]?.of).toMatchObject({ reason: 'rejected' });
});

test('a forced stop aborts at once', async () => {
  const { queue } = lab();
  const reasons: string[] = [];
  const { worker } = await lab().worker(
    { job: async (_task, ctx) => reasons.push(await aborted(ctx.signal)) },
    { drain: '1d' },
  );
  await queue.add('job');
  await until(() => worker.inFlight === 1, 'it to start');
  await worker.stop({ force: true });
  expect(reasons).toEqual(['stopping']);
});

test('a second, forced stop cuts short the drain of the first; both end together', async () => {
  const { queue } = lab();
  const reasons: string[] = [];
  const { worker } = await lab().worker(
    { job: async (_task, ctx) => reasons.push(await aborted(ctx.signal)) },
    { drain: '1d' },
  );
  await queue.add('job');
  await until(() => worker.inFlight === 1, 'it to start');
  const first = worker.stop();
  const second = worker.stop();
  expect(reasons).toEqual([]);
  await Promise.all([first, second, worker.stop({ force: true })]);
  expect(reasons).toEqual(['stopping']);
  await worker.stop();
});

test('a handler that ignores its abort is left behind, and somebody else gets its task', async () => {
  const { queue } = lab();
  const gate = new Gate();
  const { worker, diary } = await lab().worker({ job: () => gate.opened }, { drain: 0, lease: '1s' });
  await queue.add('job', null, { id: 'a' });
  await until(() => worker.inFlight === 1, 'it to start');
  await worker.stop();
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'active' });
  const other = await lab().worker({ job: () => 0 }, { lease: '1s' });
  await lab().age(60_000);
  await expect(other.diary.next('recovered', 'a')).resolves.toMatchObject({ delivery: 2, attempt: 1 });
  await other.diary.next('completed', 'a');
  gate.open();
  await until(() => diary.errors.length > 0, 'the late end to be refused');
  expect(diary.all('completed')).toEqual([]);
  lab().errors = [];
});

test('what was read and not started goes back, so that another worker gets it at once', async () => {
  const { queue } = lab();
  const other = await lab().worker({ job: () => 0 }, { leader: 'never' });
  await until(async () => (await queue.stats()).consumers === 1, 'the other');
  const ids = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    const { worker, diary } = await lab().worker({ job: () => 0 }, { leader: 'never' });
    const added = await queue.addMany(Array.from({ length: 20 }, () => ({ name: 'job' })));
    for (const { id } of added) ids.add(id);
    await worker.stop();
    for (const { id } of diary.all('completed')) ids.delete(id);
  }
  const done = (): boolean => {
    for (const { id } of other.diary.all('completed')) ids.delete(id);
    return ids.size === 0;
  };
  await until(done, 'all to complete, none to wait for a lease of 10s', 5_000);
  await expect(queue.stats()).resolves.toMatchObject({ active: 0, consumers: 1, counts: { complete: 400 } });
});

test('what the second of two reads brings after the stop goes back too', async () => {
  const { queue, server } = lab();
  const replies: Gate[] = [];
  const make = intercepted(server, async (args) => {
    if (args[1] !== next.sha1) return;
    const gate = new Gate();
    replies.push(gate);
    await gate.opened;
  });
  await queue.addMany([{ name: 'job' }, { name: 'job' }]);
  await lab().run(next, { consumer: 'nobody', free: 0, bytesMax: 0, items: [] }); // so that the server knows the script
  const { worker } = await lab().worker({ job: () => 0 }, { connection: make, concurrency: 2, leader: 'never' });
  await until(() => replies.length === 2, 'two reads to be under way');
  const stopped = worker.stop();
  replies[0]?.open();
  await until(async () => (await queue.stats()).active === 1, 'the first to go back');
  replies[1]?.open();
  await stopped;
  await expect(queue.stats()).resolves.toMatchObject({ ready: 2, active: 0, consumers: 0 });
});

describe('a worker', () => {
  test('that never started stops at once, and can not start after that', async () => {
    const { worker } = await lab().worker({ job: () => 0 });
    await worker.stop();
    await expect(worker.start()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(worker.health()).toMatchObject({ ok: false, ready: false });
  });

  test('that leads lets another lead when it stops', async () => {
    const { queue } = lab();
    const { worker } = await lab().worker({ job: () => 0 }, { lockTtl: '5m' });
    await until(async () => (await queue.leader()) !== null, 'it to lead');
    const former = await queue.leader();
    const leader = await lab().leader({ lockTtl: '5m' });
    await worker.stop();
    await until(() => leader.seat === 'leader', 'the other to lead, long before the lock of 5 minutes is over');
    expect((await queue.leader())?.term).toBeGreaterThan(former?.term ?? 0);
  });

  test('stops while it is still starting', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { worker } = await lab().worker({ job: () => 0 });
      await worker.stop();
    }
    await expectLeft().catch(async (error: unknown) => {
      if (!String(error).includes('no such key')) throw error; // stopped before it joined
      await expect(lab().queue.stats()).resolves.toMatchObject({ consumers: 0 });
    });
  });

  test('is stopped by the end of its scope', async () => {
    const { worker } = await lab().worker({ job: () => 0 });
    {
      await using scoped = worker;
      expect(scoped.health().ok).toBe(true);
    }
    expect(worker.health().ok).toBe(false);
  });
});

test('a worker whose Redis is silent stops all the same, in about its drain time', async () => {
  const { queue, server } = lab();
  const proxy = await Proxy.before(server);
  const gate = new Gate();
  const { worker } = await lab().worker({ job: () => gate.opened }, { connection: proxy.url, drain: '100ms' });
  await queue.add('job', null, { id: 'a' });
  await until(() => worker.inFlight === 1, 'it to start');
  proxy.blackHole();
  gate.open(); // its end can't be written
  await worker.stop();
  expect(worker.inFlight).toBe(0);
  lab().errors = [];
});
