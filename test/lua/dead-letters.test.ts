import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  counted,
  dump,
  elect,
  keys,
  now,
  read,
  recordOf,
  run,
  send,
  settle,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

/** Runs a task into a dead letter; returns the letter's number. */
async function die(id: string, nowMs = now, record = '["job"]'): Promise<string> {
  const delivery = await active(id, 'c1', { record });
  await settle('c1', [{ ...delivery, verb: 'bury', value: 'rejected', run: '{"a":3}' }], { nowMs });
  return ((await send('XREVRANGE', keys.dead, '+', '-', 'COUNT', 1)) as [[string, unknown]])[0][0];
}

async function numbers(key: string): Promise<string[]> {
  return ((await send('XRANGE', key, '-', '+')) as [string, unknown][]).map(([number]) => number);
}

async function unchanged(call: () => Promise<unknown>): Promise<unknown> {
  const before = await dump();
  const reply = await call();
  expect(await dump()).toEqual(before);
  return reply;
}

describe('replay', () => {
  const replay = (number: string, over = {}) => run(lua.replay, { number, ...over });

  test('makes it a task again, due now, at its first attempt, its record as it was', async () => {
    const number = await die('a', now, '["job",[[],1234567890123456]]');
    expect(await replay(number, { nowMs: now + 5 })).toEqual({ status: 'ok', id: 'a' });
    expect(await recordOf('a')).toBe(`[${now},"job",[[],1234567890123456]]`);
    expect(await numbers(keys.dead)).toEqual([]);
    expect(await send('EXISTS', keys.runs, keys.past)).toBe(0);
    expect(await counted('replayed')).toBe(1);
    const [again] = await read('c1');
    expect(await send('HGET', keys.live, 'a')).toBe(again?.entry);
  });

  test('in a paused queue it waits in the schedule', async () => {
    const number = await die('a');
    await run(lua.pause, { paused: 1 });
    expect(await replay(number)).toEqual({ status: 'ok', id: 'a' });
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['a', String(now)]);
    expect(await send('XLEN', keys.stream)).toBe(0);
  });

  test('refused while that id lives anew: the letter stays', async () => {
    const number = await die('a');
    await addTask('a', '+1000');
    expect(await unchanged(() => replay(number))).toEqual({ status: 'conflict', id: 'a' });
  });

  test('a letter that is gone is not found', async () => {
    await die('a');
    expect(await unchanged(() => replay('1-1'))).toEqual({ status: 'not_found' });
  });

  test('a number without its second half takes the letter it found, not another', async () => {
    await send('XADD', keys.dead, '9000000000000-5', 'id', 'a', 'reason', 'rejected', 'record', '["job"]');
    expect(await replay('9000000000000')).toEqual({ status: 'ok', id: 'a' });
    expect(await numbers(keys.dead)).toEqual([]);
  });

  test('of an older letter keeps the newer one of the same id to be found', async () => {
    const first = await die('a');
    const second = await die('a');
    expect(await replay(first)).toEqual({ status: 'ok', id: 'a' });
    expect(await send('HGET', keys.past, 'a')).toContain(`dead:${second}:`);
    expect(await numbers(keys.dead)).toEqual([second]);
  });

  test('a letter without a record is left where it is', async () => {
    const number = await die('a');
    await send('XDEL', keys.dead, number);
    const empty = (await send('XADD', keys.dead, '*', 'id', 'a', 'reason', 'rejected', 'record', '')) as string;
    expect(await unchanged(() => replay(empty))).toEqual({ status: 'not_found' });
  });
});

