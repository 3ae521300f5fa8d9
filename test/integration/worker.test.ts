import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { RejectTask, type StandardSchema, Worker } from '../../src/index.js';
import { Gate, aborted, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** What a worker does with a task, from start to its end. */
const lab = useLab();

const throwing = (thrown: unknown) => async (): Promise<never> => {
  throw thrown as Error; // it need not be one
};

describe('a task', () => {
  test('never starts before it is due by the clock of Redis', async () => {
    const { queue } = lab();
    const startedAtMs = new Map<string, number>();
    const { diary } = await lab().worker(
      {
        job: async (task) => {
          startedAtMs.set(task.id, (await lab().nowMs()) - task.due);
        },
      },
      { concurrency: 100 },
    );
    const items = Array.from({ length: 60 }, (_, at) => ({ name: 'job', id: `t${at}`, in: (at * 7) % 150 }));
    await queue.addMany(items);
    await until(() => diary.all('completed').length === 60, 'all to complete');
    expect([...startedAtMs.values()].filter((ms) => ms < 0)).toEqual([]);
    expect(startedAtMs.size).toBe(60);
  });

  test('is handed over with its id, name, payload, due time, attempt and delivery', async () => {
    const { queue } = lab();
    const seen: unknown[] = [];
    const { diary } = await lab().worker({ mail: (task) => seen.push(task) });
    const at = Date.now() - 1_000;
    await queue.add('mail', { to: ['a@b.c'] }, { id: 'a', at });
    await diary.next('completed', 'a');
    expect(seen).toEqual([{ id: 'a', name: 'mail', payload: { to: ['a@b.c'] }, due: at, attempt: 1, delivery: 1 }]);
    await expect(diary.next('completed', 'a')).resolves.toMatchObject({ name: 'mail', attempt: 1 });
  });

  test('runs once where two workers share the queue, and both have a share', async () => {
    const { queue } = lab();
    const ran: string[] = [];
    const by = new Set<number>();
    const both = new Gate();
    const handlers = (who: number): Record<string, (task: { id: string }) => Promise<void>> => ({
      job: async (task) => {
        ran.push(task.id);
        by.add(who);
        if (by.size === 2) both.open();
        await both.opened; // neither can empty the queue alone
      },
    });
    const one = await lab().worker(handlers(1), { concurrency: 3 });
    const two = await lab().worker(handlers(2), { concurrency: 3 });
    const ids = (await queue.addMany(Array.from({ length: 200 }, () => ({ name: 'job' })))).map(({ id }) => id);
    await until(() => one.diary.all('completed').length + two.diary.all('completed').length === 200, 'all to complete');
    expect(ran.sort()).toEqual(ids.sort());
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, ready: 0, counts: { complete: 200 } });
  });

  test('with a large payload is run as any other: what one call leaves unopened, the next opens', async () => {
    const { queue } = lab();
    const sizes: number[] = [];
    await queue.addMany(Array.from({ length: 9 }, () => ({ name: 'job', payload: 'x'.repeat(700_000) })));
    const { diary } = await lab().worker({ job: (task) => sizes.push(String(task.payload).length) });
    await until(() => diary.all('completed').length === 9, 'all to complete');
    expect(new Set(sizes)).toEqual(new Set([700_000]));
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, ready: 0, counts: { complete: 9 } });
  });

  test('runs beside others up to the concurrency and never beyond, recovered ones included', async () => {
    const { queue } = lab();
    await queue.addMany(Array.from({ length: 30 }, () => ({ name: 'job' })));
    await lab().ghost(30);
    await lab().age(5_000);
    let running = 0;
    let most = 0;
    const full = new Gate();
    const { worker, diary } = await lab().worker(
      {
        job: async () => {
          running += 1;
          most = Math.max(most, running);
          if (running === 4) full.open();
          await full.opened;
          await lab().send('PING');
          running -= 1;
        },
      },
      { concurrency: 4 },
    );
    for (let round = 0; round < 10; round += 1) {
      await queue.addMany(Array.from({ length: 10 }, () => ({ name: 'job' })));
      expect(worker.inFlight).toBeLessThanOrEqual(4);
    }
    await until(() => diary.all('completed').length === 130, 'all to complete');
    expect(diary.all('recovered')).toHaveLength(30);
    expect(most).toBe(4);
  });
});

