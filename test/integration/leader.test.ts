import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { BugError } from '../../src/errors.js';
import { Leadership } from '../../src/leader/leadership.js';
import { systemRandom } from '../../src/random.js';
import { Partitions } from '../../src/redis/partition.js';
import { OneServer } from '../../src/redis/one-server.js';
import type { Caller } from '../../src/redis/script.js';
import { fixedLayout } from '../support/fixed-layout.js';
import { useLab } from '../support/lab.js';
import { Proxy } from '../support/proxy.js';
import { until } from '../support/redis.js';

/** Leadership as users see it: one promotes, another takes over, an old term changes nothing. */
const lab = useLab({ port: 'free' });

test('one of many leads, and the queue tells who', async () => {
  const { queue } = lab();
  await expect(queue.leader()).resolves.toBeNull();
  const leaders = [await lab().leader(), await lab().leader(), await lab().leader()];
  await until(() => leaders.some(({ seat }) => seat === 'leader'), 'one to lead');
  expect(leaders.filter(({ seat }) => seat === 'leader')).toHaveLength(1);
  await expect(queue.leader()).resolves.toMatchObject({ pid: process.pid, term: expect.any(Number) as number });
  expect(Math.abs(((await queue.leader())?.since ?? 0) - (await lab().nowMs()))).toBeLessThan(20_000);
});

test('a leader that stops hands over at once, and terms only grow', async () => {
  const { queue } = lab();
  const first = await lab().leader({ lockTtl: '5m' });
  await until(() => first.seat === 'leader', 'the first to lead');
  const before = await queue.leader();
  const second = await lab().leader({ lockTtl: '5m' });
  await first.stop();
  await until(() => second.seat === 'leader', 'the second to lead');
  expect(first.seat).toBe('follower');
  expect((await queue.leader())?.term).toBeGreaterThan(before?.term ?? 0);
  await queue.add('job', null, { id: 'a', in: 5 });
  await lab().state('a', 'ready');
});

test('a leader that is asked to resign does, and another leads', async () => {
  const { queue } = lab();
  const told: string[] = [];
  const first = await lab().leader();
  first.on('elected', () => told.push('elected'));
  first.on('stepped_down', ({ reason }) => told.push(reason));
  await until(() => first.seat === 'leader', 'the first to lead');
  const second = await lab().leader();
  const former = await queue.leader();
  await expect(queue.resign()).resolves.toEqual(former);
  await until(() => second.seat === 'leader', 'the other to lead');
  expect(told).toEqual(['elected', 'resigned']);
});

test('to resign where nobody leads is no error', async () => {
  await expect(lab().queue.resign()).resolves.toBeNull();
});

test('a leader whose term another took over promotes nothing and steps down', async () => {
  const { queue, keys } = lab();
  const leader = await lab().leader({ lockTtl: '5m' });
  await until(() => leader.seat === 'leader', 'it to lead');
  const stepped = new Promise<string>((resolve) => {
    leader.once('stepped_down', ({ reason }) => resolve(reason));
  });
  await lab().send('HSET', keys.epoch, 'term', '9007199254740000', 'token', 'another');
  await queue.add('job', null, { id: 'a', in: 1 });
  await expect(stepped).resolves.toBe('refused');
  expect(leader.seat).toBe('follower');
  await leader.stop(); // before it bids again, or after: what it promotes then is under a term of its own
  const refused = lab().observations.filter(({ type }) => type === 'stale_write_refused');
  expect(refused.length).toBeGreaterThan(0);
  const promotedBefore = lab().observations.slice(0, lab().observations.indexOf(refused[0] as never));
  expect(promotedBefore.every((one) => one.type !== 'promoted' || one.count === 0)).toBe(true);
});

test('nobody leads: a worker promotes what is overdue by more than a lock and a second, and says so', async () => {
  const { queue } = lab();
  const { worker, diary } = await lab().worker({ job: () => 0 }, { leader: 'never', lockTtl: '500ms' });
  await queue.add('job', null, { id: 'a', in: 50 });
  await diary.next('completed', 'a');
  await until(() => lab().observations.some((one) => one.type === 'promoted'), 'it to be said');
  const promoted = lab().observations.filter((one) => one.type === 'promoted');
  expect(promoted).toEqual([expect.objectContaining({ count: 1, withoutLeader: true })]);
  expect((promoted[0] as { lagMs: number }).lagMs).toBeGreaterThanOrEqual(1_500);
  expect(worker.health()).toMatchObject({ ok: true, ready: false, problems: ['nobody leads'] });
});

