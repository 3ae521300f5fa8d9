import { describe, expect, test } from 'vitest';
import { Sweeper } from '../../src/leader/sweeper.js';
import { Partition } from '../../src/redis/partition.js';
import { fixedLayout } from '../support/fixed-layout.js';
import { Gate, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** An operator's hand: what is broken while everything runs mends itself, and nothing is lost. */
const lab = useLab();

test('a group that was destroyed is made again, and what is ready is run', async () => {
  const { queue, keys } = lab();
  const { worker, diary } = await lab().worker({ job: () => 0 });
  await queue.add('job', null, { id: 'before' });
  await diary.next('completed', 'before');
  await lab().send('XGROUP', 'DESTROY', keys.stream, 'workers');
  await queue.add('job', null, { id: 'after' });
  await diary.next('completed', 'after');
  await worker.stop();
  await expect(queue.stats()).resolves.toMatchObject({ consumers: 0, ready: 0, active: 0 });
});

test('a group destroyed under a handler at work costs it its lease, and the task runs again', async () => {
  const { queue, keys } = lab();
  const gate = new Gate();
  let runs = 0;
  const handler = (): Promise<void> | undefined => {
    runs += 1;
    return runs === 1 ? gate.opened : undefined;
  };
  const { diary } = await lab().worker({ job: handler }, { lease: '1s' });
  await queue.add('job', null, { id: 'a' });
  await until(() => runs === 1, 'it to start');
  await lab().send('XGROUP', 'DESTROY', keys.stream, 'workers');
  await until(() => runs === 2, 'it to start again');
  await diary.next('completed', 'a');
  await diary.next('leaseLost', 'a');
  gate.open();
  await queue.add('job', null, { id: 'b' });
  await diary.next('completed', 'b');
  expect(diary.all('completed', 'a')).toHaveLength(1);
});

test('a stream that was deleted is swept: its tasks are run', async () => {
  const { queue, keys } = lab();
  const { diary } = await lab().worker({ job: () => 0 });
  await until(async () => (await queue.leader()) !== null, 'a leader');
  await queue.pause();
  await queue.resume();
  await queue.add('job', null, { id: 'first' });
  await diary.next('completed', 'first');
  await queue.add('job', null, { id: 'scheduled', in: '1h' });
  await lab().send('DEL', keys.stream);
  // Tasks that were ready in it: a record and a live entry, and the stream gone.
  await queue.add('job', { n: 1 }, { id: 'lost', in: '1h' });
  await lab().send('ZREM', keys.due, 'lost');
  await lab().send('HSET', keys.live, 'lost', '5-5');
  await diary.next('completed', 'lost');
  await expect(queue.stats()).resolves.toMatchObject({ scheduled: 1, counts: { swept: 1 } });
  expect(lab().observations).toContainEqual({ type: 'swept', queue: lab().name, count: 1 });
});

test('all keys deleted: the queue starts anew', async () => {
  const { queue } = lab();
  const { diary } = await lab().worker({ job: () => 0 });
  await queue.add('job', null, { id: 'a' });
  await diary.next('completed', 'a');
  await lab().send('FLUSHALL');
  await queue.add('job', null, { id: 'b', in: 10 });
  await diary.next('completed', 'b');
});

describe('a key of the wrong type', () => {
  test('in the place of the stream is told, the worker lives, and heals when it is gone', async () => {
    const { queue, keys } = lab();
    const { diary, worker } = await lab().worker({ job: () => 0 });
    await queue.add('job', null, { id: 'a' });
    await diary.next('completed', 'a');
    await lab().send('SET', keys.stream, 'somebody');
    await until(() => diary.errors.some((error) => String(error).includes('WRONGTYPE')), 'it to be told');
    await expect(queue.add('job', null, { id: 'b' })).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
    await lab().send('DEL', keys.stream);
    await expect(queue.add('job', null, { id: 'b' })).resolves.toMatchObject({ status: 'ready' });
    await diary.next('completed', 'b');
    await worker.stop();
    lab().errors = [];
  });

  test('that keeps an end from being written does not keep it for ever: written when it is gone, once', async () => {
    const { queue, keys } = lab();
    const gate = new Gate();
    let runs = 0;
    const handler = (): Promise<void> => {
      runs += 1;
      return gate.opened;
    };
    const { diary } = await lab().worker({ job: handler });
    await queue.add('job', null, { id: 'a' });
    await until(() => runs === 1, 'it to start');
    await lab().send('SET', keys.dead, 'somebody'); // settle looks at it before it writes
    gate.open();
    await until(async () => String(await lab().send('INFO', 'errorstats')).includes('WRONGTYPE'), 'the settle to fail');
    await lab().send('DEL', keys.dead);
    await diary.next('completed', 'a');
    expect(runs).toBe(1);
    lab().errors = [];
  });

  test('of the schedule: nothing is promoted, the leader lives, and goes on when it is gone', async () => {
    const { queue, keys } = lab();
    const { diary } = await lab().worker({ job: () => 0 });
    await until(async () => (await queue.leader()) !== null, 'a leader');
    await lab().send('SET', keys.due, 'somebody');
    await until(() => diary.errors.length > 0, 'it to be told');
    await lab().send('DEL', keys.due);
    await queue.add('job', null, { id: 'a', in: 5 });
    await diary.next('completed', 'a');
    lab().errors = [];
  });
});

test('an entry that somebody else put into the stream is ended, and counted as stale', async () => {
  const { queue, keys } = lab();
  const { diary } = await lab().worker({ job: () => 0 });
  await queue.add('job', null, { id: 'a' });
  await diary.next('completed', 'a');
  await lab().send('XADD', keys.stream, '*', 'id', 'nobody', 'due', 1);
  await lab().send('XADD', keys.stream, '*', 'what', 'ever');
  await queue.add('job', null, { id: 'b' });
  await diary.next('completed', 'b');
  await until(async () => (await queue.stats()).counts['stale'] === 2, 'both to be counted');
  await expect(queue.stats()).resolves.toMatchObject({ ready: 0, active: 0 });
});

test('deliveries that an operator dropped with their consumer are swept: their tasks are run', async () => {
  const { queue, keys } = lab();
  await queue.add('job', null, { id: 'dropped' });
  await lab().ghost(1);
  await queue.add('job', null, { id: 'ready' });
  await lab().send('XGROUP', 'DELCONSUMER', keys.stream, 'workers', 'ghost');
  await lab().leader();
  await until(async () => (await queue.stats()).counts['swept'] === 1, 'only that one to be swept');
  await until(async () => (await queue.stats()).ready === 2, 'it to be promoted again');
  const { diary } = await lab().worker({ job: () => 0 }, { leader: 'never' });
  await diary.next('completed', 'dropped');
  await diary.next('completed', 'ready');
  await expect(queue.stats()).resolves.toMatchObject({ ready: 0, active: 0, counts: { complete: 2 } });
});

test('tasks that an operator passed over with a group made at $ are swept, and run', async () => {
  const { queue, keys } = lab();
  await queue.add('job', null, { id: 'a' });
  await lab().send('XGROUP', 'CREATE', keys.stream, 'workers', '$');
  const { diary } = await lab().worker({ job: () => 0 });
  await diary.next('completed', 'a');
  await expect(queue.stats()).resolves.toMatchObject({ ready: 0, active: 0, counts: { swept: 1, complete: 1 } });
});

test('stats can be read whatever somebody put into the stream', async () => {
  const { queue, keys } = lab();
  await lab().send('XADD', keys.stream, '*', 'a', 'b', 'c', 'd');
  await expect(queue.stats()).resolves.toMatchObject({ ready: 1, oldestReadyAgeMs: null });
  await lab().send('DEL', keys.stream);
  await lab().send('XADD', keys.stream, '*', 'a', 'b');
  await expect(queue.leader()).resolves.toBeNull();
});

test('a score that is no time holds up nobody: the leader promotes, the figures can be read', async () => {
  const { queue, keys } = lab();
  const { worker, diary } = await lab().worker({ job: () => 0 });
  await queue.add('job', null, { id: 'foreign', in: '1h' });
  await lab().send('ZADD', keys.due, '1.8e18', 'foreign');
  await queue.add('job', null, { id: 'a', in: 5 });
  await diary.next('completed', 'a');
  await until(() => lab().observations.some((one) => one.type === 'promoted' && one.count === 0), 'a look after it');
  await queue.add('job', null, { id: 'b', in: 5 });
  await diary.next('completed', 'b');
  await expect(queue.stats()).resolves.toMatchObject({ scheduled: 1, oldestDueAgeMs: null });
  await expect(queue.get('foreign')).resolves.toMatchObject({ state: 'scheduled', due: 9e15 });
  expect(worker.health().problems).not.toContain('promotion is failing');
});

describe('the pace of the sweep', () => {
  const reign = { term: 7, token: 'seven', refused: () => undefined };
  async function sweeper(): Promise<Sweeper> {
    await lab().send('HSET', lab().keys.epoch, 'term', 7, 'token', 'seven');
    const at = { queue: lab().name, prefix: 'duestream', index: 0, layout: fixedLayout(), caller: lab().link };
    return new Sweeper({ partition: new Partition(at), observe: lab().observe });
  }
  async function waits(duty: Sweeper, ticks: number): Promise<number[]> {
    const all: number[] = [];
    for (let tick = 0; tick < ticks; tick += 1) all.push(await duty.tick(reign));
    return all;
  }

  test('is slow in health, fast until what was deleted is mended, and rests when there is nothing left to walk', async () => {
    const { queue, keys } = lab();
    const duty = await sweeper();
    await queue.addMany(Array.from({ length: 2_000 }, (_, at) => ({ name: 'job', payload: null, id: `t${at}` })));
    expect(await waits(duty, 1)).toEqual([350]);
    await lab().send('DEL', keys.tasks, keys.stream);
    const paces = await waits(duty, 80);
    expect(paces[0]).toBe(5);
    expect(paces.at(-1)).toBe(2_000);
    expect(await lab().send('EXISTS', keys.live)).toBe(0);
  });

  test('is slow after a whole pass that could mend nothing, and fast again for more of it', async () => {
    const { queue, keys } = lab();
    const duty = await sweeper();
    for (const id of ['a', 'b']) await queue.add('job', null, { id });
    await lab().ghost(2);
    const [first] = await lab().pending();
    await lab().send('XDEL', keys.stream, first?.entry ?? ''); // pending: left to its owner
    expect(await waits(duty, 6)).toEqual([5, 5, 5, 2_000, 350, 2_000]); // a pass is two calls
    await queue.add('job', null, { id: 'c', in: '1h' });
    await lab().send('HSET', keys.live, 'stray', '5-5');
    expect((await waits(duty, 1))[0]).toBe(5);
    expect(Math.min(...(await waits(duty, 9)).slice(-2))).toBe(350);
    expect(await lab().send('HLEN', keys.live)).toBe(2);
  });
});
