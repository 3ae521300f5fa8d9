import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  counted,
  type Delivery,
  dump,
  elect,
  idleFor,
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

/** Everything that can keep a trace of a task in progress. */
async function traces(): Promise<number> {
  const pending = (await send('XPENDING', keys.stream, 'workers')) as [number];
  const left = (await send('EXISTS', keys.tasks, keys.live, keys.runs, keys.expiry, keys.due)) as number;
  return left + pending[0] + Number(await send('XLEN', keys.stream));
}

describe('complete', () => {
  test('leaves nothing behind but a count', async () => {
    const delivery = await active('a', 'c1', { expires: '+60000' });
    await send('HSET', keys.runs, 'a', '{}');
    expect(await settle('c1', [delivery])).toBe('o');
    expect(await traces()).toBe(0);
    expect(await counted('complete')).toBe(1);
    expect(await send('EXISTS', keys.past, keys.dead)).toBe(0);
  });

  test('of a task that expired while it ran counts as complete', async () => {
    const delivery = await active('a', 'c1', { expires: '+1' });
    expect(await settle('c1', [delivery], { nowMs: now + 100 })).toBe('o');
    expect(await counted('expired')).toBe(0);
    expect(await traces()).toBe(0);
  });
});

describe('retry', () => {
  test('puts the task back to the schedule with its failures', async () => {
    await elect();
    const delivery = await active('a', 'c1', { expires: '+60000', record: '["job",1234567890123456]' });
    const run1 = '{"a":2,"e":[[1,5,"no"]]}';
    expect(await settle('c1', [{ ...delivery, verb: 'retry', value: '1500', run: run1 }])).toBe('o');
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['a', String(now + 1500)]);
    expect(await send('HGET', keys.runs, 'a')).toBe(run1);
    expect(await send('EXISTS', keys.live)).toBe(0);
    expect(await send('XLEN', keys.stream)).toBe(0);
    expect(await recordOf('a')).toBe(`[${now},"job",1234567890123456]`);
    expect(await send('ZCARD', keys.expiry)).toBe(1);
    expect(await counted('retry')).toBe(1);
    expect(await promoted({ nowMs: now + 1499 })).toBe(0);
    expect(await promoted({ nowMs: now + 1500 })).toBe(1);
  });

  test("waits for the whole of its delay by the server's exact time", async () => {
    for (let round = 0; round < 20; round += 1) {
      const delivery = await active('a');
      const [seconds, micros] = (await send('TIME')) as [string, string];
      await settle('c1', [{ ...delivery, verb: 'retry', value: '1000', run: '{}' }], { nowMs: 0 });
      const exactMs = Number(seconds) * 1000 + Number(micros) / 1000;
      expect(Number(await send('ZSCORE', keys.due, 'a'))).toBeGreaterThanOrEqual(exactMs + 1000);
      await cancelTask('a');
    }
  });
});

test('bury writes a letter with the whole record, and frees the id', async () => {
  const record = '["job",{"list":[],"big":1234567890123456}]';
  const delivery = await active('a', 'c1', { expires: '+60000', record });
  await send('HSET', keys.runs, 'a', '{"a":2}');
  expect(
    await settle('c1', [{ ...delivery, verb: 'bury', value: 'max_attempts', run: '{"a":3}' }], { nowMs: now + 8 }),
  ).toBe('o');
  expect(await traces()).toBe(0);
  const [[number, fields]] = (await send('XRANGE', keys.dead, '-', '+')) as [[string, string[]]];
  const kept = `[${now},${record.slice(1)}`;
  expect(fields).toEqual([
    'id',
    'a',
    'reason',
    'max_attempts',
    'run',
    '{"a":3}',
    'at',
    String(now + 8),
    'record',
    kept,
  ]);
  expect(await send('HGET', keys.past, 'a')).toBe(`dead:${number}:${delivery.entry}`);
  expect(await counted('bury')).toBe(1);
  expect(await addTask('a')).toBe('r');
});

