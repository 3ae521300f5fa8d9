import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';

import {
  addTask,
  counted,
  elect,
  expectStatus,
  keys,
  now,
  run,
  send,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

type Item = lua.TickArgs['items'][number];
type Over = { nowMs?: number };

const step: Item = {
  schedule: 'nightly',
  was: 'a',
  cursor: 'b',
  lookMs: String(now + 1_000),
  id: 'nightly@1',
  unless: '',
  dueMs: now,
  expiresMs: '',
  record: '["job"]',
  passed: '',
};

async function stands(cursor = 'a'): Promise<void> {
  await elect();
  await send('HSET', keys.schedules, 'nightly', 'definition');
  await send('HSET', keys.cursors, 'nightly', cursor);
  await send('ZADD', keys.upcoming, now, 'nightly');
}

async function marks(items: readonly Partial<Item>[], over: Over = {}): Promise<string> {
  const whole = items.map((item) => ({ ...step, ...item }));
  return (await expectStatus(run(lua.tick, { items: whole, ...over }), 'ok')).marks;
}

const cursor = (): Promise<unknown> => send('HGET', keys.cursors, 'nightly');
const looks = (): Promise<unknown> => send('ZRANGE', keys.upcoming, 0, -1, 'WITHSCORES');
const isThere = async (id: string): Promise<boolean> => (await send('HEXISTS', keys.tasks, id)) === 1;

describe('tick', () => {
  test('adds the occurrence and moves the cursor, in one', async () => {
    await stands();
    expect(await marks([{}])).toBe('f');
    expect([await cursor(), await looks()]).toEqual(['b', ['nightly', String(now + 1_000)]]);
    const [[entry, fields]] = (await send('XRANGE', keys.stream, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['id', 'nightly@1', 'due', String(now)]);
    expect(await send('HGET', keys.live, 'nightly@1')).toBe(entry);
    expect(await send('HGET', keys.tasks, 'nightly@1')).toBe(`[${now},"job"]`);
    expect([await counted('added'), await counted('fired')]).toEqual([1, 1]);
  });

  test('ahead of its time the occurrence waits until it is due', async () => {
    await stands();
    expect(await marks([{ dueMs: now + 200, expiresMs: String(now + 900) }])).toBe('f');
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['nightly@1', String(now + 200)]);
    expect(await send('ZSCORE', keys.expiry, 'nightly@1')).toBe(String(now + 900));
    expect(await send('XLEN', keys.stream)).toBe(0);
  });

  test('in a paused queue it waits, also when it is due', async () => {
    await stands();
    await send('HSET', keys.meta, 'paused', '1');
    expect(await marks([{}])).toBe('f');
    expect(await send('ZRANGE', keys.due, 0, -1)).toEqual(['nightly@1']);
  });

  test('sent again it changes nothing, also when the occurrence has been completed', async () => {
    await stands();
    await marks([{}]);
    for (const key of [keys.tasks, keys.live, keys.stream]) await send('DEL', key);
    expect(await marks([{}])).toBe('c');
    expect([await isThere('nightly@1'), await counted('added'), await cursor()]).toEqual([false, 1, 'b']);
  });

  test('goes on from step to step in one call, and not past one that is void', async () => {
    await stands();
    const second = { was: 'b', cursor: 'c', id: 'nightly@2' };
    const void_ = { was: 'x', cursor: 'd', id: 'nightly@3' };
    expect(await marks([{}, second, void_, { was: 'd', cursor: 'e', id: 'nightly@4' }])).toBe('ffcc');
    expect([await cursor(), await isThere('nightly@3'), await isThere('nightly@4')]).toEqual(['c', false, false]);
  });

  test('moves on without an occurrence, and lists what was not fired', async () => {
    await stands();
    expect(await marks([{ id: '', passed: '{"why":"missed"}', lookMs: '' }])).toBe('m');
    expect([await cursor(), await looks(), await counted('fired')]).toEqual(['b', [], 0]);
    const [[, fields]] = (await send('XRANGE', keys.passed, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['schedule', 'nightly', 'passed', '{"why":"missed"}']);
  });

  test('changes nothing while the former occurrence is not settled, wherever that is', async () => {
    await stands();
    await addTask('nightly@0', '+5000');
    expect(await marks([{ unless: 'nightly@0' }])).toBe('b');
    expect([await cursor(), await isThere('nightly@1')]).toEqual(['a', false]);
    await expectStatus(cancelTask('nightly@0'), 'ok');
    expect(await marks([{ unless: 'nightly@0' }])).toBe('f');
  });

  test('moves past an occurrence whose id lives already, and leaves that as it is', async () => {
    await stands();
    await addTask('nightly@1', '+5000', { record: '["by hand"]' });
    expect(await marks([{}])).toBe('d');
    expect([await cursor(), await counted('added'), await counted('fired')]).toEqual(['b', 1, 0]);
    expect(await send('HGET', keys.tasks, 'nightly@1')).toContain('by hand');
  });

  test('gives a schedule that has lost its cursor a new one', async () => {
    await stands();
    await send('HDEL', keys.cursors, 'nightly');
    expect(await marks([{ was: '', id: '' }])).toBe('m');
    expect(await cursor()).toBe('b');
  });

  test('takes one that has no cursor any more out of what is looked at', async () => {
    await elect();
    await send('ZADD', keys.upcoming, now, 'nightly');
    expect(await marks([{ was: '', cursor: '', id: '', lookMs: '' }])).toBe('m');
    expect([await send('EXISTS', keys.cursors), await looks()]).toEqual([0, []]);
  });

  test('wakes the leader when an occurrence is the earliest', async () => {
    await stands();
    await addTask('later', '+60000');
    expect(await marks([{ dueMs: now + 200 }])).toBe('f');
    expect(await send('ZRANGE', keys.due, 0, 0)).toEqual(['nightly@1']);
  });
});

describe('upcoming', () => {
  const ask = (over: Partial<{ aheadMs: number; limit: number; bytesMax: number }> = {}): Promise<lua.UpcomingReply> =>
    run(lua.upcoming, { aheadMs: 0, limit: 10, bytesMax: 1e6, ...over });

  test('tells those whose time has come, the earliest first, and when the next comes', async () => {
    for (const [name, inMs] of [
      ['c', 1],
      ['a', 0],
      ['b', -5],
    ] as const) {
      await send('ZADD', keys.upcoming, now + inMs, name);
      await send('HSET', keys.schedules, name, `of ${name}`);
      await send('HSET', keys.cursors, name, `at ${name}`);
    }
    expect(await ask()).toEqual({
      status: 'ok',
      nowMs: now,
      nextMs: now + 1,
      schedules: [
        { name: 'b', definition: 'of b', cursor: 'at b' },
        { name: 'a', definition: 'of a', cursor: 'at a' },
      ],
    });
    expect(await ask({ aheadMs: 1 })).toMatchObject({ nextMs: null, schedules: [{}, {}, { name: 'c' }] });
    expect(await ask({ aheadMs: 1, limit: 2 })).toMatchObject({ nextMs: now + 1, schedules: [{ name: 'b' }, {}] });
    expect(await ask({ bytesMax: 1 })).toMatchObject({ nextMs: now, schedules: [{ name: 'b' }] });
  });

  test('without any there is nothing', async () => {
    expect(await ask()).toEqual({ status: 'ok', nowMs: now, nextMs: null, schedules: [] });
  });

  test('tells of one that has lost its definition or its cursor', async () => {
    await send('ZADD', keys.upcoming, now, 'lost');
    expect(await ask()).toMatchObject({ schedules: [{ name: 'lost', definition: '', cursor: '' }] });
  });
});

describe('schedule', () => {
  const anybody = { term: '', token: '' };
  const sha1 = (definition: string, at: string): string =>
    createHash('sha1').update(`${definition}\n${at}`).digest('hex');
  const put = (over: object = {}): Promise<lua.ScheduleReply> =>
    run(lua.schedule, {
      ...anybody,
      name: 'nightly',
      wasSha1: '',
      definition: 'D',
      cursor: 'C',
      lookMs: String(now),
      ...over,
    });

  test('creates one that is not there, and none that is', async () => {
    expect(await put()).toEqual({ status: 'ok' });
    expect(await put({ definition: 'other' })).toEqual({ status: 'changed' });
    expect([await send('HGET', keys.schedules, 'nightly'), await cursor()]).toEqual(['D', 'C']);
    expect(await looks()).toEqual(['nightly', String(now)]);
    expect(await send('HGET', keys.meta, 'layout')).toBe('1/1');
  });

  test('changes one that is as it was read, and not one that was moved meanwhile', async () => {
    await put();
    const change = { wasSha1: sha1('D', 'C'), definition: 'D2', cursor: 'C2', lookMs: '' };
    await send('HSET', keys.cursors, 'nightly', 'moved');
    expect(await put(change)).toEqual({ status: 'changed' });
    await send('HSET', keys.cursors, 'nightly', 'C');
    expect(await put(change)).toEqual({ status: 'ok' });
    expect([await send('HGET', keys.schedules, 'nightly'), await cursor(), await looks()]).toEqual(['D2', 'C2', []]);
  });

  test('takes one away, and leaves nothing of it', async () => {
    await put();
    expect(await put({ wasSha1: sha1('D', 'C'), definition: '' })).toEqual({ status: 'ok' });
    expect(await send('EXISTS', keys.schedules, keys.cursors, keys.upcoming)).toBe(0);
  });

  test('in the name of a leader needs the term that is accepted', async () => {
    const leader = { term: '7', token: 'seven' };
    expect(await put(leader)).toEqual({ status: 'stale_term', term: '0' });
    await elect();
    expect(await put({ ...leader, token: 'other' })).toEqual({ status: 'stale_term', term: '7' });
    expect(await send('EXISTS', keys.schedules)).toBe(0);
    expect(await put(leader)).toEqual({ status: 'ok' });
  });

  test('the same call again gets its first answer', async () => {
    const call = { lane: 'l', call: 1 };
    expect(await put(call)).toEqual({ status: 'ok' });
    await send('HSET', keys.cursors, 'nightly', 'moved');
    expect(await put(call)).toEqual({ status: 'ok' });
    expect(await cursor()).toBe('moved');
    expect(await put({ lane: 'l', call: 0 })).toEqual({ status: 'late_call' });
  });
});

describe('schedules', () => {
  const ask = (name: string, position = '0'): Promise<lua.SchedulesReply> =>
    run(lua.schedules, { name, position, count: 10 });

  test('tells one, or none', async () => {
    await stands();
    const nightly = { name: 'nightly', definition: 'definition', cursor: 'a', lookMs: String(now) };
    expect(await ask('nightly')).toEqual({ status: 'ok', nowMs: now, next: '0', schedules: [nightly] });
    expect(await ask('other')).toMatchObject({ next: '0', schedules: [] });
  });

  test('goes over all of them', async () => {
    for (let at = 0; at < 1_000; at += 1) await send('HSET', keys.schedules, `s${at}`, 'x'.repeat(100));
    const names = new Set<string>();
    let position = '0';
    do {
      const page = await expectStatus(ask('', position), 'ok');
      for (const { name } of page.schedules) names.add(name);
      position = page.next;
    } while (position !== '0');
    expect(names.size).toBe(1_000);
  });
});
