import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  addTask,
  counted,
  elect,
  expectStatus,
  keys,
  now,
  promote,
  promoted,
  run,
  send,
  useRedis,
} from '../support/partition.js';

useRedis();

async function entries(): Promise<string[][]> {
  return ((await send('XRANGE', keys.stream, '-', '+')) as [string, string[]][]).map(([, fields]) => fields);
}

test('what is due goes to the stream in the order of its due times, the rest stays', async () => {
  await elect();
  for (const [id, when] of Object.entries({ c: '+300', a: '+100', b: '+200', d: '+301' })) await addTask(id, when);
  const reply = await promote({ nowMs: now + 300 });
  expect(reply).toEqual({
    status: 'ok',
    promoted: 3,
    nextDueMs: now + 301,
    nowMs: now + 300,
    lagMs: 200,
    dropped: 0,
    expired: [],
  });
  expect((await entries()).map((fields) => fields[1])).toEqual(['a', 'b', 'c']);
  expect(await send('ZRANGE', keys.due, 0, -1)).toEqual(['d']);
});

describe('never early', () => {
  test.each([
    { at: now + 999, count: 0 },
    { at: now + 1000, count: 1 },
  ])('a task due in 1000 ms: at $at $count', async ({ at, count }) => {
    await elect();
    await addTask('a', '+1000');
    expect(await promoted({ nowMs: at })).toBe(count);
  });

  test('a due time with a fraction, written by others, is taken up to the next millisecond', async () => {
    await elect();
    await addTask('a', '+5');
    await send('ZADD', keys.due, `${now + 5}.25`, 'a');
    expect(await promoted({ nowMs: now + 5 })).toBe(0);
    expect(await promoted({ nowMs: now + 6 })).toBe(1);
    expect(await entries()).toEqual([['id', 'a', 'due', String(now + 6)]]);
  });

  test("by the server's own clock too", async () => {
    await elect();
    await addTask('past', '+1', { nowMs: 1000 });
    await addTask('future', '+3600000', { nowMs: 0 });
    expect(await promoted({ nowMs: 0 })).toBe(1);
  });
});

test.each(['1600000000000', '10000000000000', '100000000000000', '1000000000000000', '8000000000000000'])(
  'a due time of %s keeps all its digits',
  async (due) => {
    await elect();
    await addTask('a', due, { nowMs: 1 });
    await addTask('b', '8640000000000000', { nowMs: 1 });
    expect(await promote({ nowMs: Number(due) })).toMatchObject({ promoted: 1, nextDueMs: 8_640_000_000_000_000 });
    expect(await entries()).toEqual([['id', 'a', 'due', due]]);
  },
);

test('a call takes no more than its limit, the earliest first', async () => {
  await elect();
  for (let at = 0; at < 7; at += 1) await addTask(`t${at}`, `+${10 - at}`);
  expect(await promoted({ nowMs: now + 60, limit: 3 })).toBe(3);
  expect((await entries()).map((fields) => fields[1])).toEqual(['t6', 't5', 't4']);
  expect(await promote({ nowMs: now + 60, limit: 3 })).toMatchObject({ promoted: 3, nextDueMs: now + 10, lagMs: 53 });
});

test('a thousand of one call are all live afterwards', async () => {
  await elect();
  const items = Array.from({ length: 1000 }, (_, at) => ({
    id: `t${at}`,
    when: '+1',
    expires: '',
    record: '["job"]',
  }));
  await expectStatus(run(lua.add, { items }), 'ok');
  expect(await promoted({ nowMs: now + 1, limit: 1000 })).toBe(1000);
  expect(await send('HLEN', keys.live)).toBe(1000);
  expect(await send('XLEN', keys.stream)).toBe(1000);
  expect(await send('EXISTS', keys.due)).toBe(0);
});

test('a due member without a record is dropped and counted, with what the task left behind', async () => {
  await elect();
  await addTask('a', '+1', { expires: '+5' });
  await send('HSET', keys.runs, 'a', '{}');
  await send('HDEL', keys.tasks, 'a');
  await addTask('b', '+2');
  expect(await promote({ nowMs: now + 2 })).toMatchObject({ promoted: 1, dropped: 1, nextDueMs: null });
  expect(await counted('dropped')).toBe(1);
  expect(await send('EXISTS', keys.runs, keys.expiry, keys.due)).toBe(0);
});

