import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import { active, addTask, counted, dump, elect, keys, now, run, send, useRedis } from '../support/partition.js';

useRedis();

/** A task in each state in which it may expire. */
const states = [
  { was: 'scheduled', make: () => addTask('a', '+1000', { expires: '+5000' }) },
  { was: 'ready', make: () => addTask('a', '+0', { expires: '+5000' }) },
];

async function inProgress(): Promise<number> {
  return (await send('EXISTS', keys.tasks, keys.live, keys.runs, keys.expiry, keys.due)) as number;
}

async function unchanged(call: () => Promise<unknown>): Promise<unknown> {
  const before = await dump();
  const reply = await call();
  expect(await dump()).toEqual(before);
  return reply;
}

describe('expire', () => {
  const expire = (nowMs: number, more: { skip?: number; limit?: number } = {}) =>
    run(lua.expire, { skip: 0, limit: 100, nowMs, ...more });

  test.each(states)('a $was task is ended when its time is over, not before', async ({ was, make }) => {
    await elect();
    await make();
    await send('HSET', keys.runs, 'a', '{}');
    const overMs = was === 'scheduled' ? now + 6000 : now + 5000;
    const entry = String((await send('HGET', keys.live, 'a')) ?? '');
    expect(await unchanged(() => expire(overMs - 1))).toMatchObject({ looked: 0, expired: [] });
    expect(await expire(overMs)).toEqual({ status: 'ok', looked: 1, pending: 0, expired: [{ id: 'a', name: 'job' }] });
    expect(await inProgress()).toBe(0);
    if (entry !== '') expect(await send('XLEN', keys.stream)).toBe(0);
    const [[number, fields]] = (await send('XRANGE', keys.ended, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['id', 'a', 'state', 'expired', 'name', 'job', 'at', String(overMs), 'entry', entry]);
    expect(await send('HGET', keys.past, 'a')).toBe(`expired:${number}:${entry}`);
    expect(await counted('expired')).toBe(1);
  });

  test('a task at work is passed over, and those behind it are reached', async () => {
    await elect();
    for (const id of ['a', 'b', 'c']) await active(id, 'c1', { expires: '+1' });
    await addTask('d', '+0', { expires: '+2' });
    expect(await unchanged(() => expire(now + 9, { limit: 2 }))).toMatchObject({ looked: 2, pending: 2, expired: [] });
    expect(await expire(now + 9, { limit: 2, skip: 2 })).toMatchObject({
      looked: 2,
      pending: 1,
      expired: [{ id: 'd' }],
    });
  });

  test('what a task without a record left behind is cleared, and not counted', async () => {
    await elect();
    await addTask('a', '+0', { expires: '+1' });
    await send('HDEL', keys.tasks, 'a');
    expect(await expire(now + 9)).toMatchObject({ looked: 1, pending: 0, expired: [] });
    expect(await inProgress()).toBe(0);
    expect(await send('EXISTS', keys.ended, keys.past)).toBe(0);
    expect(await counted('expired')).toBe(0);
  });
});
