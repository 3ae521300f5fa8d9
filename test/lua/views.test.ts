import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  beat,
  dump,
  elect,
  expectStatus,
  fetch,
  join,
  keys,
  now,
  recordOf,
  run,
  send,
  settle,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

describe('get', () => {
  const get = (id: string) => run(lua.get, { id });
  const record = `[${now},"job"]`;

  test('a scheduled task', async () => {
    await addTask('a', '+1000', { expires: '+5' });
    const expected = { state: 'scheduled', dueMs: now + 1000, record, run: null, deliveries: 0, expiresMs: now + 1005 };
    expect(await get('a')).toEqual({ status: 'ok', ...expected });
  });

  test('a ready task, and one at work', async () => {
    await addTask('a');
    const expected = { status: 'ok', state: 'ready', dueMs: now, record, run: null, deliveries: 0, expiresMs: null };
    expect(await get('a')).toEqual(expected);
    await cancelTask('a');
    const { entry } = await active('a');
    await send('HSET', keys.runs, 'a', '{"a":2}');
    await send('XCLAIM', keys.stream, 'workers', 'c2', 0, entry);
    expect(await get('a')).toEqual({ ...expected, state: 'active', run: '{"a":2}', deliveries: 2 });
  });

  test('one that waits for its next attempt is scheduled', async () => {
    const delivery = await active('a');
    await settle('c1', [{ ...delivery, verb: 'retry', value: '5', run: '{"a":2}' }]);
    expect(await get('a')).toMatchObject({ state: 'scheduled', dueMs: now + 5, run: '{"a":2}', deliveries: 0 });
  });

  test('a record that is placed nowhere is lost until the sweep', async () => {
    await addTask('a', '+5');
    await send('DEL', keys.due);
    expect(await get('a')).toMatchObject({ status: 'ok', state: 'lost' });
  });

  test.each([
    { state: 'cancelled', end: () => cancelTask('a') },
    { state: 'expired', end: () => run(lua.expire, { skip: 0, limit: 9, nowMs: now + 99 }) },
  ])('one that was $state', async ({ state, end }) => {
    await elect();
    await addTask('a', '+0', { expires: '+1' });
    await end();
    const reply = await expectStatus(get('a'), 'settled');
    expect(reply).toMatchObject({ state, fields: expect.arrayContaining(['id', 'a', 'state', state]) });
    expect((await send('XRANGE', keys.ended, reply.number, reply.number)) as unknown[]).toHaveLength(1);
  });

  test('one that is dead', async () => {
    const delivery = await active('a');
    await settle('c1', [{ ...delivery, verb: 'bury', value: 'rejected', run: '' }]);
    expect(await get('a')).toMatchObject({ status: 'settled', state: 'dead' });
  });

  test('one that was never there, and one whose end is not kept any more', async () => {
    expect(await get('a')).toEqual({ status: 'not_found' });
    await addTask('a', '+5');
    await cancelTask('a');
    await send('DEL', keys.ended);
    expect(await get('a')).toEqual({ status: 'not_found' });
  });
});