describe('a handler', () => {
  const endings: [string, () => unknown, string][] = [
    ['throws an error', () => Promise.reject(new TypeError('no such user')), 'TypeError: no such user'],
    [
      'throws before its first await',
      () => {
        throw new Error('at once');
      },
      'at once',
    ],
    ['throws a string', throwing('just text'), 'just text'],
    ['throws nothing at all', throwing(undefined), 'undefined was thrown'],
    ['throws null', throwing(null), 'null was thrown'],
  ];
  test.each(endings)('that %s ends in a dead letter that says so', async (_what, handler, message) => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: { handler, maxAttempts: 1 } });
    await queue.add('job', null, { id: 'a' });
    await expect(diary.next('dead', 'a')).resolves.toMatchObject({ reason: 'max_attempts', attempt: 1, name: 'job' });
    await expect(diary.next('failed', 'a')).resolves.toMatchObject({ willRetry: false, failure: { message } });
    await expect(queue.get('a')).resolves.toMatchObject({
      state: 'dead',
      reason: 'max_attempts',
      lastError: { message },
    });
  });

  test('that rejects its task is never tried again', async () => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: () => Promise.reject(new RejectTask('no such account')) });
    await queue.add('job', null, { id: 'a', maxAttempts: 9 });
    await expect(diary.next('dead', 'a')).resolves.toMatchObject({ reason: 'rejected', attempt: 1 });
    expect(diary.events('a')).toEqual(['failed', 'dead']);
  });

  test('that takes longer than its timeout is aborted and tried again', async () => {
    const { queue } = lab();
    const reasons: string[] = [];
    const { diary } = await lab().worker({
      job: {
        handler: async (task, ctx) => {
          if (task.attempt === 1) reasons.push(await aborted(ctx.signal));
        },
        timeout: '20ms',
        backoff: { type: 'fixed', delay: 0 },
      },
    });
    await queue.add('job', null, { id: 'a' });
    await expect(diary.next('completed', 'a')).resolves.toMatchObject({ attempt: 2 });
    expect(reasons).toEqual(['timed_out']);
    expect(diary.all('failed', 'a')[0]?.of).toMatchObject({ failure: { message: 'timed out after 20ms' } });
  });

  test('that ignores its timeout keeps its slot until it returns', async () => {
    const { queue } = lab();
    const gate = new Gate();
    const ran: string[] = [];
    const { worker, diary } = await lab().worker(
      {
        job: (task) => {
          ran.push(task.id);
          return task.id === 'a' ? gate.opened : undefined;
        },
      },
      { concurrency: 1 },
    );
    await queue.add('job', null, { id: 'a', timeout: 10, maxAttempts: 1 });
    await diary.next('dead', 'a');
    await queue.add('job', null, { id: 'b' });
    await expect(queue.get('b')).resolves.toMatchObject({ state: 'ready' });
    expect(worker.inFlight).toBe(1);
    const stuck = 'every slot is held by a handler that goes on after its timeout';
    expect(worker.health()).toMatchObject({ ready: false, problems: expect.arrayContaining([stuck]) as unknown });
    gate.open();
    await diary.next('completed', 'b');
    expect(worker.health().problems).not.toContain(stuck);
    expect(ran).toEqual(['a', 'b']);
    expect(diary.events('a')).toEqual(['failed', 'dead']);
  });

  test("is timed by the task's own timeout when it has one", async () => {
    const { queue } = lab();
    const { diary } = await lab().worker({
      job: { handler: (_task, ctx) => aborted(ctx.signal), timeout: '1h', maxAttempts: 1 },
    });
    await queue.add('job', null, { id: 'a', timeout: '10ms' });
    await diary.next('dead', 'a');
  });

  test('can extend its lease itself, and learns from that that it was cancelled', async () => {
    const { queue } = lab();
    const beaten = new Gate();
    const cancelled = new Gate();
    const outcome = new Gate<unknown>();
    await lab().worker(
      {
        job: async (_task, ctx) => {
          await ctx.heartbeat();
          beaten.open();
          await cancelled.opened;
          outcome.open(
            await ctx.heartbeat().then(
              () => 'extended',
              (error: unknown) => error,
            ),
          );
        },
      },
      { lease: '1h' },
    );
    await queue.add('job', null, { id: 'a' });
    await beaten.opened;
    await lab().send('PUBSUB', 'CHANNELS');
    await queue.cancel('a');
    cancelled.open();
    await expect(outcome.opened).resolves.toMatchObject({ name: 'AbortError', why: 'cancelled' });
  });

  test('has its idle time reset by a heartbeat of its own', async () => {
    const { queue } = lab();
    const step = new Gate();
    const done = new Gate();
    const { diary } = await lab().worker(
      {
        job: async (_task, ctx) => {
          await step.opened;
          await ctx.heartbeat();
          await done.opened;
        },
      },
      { lease: '1h' },
    );
    await queue.add('job', null, { id: 'a' });
    await lab().state('a', 'active');
    await lab().age(500_000);
    step.open();
    await until(async () => ((await lab().pending())[0]?.idleMs ?? 1e9) < 400_000, 'the idle time to be reset');
    done.open();
    await diary.next('completed', 'a');
  });

  test('says what it wants to say by ctx.log', async () => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: (_task, ctx) => ctx.log('half way') });
    await queue.add('job', null, { id: 'a' });
    await expect(diary.next('log', 'a')).resolves.toEqual({ id: 'a', name: 'job', attempt: 1, message: 'half way' });
  });
});