describe('refused, and nothing changes', () => {
  test.each([
    { why: 'another consumer', consumer: 'c2', change: {} },
    { why: 'another delivery count', consumer: 'c1', change: { count: 2 } },
    { why: 'another task', consumer: 'c1', change: { id: 'b' } },
    { why: 'an entry that is not there', consumer: 'c1', change: { entry: '1-1' } },
  ])('$why', async ({ consumer, change }) => {
    const delivery = await active('a');
    await addTask('b');
    await read('c2');
    for (const verb of ['complete', 'retry', 'bury'] as const) {
      const before = await dump();
      expect(await settle(consumer, [{ ...delivery, ...change, verb, value: '1', run: '{}' }])).toBe('l');
      expect(await dump()).toEqual(before);
    }
  });

  test('what another consumer recovered', async () => {
    const delivery = await active('a');
    await send('XCLAIM', keys.stream, 'workers', 'c2', 0, delivery.entry);
    const before = await dump();
    expect(await settle('c1', [delivery])).toBe('l');
    expect(await dump()).toEqual(before);
    expect(await settle('c2', [{ ...delivery, count: 2 }])).toBe('o');
  });

  test('without a group', async () => {
    const delivery = await active('a');
    await send('XGROUP', 'DESTROY', keys.stream, 'workers');
    const before = await dump();
    expect(await settle('c1', [delivery])).toBe('l');
    expect(await dump()).toEqual(before);
  });

  test('a cancelled task is told apart from a lost one', async () => {
    const delivery = await active('a');
    await cancelTask('a');
    const before = await dump();
    expect(await settle('c1', [delivery])).toBe('c');
    expect(await dump()).toEqual(before);
    expect(await settle('c1', [{ ...delivery, entry: '1-1' }])).toBe('l');
  });
});

test('a held entry that is not the one of its id that counts is ended as stale', async () => {
  const delivery = await active('a');
  await send('HSET', keys.live, 'a', '9-9');
  expect(await settle('c1', [delivery])).toBe('l');
  expect(await counted('stale')).toBe(1);
  expect(await counted('complete')).toBe(0);
  expect(await send('XLEN', keys.stream)).toBe(0);
  expect(await send('HEXISTS', keys.tasks, 'a')).toBe(1);
});

test('a batch is answered item by item, and an entry settled twice in it is settled once', async () => {
  const held: Delivery[] = [];
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) held.push(await active(id));
  const [a, b, c, d, e, f] = held as [Delivery, Delivery, Delivery, Delivery, Delivery, Delivery];
  const other = await active('other', 'c2');
  expect(await settle('c1', [a, other, b, a])).toBe('olol');
  for (const [verb, one, two] of [
    ['retry', c, d],
    ['bury', e, f],
  ] as const) {
    const items = [one, other, two, one, a].map((each) => ({ ...each, verb, value: '5', run: '{}' }));
    expect(await settle('c1', items)).toBe('olol'.concat('l'));
    expect(await counted(verb)).toBe(2);
  }
  expect([await counted('complete'), await counted('stale')]).toEqual([2, 0]);
  expect([await send('XLEN', keys.dead), await send('ZCARD', keys.due)]).toEqual([2, 2]);
  expect(await send('XLEN', keys.stream)).toBe(1);
});