describe('list', () => {
  async function pages(
    state: string,
    limit: number,
    between: () => Promise<unknown> = async () => undefined,
  ): Promise<string[][]> {
    const all: string[][] = [];
    let after = '';
    do {
      const reply: Extract<lua.ListReply, { status: 'ok' }> = await expectStatus(
        run(lua.list, { state, after, limit }),
        'ok',
      );
      all.push(reply.ids);
      after = reply.after;
      await between();
    } while (after !== '');
    return all;
  }

  test('scheduled tasks by due time, then id, however many share one', async () => {
    for (const id of ['b', 'é', 'a', 'B', 'a b', '~', '-']) await addTask(id, '+5');
    await addTask('z', '+4');
    await addTask('0', '+6');
    expect(await pages('scheduled', 2)).toEqual([['z', '-'], ['B', 'a'], ['a b', 'b'], ['~', 'é'], ['0']]);
  });

  test('a page neither skips nor repeats what stays when the last one listed goes', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await addTask(id, '+5');
    const listed: string[] = [];
    const cancelLast = async (): Promise<void> => {
      const reply = await expectStatus(run(lua.list, { state: 'scheduled', after: '', limit: 1 }), 'ok');
      await cancelTask(reply.ids[0] ?? '');
    };
    listed.push(...(await pages('scheduled', 1, cancelLast)).flat());
    expect(listed).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('ready and active tasks by the order they came in', async () => {
    await active('w1');
    await active('w2');
    await active('w3');
    for (const id of ['r1', 'r2', 'r3']) await addTask(id);
    expect(await pages('ready', 2)).toEqual([['r1', 'r2'], ['r3']]);
    expect(await pages('active', 2)).toEqual([['w1', 'w2'], ['w3']]);
    expect(await pages('active', 3)).toEqual([['w1', 'w2', 'w3'], []]);
  });

  test('an entry that does not count is not listed', async () => {
    await addTask('a');
    await send('XADD', keys.stream, '*', 'id', 'a', 'due', now);
    expect(await pages('ready', 9)).toEqual([['a']]);
  });

  test.each(['scheduled', 'ready', 'active'])('an empty queue has no %s tasks', async (state) => {
    expect(await pages(state, 9)).toEqual([[]]);
  });

  test("another program's group changes nothing", async () => {
    await active('w1');
    await addTask('r1');
    await send('XGROUP', 'CREATE', keys.stream, 'zzz', '$');
    expect(await pages('ready', 9)).toEqual([['r1']]);
    expect(await run(lua.stats, {})).toMatchObject({ ready: 1, active: 1 });
  });
});

describe('stats', () => {
  test('a queue that was never used', async () => {
    const expected = {
      waits: 0,
      paused: 0,
      scheduled: 0,
      due: 0,
      ready: 0,
      active: 0,
      dead: 0,
      ended: 0,
      consumers: 0,
      oldestDueMs: null,
      oldestReadyMs: null,
      holdMs: 0,
    };
    expect(await run(lua.stats, {})).toMatchObject({
      status: 'ok',
      nowMs: now,
      ...expected,
      epoch: ['', '', '', '', ''],
      counts: [],
    });
  });

  test('each task is counted in one state', async () => {
    await elect();
    await active('active');
    await addTask('ready', String(now - 50));
    await addTask('cancelled');
    await cancelTask('cancelled');
    await addTask('due', '+10');
    await addTask('scheduled', '+11');
    await beat('c1');
    const reply = await run(lua.stats, { nowMs: now + 10 });
    expect(reply).toMatchObject({
      scheduled: 1,
      due: 1,
      ready: 1,
      active: 1,
      ended: 1,
      consumers: 1,
      oldestDueMs: now + 10,
      oldestReadyMs: now - 50,
      epoch: ['7', 'the leader', String(now), String(now), ''],
    });
  });
});

describe('the next time of a schedule, in stats', () => {
  const cursor = (nextMs: number | null): string => JSON.stringify({ v: 1, c: 5, n: nextMs, k: 0 });
  const upcoming = async (name: string, lookMs: number, text: string): Promise<void> => {
    await send('ZADD', keys.upcoming, lookMs, name);
    await send('HSET', keys.cursors, name, text);
  };
  const next = async (): Promise<number | null> => (await expectStatus(run(lua.stats, {}), 'ok')).nextScheduleMs;

  test('is the earliest that is not decided yet, not when somebody looks', async () => {
    expect(await next()).toBeNull();
    await upcoming('waits', now + 100, cursor(now + 9_000));
    await upcoming('skips', now + 5_500, cursor(now + 5_000));
    expect(await next()).toBe(now + 5_000);
    await upcoming('over', now + 50, cursor(null));
    expect(await next()).toBe(now + 5_000);
  });

  test('is about that of the eleventh where ten others have none, or one that nobody can read', async () => {
    for (let at = 0; at < 10; at += 1) await upcoming(`over ${at}`, now + at, at % 2 ? cursor(null) : 'x');
    expect(await next()).toBeNull();
    await upcoming('next', now + 700, cursor(now + 600));
    expect(await next()).toBe(now + 700);
  });
});

describe('pause', () => {
  test('says what was, and can be repeated', async () => {
    for (const [paused, was] of [
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0],
    ] as const) {
      expect(await run(lua.pause, { paused })).toEqual({ status: 'ok', was });
      expect(await run(lua.stats, {})).toMatchObject({ paused });
    }
  });
});

describe('join and leave', () => {
  test('join makes the group, which reads what was there before it', async () => {
    await addTask('a');
    await join('c1');
    const reply = await fetch('c1');
    expect(reply).toMatchObject({ deliveries: [{ id: 'a', record: await recordOf('a') }] });
    expect(await send('HGET', keys.consumers, 'c1')).toBe(`30000 ${now} a worker`);
  });

  test('join can be repeated', async () => {
    await join('c1');
    const before = await dump();
    await join('c1');
    expect(await dump()).toEqual(before);
  });

  test('a consumer that leaves is forgotten', async () => {
    await join('c1');
    expect(await run(lua.leave, { consumer: 'c1' })).toEqual({ status: 'ok' });
    expect(await send('EXISTS', keys.consumers)).toBe(0);
    expect(await send('XINFO', 'CONSUMERS', keys.stream, 'workers')).toEqual([]);
  });

  test('one with something pending stays: it would be dropped for ever', async () => {
    await active('a', 'c1');
    const before = await dump();
    expect(await run(lua.leave, { consumer: 'c1' })).toEqual({ status: 'busy' });
    expect(await dump()).toEqual(before);
  });

  test('leaving without a group', async () => {
    await join('c1');
    await send('DEL', keys.stream);
    expect(await run(lua.leave, { consumer: 'c1' })).toEqual({ status: 'ok' });
  });
});

describe('a number that others wrote', () => {
  test.each([
    { score: '1.8e18', shown: 9e15 },
    { score: '+inf', shown: 9e15 },
    { score: '-inf', shown: 0 },
    { score: '-0.5', shown: 0 },
  ])('as a score, $score, is shown as $shown', async ({ score, shown }) => {
    await addTask('a', '+5', { expires: '+5' });
    await send('ZADD', keys.due, score, 'a');
    await send('ZADD', keys.expiry, score, 'a');
    expect(await run(lua.get, { id: 'a' })).toMatchObject({ state: 'scheduled', dueMs: shown, expiresMs: shown });
    expect(await run(lua.stats, {})).toMatchObject({ oldestDueMs: shown });
  });

  test.each([
    { due: '1.8e18', shown: 9e15 },
    { due: '-0', shown: 0 },
    { due: 'inf', shown: 9e15 },
    { due: 'nan', shown: 0 },
  ])('as the due time of an entry, $due, is shown as $shown', async ({ due, shown }) => {
    await addTask('a');
    await send('DEL', keys.stream);
    const entry = (await send('XADD', keys.stream, '*', 'id', 'a', 'due', due)) as string;
    await send('HSET', keys.live, 'a', entry);
    expect(await run(lua.get, { id: 'a' })).toMatchObject({ state: 'ready', dueMs: shown });
    expect(await run(lua.stats, {})).toMatchObject({ oldestReadyMs: shown });
  });
});