describe('a schema', () => {
  const schema = (validate: (value: unknown) => unknown): StandardSchema =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as unknown as StandardSchema;

  test('may change the payload the handler gets', async () => {
    const { queue } = lab();
    const seen: unknown[] = [];
    const { diary } = await lab().worker({
      job: { handler: (task) => seen.push(task.payload), schema: schema((value) => ({ value: { seen: value } })) },
    });
    await queue.add('job', 5, { id: 'a' });
    await diary.next('completed', 'a');
    expect(seen).toEqual([{ seen: 5 }]);
  });

  test('that refuses a payload makes it a dead letter, and no message holds a value', async () => {
    const { queue } = lab();
    let ran = 0;
    const issues = [{ message: 'secret-4711 is no number', path: ['card', { key: 'digits' }, 3] }];
    const { diary } = await lab().worker({
      job: { handler: () => (ran += 1), schema: schema(() => Promise.resolve({ issues })) },
    });
    await queue.add('job', { card: { digits: 'secret-4711' } }, { id: 'a' });
    await expect(diary.next('dead', 'a')).resolves.toMatchObject({ reason: 'rejected' });
    const letter = await queue.dead.get('a');
    expect(ran).toBe(0);
    expect(letter?.errors[0]?.message).toContain('payload.card.digits.3');
    expect(JSON.stringify([letter?.errors, diary.told, lab().observations])).not.toContain('4711');
    expect(inspect(diary.told, { depth: 9 })).not.toContain('4711'); // stacks too
  });

  test('that throws is a failure as any other', async () => {
    const { queue } = lab();
    const broken = schema(() => {
      throw new Error('schema fault');
    });
    const { diary } = await lab().worker({ job: { handler: () => 0, schema: broken, maxAttempts: 1 } });
    await queue.add('job', 1, { id: 'a' });
    await expect(diary.next('dead', 'a')).resolves.toMatchObject({ reason: 'max_attempts' });
  });
});

describe('what a worker can not run', () => {
  test('a name it does not know goes back with a delay, told once, and no lease is lost', async () => {
    const { queue } = lab();
    const { worker, diary } = await lab().worker({ job: () => 0 });
    await queue.addMany([
      { name: 'other', payload: { n: 1 }, id: 'a' },
      { name: 'other', id: 'b', maxAttempts: 1 },
    ]);
    await lab().state('a', 'scheduled');
    await lab().state('b', 'scheduled');
    expect(lab().errors).toMatchObject([
      { code: 'ERR_NO_HANDLER', message: expect.stringContaining('"other"') as unknown },
    ]);
    lab().errors = [];
    await queue.cancel('b');
    const info = await queue.get('a');
    expect((info?.due ?? 0) - (await lab().nowMs())).toBeGreaterThan(5_000);
    expect(info).toMatchObject({ attempt: 1, deliveries: 0, lastError: null, payload: { n: 1 } });
    expect(diary.told).toEqual([]);
    await expect(queue.stats()).resolves.toMatchObject({ active: 0, counts: { handed_back: 2 } });
    expect(lab().observations.filter(({ type }) => type === 'lease_lost')).toEqual([]);
    await worker.stop();
    const { diary: other } = await lab().worker({ other: () => 0 });
    await queue.runNow('a');
    await expect(other.next('completed', 'a')).resolves.toMatchObject({ attempt: 1 });
  });

  test('a record of a newer version goes back unread', async () => {
    const { queue, keys } = lab();
    await queue.add('job', null, { id: 'a' });
    const record = '[1,"job",null,{"v":2,"brandNew":true}]';
    await lab().send('HSET', keys.tasks, 'a', record);
    const { diary } = await lab().worker({ job: () => 0 });
    await lab().state('a', 'scheduled');
    await expect(lab().send('HGET', keys.tasks, 'a')).resolves.toBe(record);
    expect(diary.told).toEqual([]);
  });

  test.each(['garbage', '[]', 'null', '{}', '[1]', '[1,7]'])(
    'the record %s is a dead letter, and the worker goes on',
    async (record) => {
      const { queue, keys } = lab();
      await queue.add('job', null, { id: 'a' });
      await lab().send('HSET', keys.tasks, 'a', record);
      const { diary } = await lab().worker({ job: () => 0 });
      await expect(diary.next('dead', 'a')).resolves.toMatchObject({ reason: 'bad_record' });
      await expect(queue.dead.get('a')).resolves.toMatchObject({ reason: 'bad_record', payload: null, name: '' });
      await queue.add('job', null, { id: 'b' });
      await diary.next('completed', 'b');
    },
  );
});

