import { describe, expect, test } from 'vitest';
import { listQueues, type NewTask } from '../../src/index.js';
import { intercepted } from '../support/intercepted.js';
import { Gate, aborted, useLab } from '../support/lab.js';
import { codeOf, until } from '../support/redis.js';

/** What a producer and an operator see of a queue, with a worker beside it where it takes one. */
const lab = useLab();

describe('add', () => {
  test('a task without a time is ready, one with a time is scheduled', async () => {
    const { queue } = lab();
    await expect(queue.add('mail')).resolves.toMatchObject({ status: 'ready' });
    await expect(queue.add('mail', 1, { in: 0 })).resolves.toMatchObject({ status: 'ready' });
    await expect(queue.add('mail', 1, { in: '1h' })).resolves.toMatchObject({ status: 'scheduled' });
    await expect(queue.add('mail', 1, { at: Date.now() + 60_000 })).resolves.toMatchObject({ status: 'scheduled' });
    await expect(queue.add('mail', 1, { at: '2020-01-01T00:00Z' })).resolves.toMatchObject({ status: 'ready' });
  });

  test('a generated id is 14 characters and never the same twice', async () => {
    const { queue } = lab();
    const results = await queue.addMany(Array.from({ length: 1_200 }, () => ({ name: 'mail' })));
    expect(new Set(results.map(({ id }) => id)).size).toBe(1_200);
    expect(results.every(({ id, status }) => id.length === 14 && status === 'ready')).toBe(true);
  });

  test('an id that lives is a duplicate and the first task stays as it is', async () => {
    const { queue } = lab();
    await queue.add('mail', { n: 1 }, { id: 'a', in: '1h' });
    const before = await queue.get('a');
    await expect(queue.add('other', { n: 2 }, { id: 'a', in: '2h' })).resolves.toEqual({
      id: 'a',
      status: 'duplicate',
    });
    await expect(queue.get('a')).resolves.toEqual(before);
  });

  test('results come in order, duplicates inside one call included, over more than one batch', async () => {
    const { queue } = lab();
    const items: NewTask[] = Array.from({ length: 1_100 }, (_, at) => ({ name: 'mail', id: `id-${at % 1_000}` }));
    const results = await queue.addMany(items);
    expect(results.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    expect(results.slice(0, 1_000).every(({ status }) => status === 'ready')).toBe(true);
    expect(results.slice(1_000).every(({ status }) => status === 'duplicate')).toBe(true);
    await expect(queue.stats()).resolves.toMatchObject({ ready: 1_000, counts: { added: 1_000 } });
  });

  test('many of which Redis takes only a part are told as unknown, with how many are there', async () => {
    const { queue } = lab();
    const used = Number(/used_memory:(\d+)/.exec(String(await lab().send('INFO', 'memory')))?.[1]);
    await lab().send('CONFIG', 'SET', 'maxmemory', used + 4_000_000);
    const tasks = Array.from({ length: 1_000 }, () => ({ name: 'job', payload: 'x'.repeat(10_000), in: '1h' }));
    const error: unknown = await queue.addMany(tasks).catch((thrown: unknown) => thrown);
    await lab().send('CONFIG', 'SET', 'maxmemory', 0);
    const { scheduled } = await queue.stats();
    expect(scheduled).toBeGreaterThan(0);
    expect(error).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' });
    expect(String(error)).toContain(`${scheduled} of 1000 tasks are in the queue`);
    expect(String(error)).toContain('OOM');
  });

  test('what was added is told as it was given, with null for no payload', async () => {
    const { queue } = lab();
    const payload = { text: 'ä "quoted" \u2028', list: [], big: 1234567890123456, deep: { a: [null, true, 0.1] } };
    const { id } = await queue.add('mail', payload, { in: '1h', expiresIn: '10m' });
    const info = await queue.get(id);
    expect(info).toMatchObject({
      id,
      name: 'mail',
      payload,
      state: 'scheduled',
      attempt: 1,
      deliveries: 0,
      lastError: null,
    });
    expect([3_600_000, 3_600_001]).toContain((info?.due ?? 0) - (info?.createdAt ?? 0)); // rounded up: never early
    expect((info?.expiresAt ?? 0) - (info?.due ?? 0)).toBe(600_000);
    const { id: bare } = await queue.add('mail');
    await expect(queue.get(bare)).resolves.toMatchObject({ payload: null, state: 'ready' });
  });

  test('an instant is due at that very ms', async () => {
    const { queue } = lab();
    await queue.add('mail', null, { id: 'a', at: new Date('2031-02-03T04:05:06.789Z') });
    await queue.add('mail', null, { id: 'b', at: '2031-02-03T05:05:06.789+01:00' });
    const due = Date.UTC(2031, 1, 3, 4, 5, 6, 789);
    await expect(queue.get('a')).resolves.toMatchObject({ due });
    await expect(queue.get('b')).resolves.toMatchObject({ due });
  });
});

describe('reading', () => {
  test('get tells each state, and null for what never was or was completed', async () => {
    const { queue, worker } = { queue: lab().queue, worker: lab().worker.bind(lab()) };
    const gate = new Gate();
    await expect(queue.get('none')).resolves.toBeNull();
    await queue.add('slow', null, { id: 'active' });
    const { diary } = await worker({ slow: () => gate.opened }, { concurrency: 1, leader: 'never' });
    await lab().state('active', 'active');
    await queue.add('slow', null, { id: 'ready' });
    await queue.add('slow', null, { id: 'scheduled', in: '1h' });
    await queue.add('slow', null, { id: 'cancelled' });
    await queue.cancel('cancelled');
    await expect(queue.get('active')).resolves.toMatchObject({ state: 'active', deliveries: 1, attempt: 1 });
    await expect(queue.get('ready')).resolves.toMatchObject({ state: 'ready', deliveries: 0 });
    await expect(queue.get('scheduled')).resolves.toMatchObject({ state: 'scheduled' });
    await expect(queue.get('cancelled')).resolves.toMatchObject({ state: 'cancelled', due: null, name: 'slow' });
    gate.open();
    await diary.next('completed', 'active');
    await expect(queue.get('active')).resolves.toBeNull();
  });

  test('list pages through every state without skipping or repeating', async () => {
    const { queue } = lab();
    const ids = (prefix: string): string[] => Array.from({ length: 25 }, (_, at) => `${prefix}${100 + at}`);
    const at = Date.now() + 3_600_000;
    await queue.addMany(ids('s').map((id) => ({ name: 'slow', id, at })));
    await queue.addMany(ids('a').map((id) => ({ name: 'slow', id })));
    const gate = new Gate();
    const { worker } = await lab().worker({ slow: () => gate.opened }, { concurrency: 25, leader: 'never' });
    await lab().state('a124', 'active');
    await queue.addMany(ids('r').map((id) => ({ name: 'slow', id })));
    await queue.addMany(ids('c').map((id) => ({ name: 'slow', id })));
    await Promise.all(ids('c').map((id) => queue.cancel(id)));
    const collect = async (state: 'scheduled' | 'ready' | 'active' | 'cancelled'): Promise<string[]> => {
      const found: string[] = [];
      for (let after: string | null = ''; after !== null; ) {
        const page: Awaited<ReturnType<typeof queue.list>> = await queue.list({ state, after, limit: 10 });
        expect(page.tasks.every((task) => task.state === state)).toBe(true);
        found.push(...page.tasks.map(({ id }) => id));
        after = page.after;
      }
      return found.sort();
    };
    for (const [state, prefix] of [
      ['scheduled', 's'],
      ['ready', 'r'],
      ['active', 'a'],
      ['cancelled', 'c'],
    ] as const) {
      await expect(collect(state)).resolves.toEqual(ids(prefix));
    }
    await expect(queue.list({ state: 'expired' })).resolves.toEqual({ tasks: [], after: null });
    gate.open();
    await worker.stop();
  });

  test('stats add up', async () => {
    const { queue } = lab();
    await queue.add('a', null, { in: '1h' });
    await queue.add('a');
    await queue.add('a');
    await queue.cancel((await queue.add('a')).id);
    await expect(queue.stats()).resolves.toMatchObject({
      queue: lab().name,
      paused: false,
      scheduled: 1,
      due: 0,
      ready: 2,
      active: 0,
      dead: 0,
      ended: 1,
      consumers: 0,
      leader: null,
      counts: { added: 4, cancelled: 1 },
    });
  });
});

describe('cancel', () => {
  test('a scheduled and a ready task are gone, and never run', async () => {
    const { queue } = lab();
    const ran: string[] = [];
    await queue.add('job', null, { id: 'later', in: '50ms' });
    await queue.add('job', null, { id: 'ready' });
    await expect(queue.cancel('later')).resolves.toEqual({ id: 'later', status: 'cancelled', was: 'scheduled' });
    await expect(queue.cancel('ready')).resolves.toEqual({ id: 'ready', status: 'cancelled', was: 'ready' });
    await expect(queue.stats()).resolves.toMatchObject({ ready: 0, scheduled: 0, due: 0 });
    const { diary } = await lab().worker({ job: (task) => ran.push(task.id) });
    await queue.add('job', null, { id: 'last', in: '60ms' });
    await diary.next('completed', 'last');
    expect(ran).toEqual(['last']);
  });

  test('an active one is aborted, its end refused, and nothing is told as completed', async () => {
    const { queue } = lab();
    const reasons: string[] = [];
    const { worker, diary } = await lab().worker({
      job: async (_task, ctx) => {
        reasons.push(await aborted(ctx.signal));
      },
    });
    await queue.add('job', null, { id: 'a' });
    await lab().state('a', 'active');
    await expect(queue.cancel('a')).resolves.toEqual({ id: 'a', status: 'cancelled', was: 'active' });
    await worker.stop();
    expect(reasons).toEqual(['cancelled']);
    expect(diary.events('a')).toEqual([]);
    await expect(queue.get('a')).resolves.toMatchObject({ state: 'cancelled' });
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, counts: { cancelled: 1 } });
  });

  test('a cancelled handler that throws is neither failed nor retried', async () => {
    const { queue } = lab();
    const { worker, diary } = await lab().worker({
      job: async (_task, ctx) => {
        await aborted(ctx.signal);
        throw ctx.signal.reason;
      },
    });
    await queue.add('job', null, { id: 'a' });
    await lab().state('a', 'active');
    await queue.cancel('a');
    await worker.stop();
    expect(diary.events('a')).toEqual([]);
  });

  test('a task that took over the id of a cancelled one is not aborted by late news of that', async () => {
    const { queue, keys } = lab();
    const gate = new Gate();
    const signals: AbortSignal[] = [];
    const { diary } = await lab().worker({
      job: (_task, ctx) => {
        signals.push(ctx.signal);
        return gate.opened;
      },
    });
    await queue.add('job', null, { id: 'a' });
    await lab().state('a', 'active');
    await lab().send('PUBLISH', keys.wake, 'cancelled a');
    await queue.add('job', null, { id: 'later' });
    await until(() => signals.length === 2, 'the second to start'); // by then the news was heard
    await queue.cancel('later');
    await aborted(signals[1] as AbortSignal);
    expect((signals[0] as AbortSignal).aborted).toBe(false);
    gate.open();
    await diary.next('completed', 'a');
    expect(diary.events('a')).toEqual(['completed']);
  });

  test('unknown and ended ids are told apart', async () => {
    const { queue } = lab();
    await expect(queue.cancel('none')).resolves.toEqual({ id: 'none', status: 'not_found' });
    await queue.add('job', null, { id: 'a', in: '1h' });
    await queue.cancel('a');
    await expect(queue.cancel('a')).resolves.toEqual({ id: 'a', status: 'settled', state: 'cancelled' });
  });

  test('a cancelled id can be added again at once, and runs once', async () => {
    const { queue } = lab();
    let runs = 0;
    await queue.add('job', null, { id: 'a' });
    await queue.cancel('a');
    await expect(queue.add('job', null, { id: 'a' })).resolves.toMatchObject({ status: 'ready' });
    const { diary } = await lab().worker({ job: () => (runs += 1) });
    await diary.next('completed', 'a');
    await queue.add('job', null, { id: 'b' });
    await diary.next('completed', 'b');
    expect(runs).toBe(2);
  });
});

