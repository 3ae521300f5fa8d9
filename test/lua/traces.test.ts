/**
 * The ways a queue of this shape goes wrong that were found by search, as far as the scripts can show them. Each test
 * is named after what breaks without the rule. Where one script's rule would be hidden by another's, the state that
 * the other would have prevented is made by hand (an older version, a failover, an operator).
 */
import { expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  beat,
  counted,
  dump,
  elect,
  expectStatus,
  fetch,
  idleFor,
  join,
  keys,
  now,
  open,
  promote,
  promoted,
  read,
  recordOf,
  recover,
  run,
  send,
  settle,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

const cancel = (id: string, over = {}) => cancelTask(id, over);
const opened = async (...args: Parameters<typeof open>): Promise<string[]> =>
  (await expectStatus(open(...args), 'ok')).deliveries.map(({ id }) => id);
const letters = async (): Promise<string[]> =>
  ((await send('XRANGE', keys.dead, '-', '+')) as [string, unknown][]).map(([number]) => number);

test('1: a re-added task is not started early by the entry of its former life', async () => {
  const stale = await active('a');
  await cancel('a');
  await addTask('a', '+1000');
  expect(await opened('c1', [stale])).toEqual([]);
});

test('1: nor by an entry that the cancel did not end', async () => {
  await join('c1');
  await addTask('a', '+1000');
  await send('XADD', keys.stream, '*', 'id', 'a', 'due', now);
  const [stale] = await read('c1');
  expect(await opened('c1', stale ? [stale] : [])).toEqual([]);
  expect(await counted('stale')).toBe(1);
  await send('XADD', keys.stream, '*', 'id', 'a', 'due', now);
  expect(await fetch('c1')).toMatchObject({ deliveries: [], stale: 1 });
});

test.each(['complete', 'retry', 'bury'] as const)(
  '2: a %s of the cancelled life does not touch the new one',
  async (verb) => {
    const old = await active('a');
    await cancel('a');
    await addTask('a', '+1000');
    const before = await dump();
    expect(await settle('c1', [{ ...old, verb, value: '5', run: '{}' }])).toBe('c');
    expect(await dump()).toEqual(before);
  },
);

test.each(['complete', 'retry', 'bury'] as const)('2: nor a %s whose entry the cancel did not end', async (verb) => {
  const old = await active('a');
  await send('HSET', keys.live, 'a', '9-9'); // the new life's entry
  expect(await settle('c1', [{ ...old, verb, value: '5', run: '{}' }])).toBe('l');
  expect(await send('HEXISTS', keys.tasks, 'a')).toBe(1);
  expect(await send('HGET', keys.live, 'a')).toBe('9-9');
  expect(await send('EXISTS', keys.due, keys.dead, keys.runs)).toBe(0);
});

test('3: a consumer that stalled before it had the record does not start what another recovered and settled', async () => {
  const delivery = await active('a', 'c1');
  await idleFor(60_000, 'c1', delivery);
  await beat('c2');
  expect((await expectStatus(recover('c2'), 'ok')).deliveries.length).toBe(1);
  expect(await opened('c1', [delivery])).toEqual([]);
  expect(await settle('c2', [{ ...delivery, count: 2 }])).toBe('o');
  expect(await opened('c1', [delivery])).toEqual([]);
});

test('3: nor what another took over without a new count', async () => {
  const delivery = await active('a', 'c1');
  await send('XCLAIM', keys.stream, 'workers', 'c2', 0, delivery.entry, 'JUSTID');
  expect(await opened('c1', [delivery])).toEqual([]);
});

test('3: nor what it got back itself, as a second delivery that is already at work', async () => {
  const delivery = await active('a', 'c1');
  await idleFor(60_000, 'c1', delivery);
  await beat('c1');
  expect((await expectStatus(recover('c1'), 'ok')).deliveries.length).toBe(1);
  expect(await opened('c1', [delivery])).toEqual([]);
});

test('4: a ready task that was rescheduled starts once, and not early', async () => {
  await elect();
  await join('c1');
  await addTask('a');
  await run(lua.reschedule, { id: 'a', when: '+1000' });
  expect(await read('c1', 9)).toEqual([]);
  expect(await promoted({ nowMs: now + 1000 })).toBe(1);
  expect(await opened('c1', await read('c1', 9), { nowMs: now + 1000 })).toEqual(['a']);
});

test('5: ready counts no ghost of a cancelled task', async () => {
  await join('c1');
  await addTask('a');
  await cancel('a');
  expect(await run(lua.stats, {})).toMatchObject({ ready: 0, active: 0 });
  await active('b');
  await cancel('b');
  expect(await run(lua.stats, {})).toMatchObject({ ready: 0, active: 0 });
});

test('6: an add that is sent again after its task has ended does not run it twice', async () => {
  const call = { lane: 'l', call: 1, items: [{ id: 'a', when: '+0', expires: '', record: '["job"]' }] };
  const first = await run(lua.add, call);
  await join('c1');
  await settle('c1', await read('c1'));
  expect(await run(lua.add, call)).toEqual(first);
  expect(await send('EXISTS', keys.tasks, keys.live)).toBe(0);
  expect(await send('XLEN', keys.stream)).toBe(0);
  expect(await counted('added')).toBe(1);
});

test('7: a late copy of a cancel does not cancel the next task of that id', async () => {
  const late = { lane: 'l', call: 1 };
  await addTask('a', '+1000');
  expect(await cancel('a', late)).toEqual({ status: 'ok', was: 'scheduled', name: 'job' });
  await addTask('a', '+1000');
  expect(await cancel('a', late)).toEqual({ status: 'ok', was: 'scheduled', name: 'job' });
  await addTask('b', '+1000', { lane: 'l', call: 2 });
  expect(await cancel('a', late)).toEqual({ status: 'late_call' });
  expect(await send('ZRANGE', keys.due, 0, -1)).toEqual(['a', 'b']);
});

test('8: a settle whose reply was lost is not reported as a lost lease', async () => {
  const delivery = await active('a');
  expect(await settle('c1', [delivery], { lane: 'l', call: 1 })).toBe('o');
  expect(await settle('c1', [delivery], { lane: 'l', call: 1 })).toBe('o');
  expect(await counted('complete')).toBe(1);
});

test('9: after a failover that reissued a stream id, the old holder settles nothing of the new task', async () => {
  const old = await active('a', 'connection-1');
  await send('FLUSHALL'); // the failover: what was added and delivered is lost, and the id is given again
  await send('XGROUP', 'CREATE', keys.stream, 'workers', '0', 'MKSTREAM');
  await send('XADD', keys.stream, old.entry, 'id', 'b', 'due', now);
  await send('HSET', keys.live, 'b', old.entry);
  await send('HSET', keys.tasks, 'b', '[1,"job"]');
  const [held] = await read('connection-2');
  expect(held).toEqual({ ...old, id: 'b' });
  const before = await dump();
  expect(await settle('connection-1', [old])).toBe('l');
  expect(await beat('connection-1', { items: [old] })).toMatchObject({ marks: 'l' });
  await send('HDEL', keys.consumers, 'connection-1');
  await send('DEL', keys.meta);
  expect(await dump()).toEqual(before);
  // Even under the same name, which a consumer never has, the other task's entry stays.
  expect(await settle('connection-2', [old])).toBe('l');
  expect(await settle('connection-2', [{ ...old, id: 'b' }])).toBe('o');
});

test('9: nor of the same task, added again after the failover and given the same stream id', async () => {
  const old = await active('a', 'connection-1');
  await send('FLUSHALL');
  await send('XGROUP', 'CREATE', keys.stream, 'workers', '0', 'MKSTREAM');
  await send('XADD', keys.stream, old.entry, 'id', 'a', 'due', now);
  await send('HSET', keys.live, 'a', old.entry);
  await send('HSET', keys.tasks, 'a', '[1,"job"]');
  expect(await read('connection-2')).toEqual([old]); // owner's name apart, all is as it was
  for (const verb of ['complete', 'retry', 'bury'] as const) {
    expect(await settle('connection-1', [{ ...old, verb, value: '5', run: '{}' }])).toBe('l');
  }
  expect(await settle('connection-2', [old])).toBe('o');
});

test('10: a leader of a term that a failover lost writes nothing, though its term is the higher one', async () => {
  await addTask('a', '+1');
  for (const stored of [null, '0', '6']) {
    await send('DEL', keys.epoch);
    if (stored !== null) await send('HSET', keys.epoch, 'term', stored, 'token', 'seven');
    expect(await promote({ nowMs: now + 9 })).toEqual({ status: 'stale_term', term: stored ?? '0' });
  }
  await send('HSET', keys.epoch, 'term', 7, 'token', 'another');
  expect(await promote({ nowMs: now + 9 })).toEqual({ status: 'stale_term', term: '7' });
  expect(await send('ZCARD', keys.due)).toBe(1);
});

test('12: a second death of an id replaces no letter', async () => {
  const bury = async (): Promise<string> => settle('c1', [{ ...(await active('a')), verb: 'bury', value: 'rejected' }]);
  expect([await bury(), await bury()]).toEqual(['o', 'o']);
  expect((await letters()).length).toBe(2);
});

test('12: a replay that finds the id alive keeps the letter, and one that succeeds leaves none', async () => {
  await settle('c1', [{ ...(await active('a')), verb: 'bury', value: 'rejected' }]);
  const number = (await letters())[0] ?? '';
  await addTask('a', '+5');
  expect(await run(lua.replay, { number })).toEqual({ status: 'conflict', id: 'a' });
  expect((await letters()).length).toBe(1);
  await cancel('a');
  expect(await run(lua.replay, { number })).toEqual({ status: 'ok', id: 'a' });
  expect(await letters()).toEqual([]);
});

test('13: a ready task that somebody put into the schedule too runs once', async () => {
  await elect();
  await join('c1');
  await addTask('a');
  await send('ZADD', keys.due, now, 'a'); // a foreign hand, or a promotion torn before its ZREM
  expect(await promote({ nowMs: now + 1 })).toMatchObject({ promoted: 0, dropped: 1 });
  expect(await opened('c1', await read('c1', 9))).toEqual(['a']);
});

test('13: also when it is at work, and when it has ended', async () => {
  await elect();
  const delivery = await active('a');
  await send('ZADD', keys.due, now, 'a');
  expect(await promote({ nowMs: now + 1 })).toMatchObject({ promoted: 0, dropped: 1 });
  await send('ZADD', keys.due, now, 'a');
  await settle('c1', [delivery]);
  expect(await promote({ nowMs: now + 1 })).toMatchObject({ promoted: 0, dropped: 1 });
  expect(await read('c1', 9)).toEqual([]);
});

test('14: an entry that reached a reader in a paused queue does not start', async () => {
  await elect();
  const delivery = await active('a');
  await run(lua.pause, { paused: 1 });
  expect(await opened('c1', [delivery])).toEqual([]);
  await run(lua.pause, { paused: 0 });
  expect(await promoted({ nowMs: now + 1 })).toBe(1);
});

test('15: a task whose handler is at work does not expire', async () => {
  await elect();
  const delivery = await active('a', 'c1', { expires: '+1' });
  expect(await run(lua.expire, { skip: 0, limit: 9, nowMs: now + 9 })).toMatchObject({ pending: 1, expired: [] });
  expect(await settle('c1', [delivery], { nowMs: now + 9 })).toBe('o');
  expect([await counted('complete'), await counted('expired')]).toEqual([1, 0]);
});

test('16: a worker with a short lease does not take the work of one with a long lease', async () => {
  await join('short', 6_000);
  const delivery = await active('a', 'long'); // joins with a lease of 30 s
  await idleFor(10_000, 'long', delivery);
  await beat('short', { leaseMs: 6_000 });
  expect((await expectStatus(recover('short', { leaseMs: 6_000 }), 'ok')).deliveries).toEqual([]);
});

test('17: after an outage longer than a lease nothing in flight is taken before its owner could beat', async () => {
  const delivery = await active('a', 'c1');
  await recover('c1');
  await idleFor(60_000, 'c1', delivery);
  const back = now + 60_000;
  await join('just-started');
  const held = { deliveries: [], heldUntilMs: back + 30_000 };
  expect(await recover('just-started', { nowMs: back })).toMatchObject(held);
  for (let at = back; at < back + 5_000; at += 1_000) {
    expect(await recover('just-started', { nowMs: at })).toMatchObject(held);
  }
  expect(await beat('c1', { nowMs: back + 5_000, items: [delivery] })).toMatchObject({ marks: 'o' });
  const rest = { deliveries: [], heldUntilMs: 0 };
  for (let at = back + 6_000; at <= back + 31_000; at += 1_000) {
    expect(await recover('just-started', { nowMs: at })).toMatchObject(rest);
  }
});

test('18: an add that failed half-way can be added again', async () => {
  await send('SET', keys.due, 'in the way');
  await expect(addTask('a', '+1000')).rejects.toThrow('WRONGTYPE');
  await send('DEL', keys.due);
  expect(await addTask('a', '+1000')).toBe('s');
});

test('18: a record that was placed nowhere is put back by the sweep', async () => {
  await elect();
  await send('HSET', keys.tasks, 'a', '[1,"job"]');
  expect(await addTask('a', '+1000')).toBe('d');
  expect(await run(lua.sweep, { cursor: '0', count: 100, bytesMax: 1e6 })).toMatchObject({ swept: 1 });
  expect(await promoted()).toBe(1);
});

test('19: a due member without a record does not wedge the head', async () => {
  await elect();
  for (let at = 0; at < 5; at += 1) await send('ZADD', keys.due, at, `nobody${at}`);
  await addTask('a', '+1');
  expect(await promote({ nowMs: now + 1, limit: 3 })).toMatchObject({ promoted: 0, dropped: 3 });
  expect(await promote({ nowMs: now + 1, limit: 3 })).toMatchObject({ promoted: 1, dropped: 2 });
});

test('21: a record goes through every script with all its bytes', async () => {
  await elect();
  const payload = '{"empty":[],"long":1234567890123456,"exact":0.1234567890123456789,"text":"\\u00e9😀"}';
  const record = `[${now},"job",${payload}]`;
  await addTask('a', '+1', { record: `["job",${payload}]` });
  await promoted({ nowMs: now + 1 });
  await join('c1');
  const [first] = (await expectStatus(fetch('c1', { free: 1 }), 'ok')).deliveries;
  expect(first?.record).toBe(record);
  const delivery = { entry: first?.entry ?? '', count: 1, id: 'a' };
  await settle('c1', [{ ...delivery, verb: 'retry', value: '1', run: '{"a":2}' }]);
  await promoted({ nowMs: now + 1 });
  const [again] = await read('c1');
  await settle('c1', again ? [{ ...again, verb: 'bury', value: 'rejected' }] : []);
  await run(lua.replay, { number: (await letters())[0] ?? '' });
  expect(await recordOf('a')).toBe(record);
  const [last] = await read('c1');
  await idleFor(60_000, 'c1', last ?? delivery);
  await beat('c2');
  expect((await expectStatus(recover('c2'), 'ok')).deliveries[0]?.record).toBe(record);
});
