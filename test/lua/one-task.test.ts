import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  counted,
  dump,
  elect,
  expectStatus,
  join,
  keys,
  now,
  promoted,
  read,
  recordOf,
  run,
  send,
  settle,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

/** A task in each state that it can be waiting or at work in. */
const states = [
  { was: 'scheduled', make: () => addTask('a', '+1000', { expires: '+5000' }) },
  { was: 'ready', make: () => addTask('a', '+0', { expires: '+5000' }) },
  { was: 'active', make: () => active('a', 'c1', { expires: '+5000' }) },
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

describe('cancel', () => {
  const cancel = (id: string, nowMs = now) => cancelTask(id, { nowMs });

  test.each(states)('a $was task is ended, listed, counted, and leaves nothing behind', async ({ was, make }) => {
    await make();
    await send('HSET', keys.runs, 'a', '{}');
    const entry = String((await send('HGET', keys.live, 'a')) ?? '');
    expect(await cancel('a', now + 4)).toEqual({ status: 'ok', was, name: 'job' });
    expect(await inProgress()).toBe(0);
    if (entry !== '') expect(await send('XLEN', keys.stream)).toBe(0);
    const [[number, fields]] = (await send('XRANGE', keys.ended, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['id', 'a', 'state', 'cancelled', 'name', 'job', 'at', String(now + 4), 'entry', entry]);
    expect(await send('HGET', keys.past, 'a')).toBe(`cancelled:${number}:${entry}`);
    expect(await counted('cancelled')).toBe(1);
    expect(await addTask('a', '+0')).toBe('r');
  });

  test('a ready task without a group is cancelled too', async () => {
    await addTask('a');
    expect(await cancel('a')).toEqual({ status: 'ok', was: 'ready', name: 'job' });
    expect(await send('XLEN', keys.stream)).toBe(0);
  });

  test.each([
    { record: '["plain"]', name: 'plain' },
    { record: '["quo\\"ted"]', name: '' },
    { record: '["uni\\u0063ode",1]', name: '' },
    { record: `["big","${'x'.repeat(10_000)}"]`, name: 'big' },
  ])('the name of $name is listed when it can be read without decoding the record', async ({ record, name }) => {
    await addTask('a', '+5', { record });
    await cancel('a');
    const [[, fields]] = (await send('XRANGE', keys.ended, '-', '+')) as [[string, string[]]];
    expect(fields[5]).toBe(name);
  });

  test('what was never there is not found', async () => {
    await addTask('b');
    expect(await unchanged(() => cancel('a'))).toEqual({ status: 'not_found' });
  });

  test('what has ended is told by its newest end', async () => {
    const delivery = await active('a');
    await settle('c1', [{ ...delivery, verb: 'bury', value: 'rejected' }]);
    expect(await unchanged(() => cancel('a'))).toEqual({ status: 'settled', state: 'dead' });
    await addTask('a');
    await cancel('a');
    expect(await unchanged(() => cancel('a'))).toEqual({ status: 'settled', state: 'cancelled' });
  });
});

describe('reschedule', () => {
  const reschedule = (id: string, when: string, nowMs = now) => run(lua.reschedule, { id, when, nowMs });

  test.each([
    { when: '+1500', dueMs: now + 1500 },
    { when: '+0', dueMs: now },
    { when: String(now + 9), dueMs: now + 9 },
    { when: '1', dueMs: 1 },
    { when: '8640000000000000', dueMs: 8_640_000_000_000_000 },
  ])('a scheduled task to $when', async ({ when, dueMs }) => {
    await addTask('a', '+1000');
    expect(await reschedule('a', when)).toEqual({ status: 'ok', dueMs });
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['a', String(dueMs)]);
  });

  test('a ready task leaves the stream, and runs once, at the new time', async () => {
    await elect();
    await join('c1');
    await addTask('a');
    expect(await reschedule('a', '+1000')).toEqual({ status: 'ok', dueMs: now + 1000 });
    expect(await send('EXISTS', keys.live)).toBe(0);
    expect(await read('c1')).toEqual([]);
    expect(await promoted({ nowMs: now + 999 })).toBe(0);
    expect(await promoted({ nowMs: now + 1000 })).toBe(1);
    expect((await read('c1', 9)).length).toBe(1);
  });

  test('one at work is refused', async () => {
    await active('a');
    expect(await unchanged(() => reschedule('a', '+5'))).toEqual({ status: 'active' });
  });

  test('what is not there, and what has ended', async () => {
    await addTask('a', '+5');
    expect(await unchanged(() => reschedule('b', '+5'))).toEqual({ status: 'not_found' });
    await cancelTask('a');
    expect(await unchanged(() => reschedule('a', '+5'))).toEqual({ status: 'settled', state: 'cancelled' });
  });

  test('a repeated delay becomes a due time once', async () => {
    await addTask('a', '+1000');
    const call = { id: 'a', when: '+500', lane: 'l', call: 1 };
    expect(await run(lua.reschedule, call)).toEqual({ status: 'ok', dueMs: now + 500 });
    expect(await run(lua.reschedule, { ...call, nowMs: now + 400 })).toEqual({ status: 'ok', dueMs: now + 500 });
    expect(await send('ZSCORE', keys.due, 'a')).toBe(String(now + 500));
  });
});

describe('run-now', () => {
  const runNow = (id: string, over = {}) => run(lua.runNow, { id, ...over });

  test('a scheduled task is ready at once, and only once', async () => {
    await elect();
    await addTask('a', '+1000');
    expect(await runNow('a', { nowMs: now + 3 })).toEqual({ status: 'ok', was: 'scheduled' });
    const [[entry, fields]] = (await send('XRANGE', keys.stream, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['id', 'a', 'due', String(now + 3)]);
    expect(await send('HGET', keys.live, 'a')).toBe(entry);
    expect(await promoted({ nowMs: now + 2000 })).toBe(0);
    expect(await unchanged(() => runNow('a'))).toEqual({ status: 'ok', was: 'ready' });
  });

  test('at work: there is nothing to do', async () => {
    await active('a');
    expect(await unchanged(() => runNow('a'))).toEqual({ status: 'ok', was: 'active' });
  });

  test('refused in a paused queue', async () => {
    await addTask('a', '+1000');
    await expectStatus(run(lua.pause, { paused: 1 }), 'ok');
    expect(await unchanged(() => runNow('a'))).toEqual({ status: 'paused' });
  });

  test('a refusal is kept: the same call repeated after the resume is refused again', async () => {
    await addTask('a', '+1000');
    await run(lua.pause, { paused: 1 });
    expect(await runNow('a', { lane: 'l', call: 1 })).toEqual({ status: 'paused' });
    await run(lua.pause, { paused: 0 });
    expect(await runNow('a', { lane: 'l', call: 1 })).toEqual({ status: 'paused' });
    expect(await runNow('a', { lane: 'l', call: 2 })).toEqual({ status: 'ok', was: 'scheduled' });
  });

  test('what is not there, and what has ended', async () => {
    await addTask('a', '+5');
    expect(await unchanged(() => runNow('b'))).toEqual({ status: 'not_found' });
    await cancelTask('a');
    expect(await unchanged(() => runNow('a'))).toEqual({ status: 'settled', state: 'cancelled' });
  });
});

describe('update', () => {
  const sha1 = async (text: unknown) =>
    (await send('EVAL', 'return redis.sha1hex(ARGV[1])', 0, String(text))) as string;
  const record = '[5,"job",[1234567890123456,[],{}]]';

  test('replaces the record that was read, byte by byte', async () => {
    await addTask('a', '+1000');
    const wasSha1 = await sha1(await recordOf('a'));
    expect(await run(lua.update, { id: 'a', wasSha1, record })).toEqual({ status: 'ok' });
    expect(await recordOf('a')).toBe(record);
  });

  test('a record that another update changed is left as it is', async () => {
    await addTask('a', '+1000');
    const wasSha1 = await sha1('["job"]');
    expect(await unchanged(() => run(lua.update, { id: 'a', wasSha1, record }))).toEqual({ status: 'changed' });
  });

  test('what has ended is not brought back', async () => {
    await addTask('a', '+1000');
    const wasSha1 = await sha1(await recordOf('a'));
    await cancelTask('a');
    expect(await unchanged(() => run(lua.update, { id: 'a', wasSha1, record }))).toEqual({ status: 'not_found' });
  });
});