describe('reschedule and runNow', () => {
  test('a scheduled task moves, either way', async () => {
    const { queue } = lab();
    await queue.add('job', null, { id: 'a', in: '1h' });
    const moved = await queue.reschedule('a', { at: '2031-01-01T00:00Z' });
    expect(moved).toEqual({ id: 'a', status: 'rescheduled', due: Date.UTC(2031, 0, 1) });
    const sooner = await queue.reschedule('a', { in: '1m' });
    const now = await lab().nowMs();
    expect(sooner.status === 'rescheduled' && sooner.due - now).toBeLessThanOrEqual(60_001);
  });

  test('a ready task goes back to the schedule and does not start early', async () => {
    const { queue } = lab();
    const ran: string[] = [];
    await queue.add('job', null, { id: 'a' });
    await expect(queue.reschedule('a', { in: '1h' })).resolves.toMatchObject({ status: 'rescheduled' });
    await queue.add('job', null, { id: 'b' });
    const { diary } = await lab().worker({ job: (task) => ran.push(task.id) });
    await diary.next('completed', 'b');
    expect(ran).toEqual(['b']);
    await expect(queue.get('a')).resolves.toMatchObject({ state: 'scheduled' });
    await expect(queue.stats()).resolves.toMatchObject({ ready: 0 });
  });

  test('an active task is refused, unknown and ended ones told', async () => {
    const { queue } = lab();
    const gate = new Gate();
    const { diary } = await lab().worker({ job: () => gate.opened });
    await queue.add('job', null, { id: 'a' });
    await lab().state('a', 'active');
    await expect(queue.reschedule('a', { in: '1h' })).resolves.toEqual({ id: 'a', status: 'active' });
    await expect(queue.runNow('a')).resolves.toEqual({ id: 'a', status: 'ready', was: 'active' });
    gate.open();
    await diary.next('completed', 'a');
    await expect(queue.reschedule('a', { in: '1h' })).resolves.toEqual({ id: 'a', status: 'not_found' });
    await queue.add('job', null, { id: 'c', in: '1h' });
    await queue.cancel('c');
    await expect(queue.reschedule('c', { in: 1 })).resolves.toEqual({ id: 'c', status: 'settled', state: 'cancelled' });
    await expect(queue.runNow('c')).resolves.toEqual({ id: 'c', status: 'settled', state: 'cancelled' });
  });

  test('a task moved to the past starts at once', async () => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: () => 0 });
    await queue.add('job', null, { id: 'a', in: '1h' });
    await queue.reschedule('a', { at: Date.now() - 60_000 });
    await diary.next('completed', 'a');
  });

  test('runNow makes a scheduled task ready, without a leader', async () => {
    const { queue } = lab();
    await queue.add('job', null, { id: 'a', in: '1h' });
    await expect(queue.runNow('a')).resolves.toEqual({ id: 'a', status: 'ready', was: 'scheduled' });
    await expect(queue.runNow('a')).resolves.toEqual({ id: 'a', status: 'ready', was: 'ready' });
    await expect(queue.runNow('none')).resolves.toEqual({ id: 'none', status: 'not_found' });
    const { diary } = await lab().worker({ job: () => 0 }, { leader: 'never' });
    await diary.next('completed', 'a');
  });
});

