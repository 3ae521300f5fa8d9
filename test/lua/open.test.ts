import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
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
  type Over,
  promoted,
  read,
  run,
  send,
  useRedis,
} from '../support/partition.js';

useRedis();

const nothing = { deliveries: [], unopened: [], expired: [], stale: 0 };
const oddRecord = '["job",{"list":[],"big":1234567890123456,"long":0.1234567890123456789,"text":"\\u00e9😀"}]';

/** The group's pending entries: stream id, consumer, idle ms, delivery count. */
async function pending(): Promise<[string, string, number, number][]> {
  return (await send('XPENDING', keys.stream, 'workers', '-', '+', 100)) as [string, string, number, number][];
}

/** The ways to a startable delivery: a read, and open after it or sent right behind it; or fetch. They must agree. */
type Taken = Promise<lua.OpenReply | lua.NextReply>;
const ways: { way: string; take: (over?: Over) => Taken }[] = [
  { way: 'open', take: async (over: Over = {}) => open('c1', await read('c1', 10), over) },
  {
    way: 'open behind',
    take: (over: Over = {}) => read('c1', 10).then(() => open('c1', [], { after: '0-0', ...over })),
  },
  { way: 'fetch', take: (over: Over = {}) => fetch('c1', over) },
];

describe.each(ways)('$way', ({ take }) => {
  test('gives record, due and run as they were written', async () => {
    await join('c1');
    await addTask('first', '+0', { record: oddRecord });
    await addTask('again', '+0');
    await send('HSET', keys.runs, 'again', '{"a":2,"e":[]}');
    const reply = await expectStatus<lua.OpenReply | lua.NextReply, 'ok'>(take(), 'ok');
    const [first, again] = reply.deliveries;
    expect(first).toEqual({
      entry: first?.entry,
      id: 'first',
      dueMs: now,
      record: `[${now},${oddRecord.slice(1)}`,
      run: null,
    });
    expect(again).toMatchObject({ id: 'again', run: '{"a":2,"e":[]}' });
    expect(reply).toMatchObject({ nowMs: now, unopened: [], expired: [], stale: 0 });
    expect((await pending()).map(([entry, owner, , count]) => [entry, owner, count])).toEqual([
      [first?.entry, 'c1', 1],
      [again?.entry, 'c1', 1],
    ]);
  });

  test('ends an entry that is not the one of its id that counts', async () => {
    await join('c1');
    await addTask('a');
    const foreign = await send('XADD', keys.stream, '*', 'id', 'a', 'due', now);
    const reply = await expectStatus<lua.OpenReply | lua.NextReply, 'ok'>(take(), 'ok');
    expect(reply.deliveries.map(({ id }) => id)).toEqual(['a']);
    expect(reply.deliveries[0]?.entry).not.toBe(foreign);
    expect(reply.stale).toBe(1);
    expect(await counted('stale')).toBe(1);
    expect(await send('XLEN', keys.stream)).toBe(1);
    expect((await pending()).length).toBe(1);
  });

  test('ends an entry without a record, with all that its task left behind', async () => {
    await join('c1');
    await addTask('a', '+0', { expires: '+9' });
    await send('HSET', keys.runs, 'a', '{}');
    await send('HDEL', keys.tasks, 'a');
    expect(await take()).toMatchObject({ ...nothing, stale: 1 });
    expect(await send('EXISTS', keys.live, keys.runs, keys.expiry)).toBe(0);
    expect(await send('XLEN', keys.stream)).toBe(0);
    expect(await pending()).toEqual([]);
  });

  test('ends a task that expired while it waited', async () => {
    await join('c1');
    await addTask('a', '+0', { expires: '+9', record: '["mail"]' });
    await addTask('b', '+0', { expires: '+10' });
    await send('HSET', keys.runs, 'a', '{}');
    const [[entry]] = (await send('XRANGE', keys.stream, '-', '+')) as [[string, unknown]];
    const reply = await expectStatus<lua.OpenReply | lua.NextReply, 'ok'>(take({ nowMs: now + 9 }), 'ok');
    expect(reply.deliveries.map(({ id }) => id)).toEqual(['b']);
    expect(reply.expired).toEqual([{ id: 'a', name: 'mail' }]);
    const [[number, fields]] = (await send('XRANGE', keys.ended, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['id', 'a', 'state', 'expired', 'name', 'mail', 'at', String(now + 9), 'entry', entry]);
    expect(await send('HGET', keys.past, 'a')).toBe(`expired:${number}:${entry}`);
    expect(await counted('expired')).toBe(1);
    expect(await send('HKEYS', keys.tasks)).toEqual(['b']);
    expect(await send('HKEYS', keys.live)).toEqual(['b']);
    expect(await send('ZRANGE', keys.expiry, 0, -1)).toEqual(['b']);
    expect(await send('EXISTS', keys.runs)).toBe(0);
    expect(await send('XLEN', keys.stream)).toBe(1);
    expect((await pending()).length).toBe(1);
  });

  test('a foreign entry of another shape is ended', async () => {
    await join('c1');
    await send('XADD', keys.stream, '*', 'what', 'ever');
    await addTask('a');
    const reply = await expectStatus<lua.OpenReply | lua.NextReply, 'ok'>(take(), 'ok');
    expect(reply.deliveries.map(({ id }) => id)).toEqual(['a']);
    expect(reply.stale).toBe(1);
  });
});

test('behind a read it opens what was read beyond an entry, delivered once', async () => {
  await join('c1');
  await join('c2');
  for (const id of ['before', 'lost', 'of-another', 'new']) await addTask(id);
  const [before, lost] = await read('c1', 2);
  await read('c2');
  const [fresh] = await read('c1');
  await send('XCLAIM', keys.stream, 'workers', 'c1', 0, lost?.entry ?? '', 'RETRYCOUNT', 2);
  const reply = await expectStatus(open('c1', [], { after: before?.entry ?? '' }), 'ok');
  expect(reply.deliveries.map(({ entry, id, dueMs }) => [entry, id, dueMs])).toEqual([[fresh?.entry, 'new', now]]);
  expect(await open('c1', [], { after: fresh?.entry ?? '' })).toMatchObject(nothing);
});

test('behind a read that brought nothing, of a group that is not there, it opens nothing', async () => {
  await join('c1');
  await send('XGROUP', 'DESTROY', keys.stream, 'workers');
  expect(await open('c1', [], { after: '0-0' })).toMatchObject({ status: 'ok', ...nothing, putBack: 0 });
});

test('the bytes of what is only read to be ended count too', async () => {
  await join('c1');
  const record = `["job","${'x'.repeat(100)}"]`;
  for (const id of ['a', 'b', 'c']) await addTask(id, '+0', { expires: '+1', record });
  const fetched = await expectStatus(fetch('c1', { bytesMax: 150, nowMs: now + 5 }), 'ok');
  expect([fetched.expired.length, fetched.unopened.length]).toEqual([2, 1]);
  for (const id of ['d', 'e']) await addTask(id, '+0', { expires: '+1', record });
  const items = [...fetched.unopened, ...(await read('c1', 2)).map(({ entry, id }) => ({ entry, id, dueMs: now }))];
  const opened = await expectStatus(
    run(lua.open, { consumer: 'c1', bytesMax: 150, after: '', items, nowMs: now + 5 }),
    'ok',
  );
  expect([opened.expired.length, opened.unopened.length]).toEqual([2, 1]);
});

describe('open', () => {
  test('an entry of another consumer is not opened', async () => {
    const delivery = await active('a', 'c1');
    await join('c2');
    const before = await dump();
    expect(await open('c2', [delivery])).toMatchObject(nothing);
    expect(await dump()).toEqual(before);
  });

  test('a delivery that was recovered in between is not opened by the first owner', async () => {
    const delivery = await active('a', 'c1');
    await send('XCLAIM', keys.stream, 'workers', 'c2', 0, delivery.entry);
    expect(await open('c1', [delivery])).toMatchObject(nothing);
  });

  test('a second delivery is not opened as if it were the first', async () => {
    const delivery = await active('a', 'c1');
    await send('XCLAIM', keys.stream, 'workers', 'c1', 0, delivery.entry);
    expect(await open('c1', [delivery])).toMatchObject(nothing);
  });

  test('without a group nothing is opened', async () => {
    const delivery = await active('a', 'c1');
    await send('XGROUP', 'DESTROY', keys.stream, 'workers');
    expect(await open('c1', [delivery])).toMatchObject(nothing);
  });

  test('the lease runs from here: the idle time starts again, the count stays', async () => {
    const delivery = await active('a', 'c1');
    await idleFor(60_000, 'c1', delivery);
    await open('c1', [delivery]);
    const [[, , idleMs, count]] = (await pending()) as [[string, string, number, number]];
    expect(idleMs).toBeLessThan(30_000);
    expect(count).toBe(1);
  });

  test('in a paused queue the entry goes back to the schedule, unstarted', async () => {
    await elect();
    const delivery = await active('a', 'c1', { expires: '+9' });
    await expectStatus(run(lua.pause, { paused: 1 }), 'ok');
    expect(await open('c1', [delivery], { nowMs: now + 3 })).toMatchObject({ ...nothing, putBack: 1 });
    expect(await send('ZSCORE', keys.due, 'a')).toBe(String(now));
    expect(await send('XLEN', keys.stream)).toBe(0);
    expect(await pending()).toEqual([]);
    expect(await send('EXISTS', keys.live)).toBe(0);
    await expectStatus(run(lua.pause, { paused: 0 }), 'ok');
    expect(await promoted({ nowMs: now + 4 })).toBe(1);
  });

  test('records beyond the bytes allowed are left to the next open', async () => {
    await join('c1');
    for (const id of ['a', 'b', 'c']) await addTask(id, '+0', { record: `["job","${'x'.repeat(100)}"]` });
    const read3 = await read('c1', 3);
    const items = read3.map(({ entry, id }) => ({ entry, id, dueMs: now }));
    const reply = await expectStatus(run(lua.open, { consumer: 'c1', bytesMax: 150, after: '', items }), 'ok');
    expect(reply.deliveries.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(reply.unopened).toEqual([{ entry: read3[2]?.entry, id: 'c', dueMs: now }]);
    const rest = await expectStatus(
      run(lua.open, { consumer: 'c1', bytesMax: 150, after: '', items: reply.unopened }),
      'ok',
    );
    expect(rest.deliveries.map(({ id }) => id)).toEqual(['c']);
  });
});

describe('fetch', () => {
  test('takes no more than the free slots', async () => {
    await join('c1');
    for (const id of ['a', 'b', 'c']) await addTask(id);
    expect((await expectStatus(fetch('c1', { free: 2 }), 'ok')).deliveries.length).toBe(2);
    expect((await expectStatus(fetch('c1', { free: 2 }), 'ok')).deliveries.length).toBe(1);
    expect(await fetch('c1', { free: 2 })).toMatchObject(nothing);
  });

  test('what it left unopened is opened later', async () => {
    await join('c1');
    for (const id of ['a', 'b']) await addTask(id);
    const reply = await expectStatus(fetch('c1', { bytesMax: 1 }), 'ok');
    expect(reply.unopened).toEqual([{ entry: reply.unopened[0]?.entry, id: 'b', dueMs: now }]);
    const rest = await expectStatus(
      run(lua.open, { consumer: 'c1', bytesMax: 1, after: '', items: reply.unopened }),
      'ok',
    );
    expect(rest.deliveries.map(({ id }) => id)).toEqual(['b']);
  });

  test('reads nothing in a paused queue', async () => {
    await join('c1');
    await addTask('a');
    await expectStatus(run(lua.pause, { paused: 1 }), 'ok');
    const before = await dump();
    expect(await fetch('c1')).toEqual({ status: 'paused', marks: '' });
    expect(await dump()).toEqual(before);
  });

  test('says so when there is no group', async () => {
    expect(await fetch('c1')).toEqual({ status: 'no_group', marks: '' });
    await addTask('a');
    expect(await fetch('c1')).toEqual({ status: 'no_group', marks: '' });
  });
});

describe('a name that joined a group which is no more', () => {
  /** Consumer c1 joined group 1; now there is group 2, which delivers all that is left again. */
  async function madeAnew(): Promise<void> {
    await join('c1');
    await addTask('a');
    await expectStatus(fetch('c1', { group: '1' }), 'ok');
    await send('XGROUP', 'DESTROY', keys.stream, 'workers');
    await join('c2');
    expect(await send('HGET', keys.meta, 'group')).toBe('2');
  }

  test('reads nothing, and is told', async () => {
    await madeAnew();
    expect(await fetch('c1', { group: '1' })).toEqual({ status: 'no_group', marks: '' });
    expect(await pending()).toEqual([]);
    const { deliveries } = await expectStatus(fetch('c2', { group: '2' }), 'ok');
    expect(deliveries).toMatchObject([{ id: 'a' }]);
  });

  test('starts nothing of what a blocked read of its has brought: it goes back to the schedule', async () => {
    await madeAnew();
    const reply = await expectStatus(open('c1', await read('c1'), { group: '1' }), 'ok');
    expect(reply).toMatchObject({ deliveries: [], putBack: 1 });
    expect(await pending()).toEqual([]);
    expect(await send('ZSCORE', keys.due, 'a')).toBe(String(now));
  });
});