describe('listeners', () => {
  test('that throw, and an observer that throws, stop nothing', async () => {
    const { queue } = lab();
    const thrower = (): never => {
      throw new Error('listener');
    };
    const { worker, diary } = await lab().worker(
      { job: () => Promise.reject(new Error('no')), ok: () => 0 },
      { observe: thrower },
    );
    for (const event of ['completed', 'failed', 'dead'] as const) worker.prependListener(event, thrower);
    const warned = warnings(2);
    await queue.add('job', null, { id: 'a', maxAttempts: 1 });
    await lab().state('a', 'dead');
    await queue.add('ok', null, { id: 'b', in: 5 });
    await lab().state('b', null);
    await expect(warned).resolves.toEqual(
      expect.arrayContaining([expect.stringContaining('a listener of "failed" threw')]),
    );
    expect(diary.errors).toEqual([]);
  });

  test('of a leader that throw neither end its reign nor keep it from stopping', async () => {
    const { queue } = lab();
    const leader = await lab().leader();
    leader.on('elected', () => {
      throw new Error('listener');
    });
    leader.on('stepped_down', () => {
      throw new Error('listener');
    });
    await until(() => leader.seat === 'leader', 'it to lead');
    const elected = await queue.leader();
    await queue.add('job', null, { id: 'a', in: 5 });
    await lab().state('a', 'ready');
    await expect(queue.leader()).resolves.toEqual(elected);
    await queue.resign();
    await leader.stop();
    expect(lab().errors).toEqual([]);
  });

  test('an error that nobody listens to is a warning, not the end of the process', async () => {
    const { server, name } = lab();
    await lab().send('SET', lab().keys.stream, 'wrong type');
    const warned = warnings(1);
    const worker = new Worker(name, { job: () => 0 }, { connection: server.connection, lease: '1s', leader: 'never' });
    await worker.start();
    await expect(warned).resolves.toEqual([expect.stringMatching(/^duestream worker of .*WRONGTYPE/)]);
    await worker.stop();
  });
});

/** The next few warnings of ours, by their text. */
function warnings(count: number): Promise<string[]> {
  const texts: string[] = [];
  return new Promise((resolve) => {
    const listen = (warning: Error): void => {
      if (!warning.message.startsWith('duestream')) return;
      texts.push(warning.message);
      if (texts.length < count) return;
      process.off('warning', listen);
      resolve(texts);
    };
    process.on('warning', listen);
  });
}

describe('starting', () => {
  test('is idempotent, and refused after a stop', async () => {
    const { queue } = lab();
    const { worker, diary } = await lab().worker({ job: () => 0 });
    await worker.start();
    await queue.add('job', null, { id: 'a' });
    await diary.next('completed', 'a');
    await expect(queue.stats()).resolves.toMatchObject({ consumers: 1 });
    await worker.stop();
    await expect(worker.start()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('a worker that only leads runs nothing', async () => {
    const { queue } = lab();
    const { worker } = await lab().worker({ job: () => 0 }, { leader: 'only' });
    await queue.add('job', null, { id: 'a', in: 5 });
    await lab().state('a', 'ready');
    await expect(queue.stats()).resolves.toMatchObject({ consumers: 0, ready: 1 });
    expect(worker.inFlight).toBe(0);
  });
});