describe('update', () => {
  test('a payload is replaced, and all else of the record stays, known or not', async () => {
    const { queue, keys } = lab();
    await queue.add('job', { n: 1 }, { id: 'a', in: '1h', maxAttempts: 2, timeout: '3s' });
    const record = String(await lab().send('HGET', keys.tasks, 'a'));
    const foreign = `${record.slice(0, -2)},"x":{"trace":[1,"two"]}},{"y":1234567890123456},"z"]`;
    await lab().send('HSET', keys.tasks, 'a', foreign);
    await expect(queue.update('a', { payload: [2] })).resolves.toEqual({ id: 'a', status: 'updated' });
    await expect(lab().send('HGET', keys.tasks, 'a')).resolves.toBe(foreign.replace('{"n":1}', '[2]'));
    await queue.update('a', { payload: null });
    await expect(queue.get('a')).resolves.toMatchObject({ payload: null });
    await expect(queue.update('none', { payload: 1 })).resolves.toEqual({ id: 'none', status: 'not_found' });
  });

  test('a new payload counts from the next delivery', async () => {
    const { queue } = lab();
    const gate = new Gate();
    const seen: unknown[] = [];
    const handler = async (task: { payload: unknown }): Promise<void> => {
      seen.push(task.payload);
      if (seen.length > 1) return;
      await gate.opened;
      throw new Error('again');
    };
    const { diary } = await lab().worker({ job: { handler, backoff: { type: 'fixed', delay: 0 } } });
    await queue.add('job', 'old', { id: 'a' });
    await lab().state('a', 'active');
    await queue.update('a', { payload: 'new' });
    gate.open();
    await diary.next('completed', 'a');
    expect(seen).toEqual(['old', 'new']);
  });

  test('twenty at once all count, one after the other', async () => {
    const { queue } = lab();
    await queue.add('job', 0, { id: 'a', in: '1h' });
    const results = await Promise.all(Array.from({ length: 8 }, (_, n) => queue.update('a', { payload: n })));
    expect(results.every(({ status }) => status === 'updated')).toBe(true);
  });

  test('a record that nobody can read is refused with a clear error', async () => {
    const { queue, keys } = lab();
    await queue.add('job', 0, { id: 'a', in: '1h' });
    await lab().send('HSET', keys.tasks, 'a', 'garbage');
    await expect(codeOf(queue.update('a', { payload: 1 }))).resolves.toBe('ERR_REDIS_REPLY');
  });
});

describe('after close', () => {
  test('every call is refused', async () => {
    const queue = lab().newQueue();
    await queue.add('job');
    await queue.close();
    await queue.close();
    const calls = [
      queue.add('job'),
      queue.addMany([]),
      queue.get('a'),
      queue.list(),
      queue.cancel('a'),
      queue.stats(),
      queue.pause(),
      queue.leader(),
      queue.dead.list(),
      queue.dead.replay('a'),
    ];
    await expect(Promise.all(calls.map(codeOf))).resolves.toEqual(calls.map(() => 'ERR_CLOSED'));
  });
});

describe('listQueues', () => {
  test('that is never answered finds Redis unreachable: a read has no outcome that could be unknown', async () => {
    const never = new Gate();
    const connection = intercepted(lab().server, async ([verb]) => {
      if (verb === 'SMEMBERS') await never.opened;
    });
    await expect(codeOf(listQueues({ connection, commandTimeout: '100ms' }))).resolves.toBe('ERR_REDIS_UNREACHABLE');
  });
});