describe('completing deletes entries', () => {
  const entries = async (): Promise<string[]> =>
    ((await send('XRANGE', keys.stream, '-', '+')) as [string, [string, string]][]).map(([, [, id]]) => id);

  test('of its own, and no other: neither what is unread nor what is held', async () => {
    const held: Delivery[] = [];
    for (const id of ['a', 'b', 'c', 'd']) held.push(await active(id));
    const other = await active('other', 'c2');
    await addTask('unread');
    const [a, b, c, d] = held as [Delivery, Delivery, Delivery, Delivery];
    expect(await settle('c1', [b, d])).toBe('oo'); // not the head of the stream
    expect(await entries()).toEqual(['a', 'c', 'other', 'unread']);
    expect(await settle('c1', [a])).toBe('o'); // just the head
    expect(await entries()).toEqual(['c', 'other', 'unread']);
    expect(await settle('c2', [other])).toBe('o');
    expect(await settle('c1', [c])).toBe('o'); // and with nothing else pending
    expect(await entries()).toEqual(['unread']);
  });

  test('a hundred at once, out of order, leave what came between them', async () => {
    const held: Delivery[] = [];
    for (let at = 0; at < 100; at += 1) held.push(await active(`t${at}`, at === 50 ? 'c2' : 'c1'));
    const mine = held.filter(({ id }) => id !== 't50').toReversed();
    expect(await settle('c1', mine)).toBe('o'.repeat(99));
    expect(await entries()).toEqual(['t50']);
    expect(await send('HKEYS', keys.tasks)).toEqual(['t50']);
  });

  /** Read in one go by c1. */
  async function inRow(...ids: string[]): Promise<Delivery[]> {
    for (const id of ids) await addTask(id);
    return read('c1', ids.length);
  }

  test('in a row at the head of the stream, at once, and no others', async () => {
    await join('c1');
    const held = await inRow('a', 'b', 'c', 'd');
    const next = await inRow('e', 'f');
    await send('CONFIG', 'RESETSTAT');
    expect(await settle('c1', held.slice(0, 3), { inRow: 1 })).toBe('ooo');
    expect(await entries()).toEqual(['d', 'e', 'f']);
    expect(await send('INFO', 'commandstats')).not.toContain('cmdstat_xdel');
    expect(await settle('c1', next, { inRow: 1 })).toBe('oo'); // not the head
    expect(await entries()).toEqual(['d']);
    expect(((await send('XPENDING', keys.stream, 'workers')) as [number])[0]).toBe(1);
  });

  test('in a row, of which one is no longer its own, or was deleted by hand, leave all others', async () => {
    await join('c1');
    const [a, b, c, d, e] = (await inRow('a', 'b', 'c', 'd', 'e')) as [
      Delivery,
      Delivery,
      Delivery,
      Delivery,
      Delivery,
    ];
    await addTask('unread');
    await send('XCLAIM', keys.stream, 'workers', 'c2', 0, b.entry);
    expect(await settle('c1', [a, b, c], { inRow: 1 })).toBe('olo');
    expect(await entries()).toEqual(['b', 'd', 'e', 'unread']);
    await settle('c2', [{ ...b, count: 2 }]);
    await send('XDEL', keys.stream, e.entry);
    expect(await settle('c1', [d, e], { inRow: 1 })).toBe('oo');
    expect(await entries()).toEqual(['unread']);
  });

  test.each(['9007199254740993', '18446744073709551613'])('in a row, of numbers from %s on, too', async (from) => {
    await join('c1');
    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      const entry = `1900000000000-${BigInt(from) + BigInt(at)}`;
      await send('XADD', keys.stream, entry, 'id', id, 'due', 1);
      await send('HSET', keys.live, id, entry);
      await send('HSET', keys.tasks, id, '[1,"job"]');
    }
    expect(await settle('c1', await read('c1', 2), { inRow: 1 })).toBe('oo');
    expect(await entries()).toEqual(['c']);
  });

  test('and one that was claimed with a count of 0 by hand stays with its task', async () => {
    const [a, b] = [await active('a'), await active('b')];
    await send('XCLAIM', keys.stream, 'workers', 'c1', 0, a.entry, 'RETRYCOUNT', 0, 'JUSTID');
    expect(await settle('c1', [a, b])).toBe('lo');
    expect(await entries()).toEqual(['a']);
  });

  test('and what an operator has orphaned before or between them is swept back', async () => {
    await elect();
    await active('first', 'c9');
    const a = await active('a');
    await active('second', 'c9');
    await send('XGROUP', 'DELCONSUMER', keys.stream, 'workers', 'c9');
    const [b, c] = [await active('b'), await active('c')];
    expect(await settle('c1', [b])).toBe('o');
    expect(await entries()).toEqual(['first', 'a', 'second', 'c']);
    expect(await settle('c1', [a, c])).toBe('oo');
    expect(await entries()).toEqual(['first', 'second']);
    await run(lua.sweep, { cursor: '0', count: 100, bytesMax: 1e6 });
    expect(await send('ZRANGE', keys.due, 0, -1)).toEqual(['first', 'second']);
  });

  test('and what an operator made the group pass over can still be read when that is undone', async () => {
    const a = await active('a');
    for (const id of ['b', 'c', 'd']) await addTask(id);
    await send('XGROUP', 'SETID', keys.stream, 'workers', '$');
    const [e] = [await active('e'), await active('f')];
    expect(await settle('c1', [a, e])).toBe('oo');
    expect(await entries()).toEqual(['b', 'c', 'd', 'f']);
    await send('XGROUP', 'SETID', keys.stream, 'workers', '0');
    expect((await read('c1', 3)).map(({ id }) => id)).toEqual(['b', 'c', 'd']);
  });
});

test('an entry that another call of the same consumer left silent is still its own until it is recovered', async () => {
  const delivery = await active('a');
  await idleFor(120_000, 'c1', delivery);
  expect(await settle('c1', [delivery])).toBe('o');
});

test('a consumer that holds far more than it settles is answered the same', async () => {
  const held: Delivery[] = [];
  for (let at = 0; at < 40; at += 1) held.push(await active(`t${at}`));
  const [other, lost, last] = held.slice(-3) as [Delivery, Delivery, Delivery];
  await send('XCLAIM', keys.stream, 'workers', 'c2', 0, lost.entry);
  expect(await settle('c1', [last, lost, last])).toBe('oll');
  expect(await settle('c1', [{ ...other, count: 2 }])).toBe('l');
  expect(await counted('complete')).toBe(1);
  expect(await counted('stale')).toBe(0);
  expect(await send('HLEN', keys.tasks)).toBe(39);
});

test('without a lane each call counts for itself', async () => {
  const [a, b] = [await active('a'), await active('b')];
  expect(await settle('c1', [a])).toBe('o');
  expect(await settle('c1', [b])).toBe('o');
});