test('a due member whose id is live is dropped and counted, its one entry stays', async () => {
  await elect();
  await addTask('a', '+0', { expires: '+5000' });
  await send('ZADD', keys.due, now, 'a');
  expect(await promote({ nowMs: now + 1 })).toMatchObject({ promoted: 0, dropped: 1 });
  expect(await send('XLEN', keys.stream)).toBe(1);
  expect(await send('HLEN', keys.live)).toBe(1);
  expect(await send('ZCARD', keys.expiry)).toBe(1);
});

test('a task that expired before it was promoted is ended, listed and counted', async () => {
  await elect();
  await addTask('a', '+10', { expires: '+5', record: '["mail",1]' });
  await addTask('b', '+10', { expires: '+6' });
  await send('HSET', keys.runs, 'a', '{}');
  const reply = await promote({ nowMs: now + 15 });
  expect(reply).toMatchObject({ promoted: 1, dropped: 0, expired: [{ id: 'a', name: 'mail' }] });
  const [[number, fields]] = (await send('XRANGE', keys.ended, '-', '+')) as [[string, string[]]];
  expect(fields).toEqual(['id', 'a', 'state', 'expired', 'name', 'mail', 'at', String(now + 15), 'entry', '']);
  expect(await send('HGET', keys.past, 'a')).toBe(`expired:${number}:`);
  expect(await counted('expired')).toBe(1);
  expect(await send('HKEYS', keys.tasks)).toEqual(['b']);
  expect(await send('EXISTS', keys.runs)).toBe(0);
  expect(await send('ZRANGE', keys.expiry, 0, -1)).toEqual(['b']);
});

test('a paused queue promotes nothing, but its leader shows that it lives', async () => {
  await elect();
  await addTask('a', '+1');
  await expectStatus(run(lua.pause, { paused: 1 }), 'ok');
  expect(await promote({ nowMs: now + 9 })).toEqual({ status: 'paused', nowMs: now + 9 });
  expect(await send('HGET', keys.epoch, 'seen_ms')).toBe(String(now + 9));
  expect(await send('XLEN', keys.stream)).toBe(0);
  await expectStatus(run(lua.pause, { paused: 0 }), 'ok');
  expect(await promoted({ nowMs: now + 10 })).toBe(1);
});

describe('without a term', () => {
  const nobody = { term: '', token: '' };
  test.each([
    { lateMs: 5_999, count: 0 },
    { lateMs: 6_000, count: 1 },
  ])('what is overdue by $lateMs of 6000 ms: $count', async ({ lateMs, count }) => {
    await elect();
    await addTask('a', '+1');
    expect(await promoted({ ...nobody, nowMs: now + 1 + lateMs })).toBe(count);
  });

  test('only what is overdue is promoted, and no sign of a leader is given', async () => {
    await elect();
    await addTask('a', '+1');
    await addTask('b', '+2');
    expect(await promote({ ...nobody, nowMs: now + 6_001 })).toMatchObject({ promoted: 1, nextDueMs: now + 2 });
    expect(await send('HGET', keys.epoch, 'seen_ms')).toBe(String(now));
  });

  test('not in a paused queue', async () => {
    await addTask('a', '+1');
    await expectStatus(run(lua.pause, { paused: 1 }), 'ok');
    expect(await promote({ ...nobody, nowMs: now + 60_000 })).toEqual({ status: 'paused', nowMs: now + 60_000 });
  });
});

describe('a score that others wrote', () => {
  test.each([
    { score: '1.8e18', nextDueMs: 9e15 },
    { score: '+inf', nextDueMs: 9e15 },
    { score: '1e16', nextDueMs: 9e15 },
  ])('of $score is late by itself, and holds up nobody', async ({ score, nextDueMs }) => {
    await elect();
    await addTask('foreign', '+5');
    await send('ZADD', keys.due, score, 'foreign');
    expect(await promote()).toMatchObject({ promoted: 0, nextDueMs, lagMs: 0 });
    await addTask('a', '+5');
    expect(await promote({ nowMs: now + 5 })).toMatchObject({ promoted: 1, nextDueMs, lagMs: 0 });
  });

  test.each(['-inf', '-1.8e18', '-0.5', '-1'])(
    'of %s is early by itself, with a due time that can be read',
    async (score) => {
      await elect();
      await addTask('foreign', '+5');
      await addTask('a', '+5');
      await send('ZADD', keys.due, score, 'foreign');
      expect(await promote({ term: '', token: '' })).toMatchObject({ promoted: 1, nextDueMs: now + 5, lagMs: now });
      expect(await entries()).toEqual([['id', 'foreign', 'due', '0']]);
    },
  );
});