describe('a leader cut off from Redis', () => {
  test('steps down by itself, another promotes, and it follows when it is back', async () => {
    const { queue, server } = lab();
    const proxy = await Proxy.before(server);
    const cut = await lab().leader({ connection: proxy.url, lockTtl: '1s' });
    await until(() => cut.seat === 'leader', 'it to lead');
    const other = await lab().leader({ lockTtl: '1s' });
    await queue.add('job', null, { id: 'a', in: '1h' });
    proxy.blackHole();
    await until(() => cut.seat === 'follower', 'it to step down without a word from Redis');
    await until(() => other.seat === 'leader', 'the other to lead');
    await queue.reschedule('a', { in: 1 });
    await lab().state('a', 'ready');
    proxy.heal();
    expect(cut.seat).toBe('follower');
    await other.stop();
    await until(() => cut.seat === 'leader', 'it to lead again');
    lab().errors = [];
  });

  test('can be stopped', async () => {
    const { server } = lab();
    const proxy = await Proxy.before(server);
    const leader = await lab().leader({ connection: proxy.url, lockTtl: '500ms', commandTimeout: '1s' });
    await until(() => leader.seat === 'leader', 'it to lead');
    proxy.blackHole();
    await leader.stop();
    expect(leader.seat).toBe('follower');
    lab().errors = [];
  });
});

test('a leader promotes on time when an earlier task is added while it sleeps', async () => {
  const { queue } = lab();
  const leader = await lab().leader();
  await until(() => leader.seat === 'leader', 'it to lead');
  await queue.add('job', null, { id: 'late', in: '1h' });
  await queue.add('job', null, { id: 'early', in: 20 });
  await lab().state('early', 'ready');
  await expect(queue.get('late')).resolves.toMatchObject({ state: 'scheduled' });
});

test('a thousand tasks due at once are all promoted, each once', async () => {
  const { queue } = lab();
  const leader = await lab().leader();
  await until(() => leader.seat === 'leader', 'it to lead');
  await queue.addMany(Array.from({ length: 1_000 }, () => ({ name: 'job', in: 50 })));
  await until(async () => (await queue.stats()).ready === 1_000, 'all to be ready');
  await leader.stop();
  const count = lab().observations.reduce((sum, one) => sum + (one.type === 'promoted' ? one.count : 0), 0);
  expect(count).toBe(1_000);
});

test('dead consumers with nothing pending are forgotten; those with something are not', async () => {
  const { queue, keys } = lab();
  await queue.add('job', null, { id: 'a' });
  await lab().ghost(1, { name: 'holding' });
  await lab()
    .ghost(0, { name: 'idle' })
    .catch(() => {});
  await lab().send('HSET', keys.consumers, 'idle', '1000 1 host:1', 'holding', '1000 1 host:1');
  await lab().leader();
  await until(async () => (await queue.stats()).consumers === 1, 'the idle one to go');
  await expect(lab().send('HKEYS', keys.consumers)).resolves.toEqual(['holding']);
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'active' });
});

test('a duty that ends by a bug of ours ends the reign, and its process tells that it fails', async () => {
  const { link, name: queue, observe } = lab();
  const errors: unknown[] = [];
  const caller: Caller = {
    send: (args, options) => (options?.op === 'age' ? Promise.resolve(['never heard of']) : link.send(args, options)),
  };
  const leadership = new Leadership({
    queue,
    partitions: new Partitions({ queue, prefix: 'duestream', layout: fixedLayout(), callerFor: () => caller }),
    lockNodes: [link],
    oneServer: new OneServer(systemClock, () => []),
    lockTtlMs: 60_000,
    identity: { id: 'me', host: 'here', pid: 1 },
    clock: systemClock,
    random: systemRandom,
    observe,
    onSeat: () => undefined,
    onError: (error) => errors.push(error),
  });
  leadership.start();
  await until(() => errors.length > 0, 'the bug to be met');
  expect(errors).toEqual([expect.any(BugError)]);
  expect([leadership.problems, leadership.isLeading]).toEqual([['promotion is failing: a bug has ended it'], false]);
  await leadership.stop();
});