describe('purge', () => {
  const purge = (limit: number, items: string[]) =>
    run(lua.purge, { limit, items: items.map((number) => ({ number })) });

  test('the letters that are named, and no others', async () => {
    const [a, b, c] = [await die('a'), await die('b'), await die('c')];
    expect(await purge(100, [b, '1-1', 'no number', b])).toEqual({ status: 'ok', purged: 1 });
    expect(await numbers(keys.dead)).toEqual([a, c]);
    expect(await send('HEXISTS', keys.past, 'b')).toBe(0);
    expect(await send('HLEN', keys.past)).toBe(2);
    expect(await counted('purged')).toBe(1);
  });

  test('without names the oldest, as many as the limit says', async () => {
    const [, , c] = [await die('a'), await die('b'), await die('c')];
    expect(await purge(2, [])).toEqual({ status: 'ok', purged: 2 });
    expect(await numbers(keys.dead)).toEqual([c]);
    expect(await purge(2, [])).toEqual({ status: 'ok', purged: 1 });
    expect(await unchanged(() => purge(2, []))).toEqual({ status: 'ok', purged: 0 });
  });

  test('of an older letter keeps the newer end of that id to be found', async () => {
    const first = await die('a');
    const second = await die('a');
    await purge(0, [first]);
    expect(await send('HGET', keys.past, 'a')).toContain(`dead:${second}:`);
  });
});

describe('age', () => {
  const kept = {
    endedAgeMs: 1e6,
    endedMax: 1000,
    deadAgeMs: 1e6,
    laneAgeMs: 1e6,
    cursor: '0',
    limit: 100,
    bytesMax: 1e6,
  };
  const age = (more: Partial<typeof kept>, nowMs = now + 1000) => run(lua.age, { ...kept, ...more, nowMs });
  const cancelled = async (id: string, nowMs = now): Promise<void> => {
    await addTask(id, '+5');
    await cancelTask(id, { nowMs });
  };

  test('what is older than allowed goes, with its index, and is counted', async () => {
    await elect();
    await cancelled('old');
    await cancelled('young', now + 600);
    await die('old-letter');
    await die('young-letter', now + 600);
    expect(await unchanged(() => age({ endedAgeMs: 1000, deadAgeMs: 1000 }))).toEqual({
      status: 'ok',
      aged: 0,
      cursor: '0',
    });
    expect(await age({ endedAgeMs: 999, deadAgeMs: 999 })).toEqual({ status: 'ok', aged: 2, cursor: '0' });
    expect(((await send('HKEYS', keys.past)) as string[]).sort()).toEqual(['young', 'young-letter']);
    expect([await counted('ended_aged'), await counted('dead_aged')]).toEqual([1, 1]);
  });

  test('more of the ended than allowed: the oldest go', async () => {
    await elect();
    for (let at = 0; at < 5; at += 1) await cancelled(`t${at}`);
    expect(await age({ endedMax: 2 })).toMatchObject({ aged: 3 });
    expect(((await send('HKEYS', keys.past)) as string[]).sort()).toEqual(['t3', 't4']);
  });

  test('a newer end of the same id stays to be found', async () => {
    await elect();
    await cancelled('a');
    await cancelled('a', now + 600);
    expect(await age({ endedAgeMs: 999 })).toMatchObject({ aged: 1 });
    expect(await send('HGET', keys.past, 'a')).toContain(`cancelled:${(await numbers(keys.ended))[0]}:`);
  });

  test('no more of each than the limit, and no more bytes of letters than allowed', async () => {
    await elect();
    for (let at = 0; at < 3; at += 1) await cancelled(`t${at}`);
    for (let at = 0; at < 3; at += 1) await die(`d${at}`, now, `["job","${'x'.repeat(500)}"]`);
    expect(await age({ endedAgeMs: 0, limit: 2 })).toMatchObject({ aged: 2 });
    expect(await age({ deadAgeMs: 0, bytesMax: 600 })).toMatchObject({ aged: 2 });
    expect(await send('XLEN', keys.dead)).toBe(1);
  });

  test('silent lanes are forgotten, busy ones are not', async () => {
    await elect();
    await addTask('a', '+5', { lane: 'silent', call: 1 });
    await addTask('b', '+5', { lane: 'busy', call: 1, nowMs: now + 600 });
    await age({ laneAgeMs: 999 });
    expect(await send('HKEYS', keys.lanes)).toEqual(['busy']);
  });
});
