import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  addTask,
  counted,
  dump,
  elect,
  expectStatus,
  fetch,
  join,
  keys,
  now,
  type Over,
  promote,
  promoted,
  run,
  send,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

const before = '1/1';
const after = '1/2<1';
const done = '1/2';
const grown = { layout: after };

const grow = (layout = after, from = before, more: { waits?: string } & Over = {}): Promise<lua.GrowReply> =>
  run(lua.grow, { layout, from, waits: '', ...more });
const pause = (paused: number, over: Over = {}): Promise<lua.PauseReply> => run(lua.pause, { paused, ...over });
const handedOut = async (): Promise<number> => (await expectStatus(run(lua.handedOut, grown), 'ok')).done;
const metaOf = (...fields: string[]): Promise<unknown> => send('HMGET', keys.meta, ...fields);

describe('grow', () => {
  test('a partition that has the former layout gets the new one, and when that was', async () => {
    await addTask('a');
    expect(await grow()).toEqual({ status: 'ok', paused: 0 });
    expect(await metaOf('layout', 'split_ms', 'waits', 'paused')).toEqual([after, String(now), null, null]);
  });

  test('again changes nothing', async () => {
    await addTask('a');
    await grow();
    const first = await dump();
    expect(await grow(after, before, { nowMs: now + 5 })).toEqual({ status: 'ok', paused: 0 });
    expect(await dump()).toEqual(first);
  });

  test.each([
    ['another layout', '1/3'],
    ['a later one', '1/4<2<1'],
    ['none', ''],
  ])('of a partition that has %s changes nothing, and says what it has', async (_what, layout) => {
    if (layout !== '') await send('HSET', keys.meta, 'layout', layout);
    const first = await dump();
    expect(await grow()).toEqual({ status: 'other_layout', layout });
    expect(await dump()).toEqual(first);
  });

  test.each(['0', '1'])(
    'a new partition hands out nothing, and will be what its queue is: paused %s',
    async (waits) => {
      expect(await grow(after, '', { waits })).toEqual({ status: 'ok', paused: 0 });
      expect(await metaOf('layout', 'paused', 'waits', 'split_ms')).toEqual([after, '1', waits, null]);
    },
  );

  test('one that was there and lost its meta waits for nobody', async () => {
    await grow(after, '');
    expect(await metaOf('layout', 'paused', 'waits')).toEqual([after, null, null]);
  });

  test('the end of it leaves only the layout', async () => {
    await addTask('a');
    await grow();
    await grow(done, after);
    expect(await send('HGETALL', keys.meta)).toEqual(['layout', done]);
  });

  test.each(['0', '1'])('the end of it releases one that still waits: paused %s', async (waits) => {
    await grow(after, '', { waits });
    await grow(done, after);
    expect(await metaOf('layout', 'paused', 'waits')).toEqual([done, waits, null]);
  });

  test('tells whether the partition is paused', async () => {
    await pause(1);
    expect(await grow()).toEqual({ status: 'ok', paused: 1 });
  });
});

describe('the former layout', () => {
  test('adds nothing any more', async () => {
    await addTask('a');
    await grow();
    const first = await dump();
    const items = [{ id: 'b', when: '+0', expires: '', record: '["job"]' }];
    expect(await run(lua.add, { items })).toEqual({ status: 'other_layout', layout: after });
    expect(await dump()).toEqual(first);
  });

  test('an add of before, repeated, gets its first answer: it was added, and must not be added elsewhere', async () => {
    const items = [{ id: 'a', when: '+0', expires: '', record: '["job"]' }];
    const call = { items, lane: 'lane', call: 1 };
    const first = await run(lua.add, call);
    await grow();
    expect(await run(lua.add, call)).toEqual(first);
    expect(await run(lua.add, { ...call, call: 2 })).toEqual({ status: 'other_layout', layout: after });
  });

  test('a replay of before, repeated, gets its first answer: its letter is gone, and must not be said to be unknown', async () => {
    await addTask('other');
    const fields = ['id', 'a', 'reason', 'rejected', 'run', '', 'at', String(now), 'record', '["job"]'];
    const number = (await send('XADD', keys.dead, '*', ...fields)) as string;
    const call = { number, lane: 'lane', call: 1 };
    expect(await run(lua.replay, call)).toEqual({ status: 'ok', id: 'a' });
    await grow();
    expect(await run(lua.replay, call)).toEqual({ status: 'ok', id: 'a' });
    expect(await run(lua.replay, { ...call, call: 2 })).toEqual({ status: 'other_layout', layout: after });
  });
});

describe('a partition that nobody has brought up yet', () => {
  const items = [{ id: 'a', when: '+0', expires: '', record: '["job"]' }];
  const calls: Record<string, () => Promise<{ status: string }>> = {
    add: () => run(lua.add, { items, ...grown }),
    join: () => run(lua.join, { consumer: 'c', worker: 'w', leaseMs: 1_000, ...grown }),
    claim: () => run(lua.claim, { leader: 'me', ttlMs: 1_000, ...grown }),
    pause: () => pause(1, grown),
    has: () => run(lua.has, { items: [{ id: 'a' }], ...grown }),
    scan: () => run(lua.scan, { cursor: '0', count: 10, bytesMax: 1e6, ...grown }),
    'handed-out': () => run(lua.handedOut, grown),
    release: () => run(lua.release, grown),
  };
  test.each(Object.keys(calls))('is not used by %s, for it would not wait then', async (name) => {
    expect(await calls[name]?.()).toEqual({ status: 'other_layout', layout: '' });
    expect(await dump()).toEqual({});
  });
});

describe('a partition that waits', () => {
  async function waiting(waits = '0'): Promise<void> {
    await grow(after, '', { waits });
    await elect();
    await join_();
  }
  const join_ = () => run(lua.join, { consumer: 'c1', worker: 'w', leaseMs: 30_000, ...grown });

  test('takes tasks in and hands none out until it is released', async () => {
    await waiting();
    expect(await addTask('a', '+0', grown)).toBe('s');
    expect(await promote(grown)).toMatchObject({ status: 'paused' });
    expect(await fetch('c1', grown)).toMatchObject({ status: 'paused' });
    expect(await run(lua.release, grown)).toEqual({ status: 'ok', released: 1 });
    expect(await promoted(grown)).toBe(1);
    expect(await run(lua.release, grown)).toEqual({ status: 'ok', released: 0 });
  });

  test('a resume does not release it, and a pause meanwhile holds afterwards', async () => {
    await waiting();
    expect(await pause(0, grown)).toEqual({ status: 'ok', was: 0 });
    expect(await promote(grown)).toMatchObject({ status: 'paused' });
    expect(await pause(1, grown)).toEqual({ status: 'ok', was: 0 });
    await run(lua.release, grown);
    expect(await metaOf('paused', 'waits')).toEqual(['1', null]);
    expect(await pause(0, grown)).toEqual({ status: 'ok', was: 1 });
    expect(await metaOf('paused')).toEqual(['0']);
  });

  test('says so, and is paused only when its queue is', async () => {
    await waiting();
    expect(await run(lua.stats, grown)).toMatchObject({ waits: 1, paused: 0 });
    await pause(1, grown);
    expect(await run(lua.stats, grown)).toMatchObject({ waits: 1, paused: 1 });
  });

  test('has handed out nothing that others could wait for', async () => {
    await waiting();
    expect(await handedOut()).toBe(0);
    await run(lua.release, grown);
    expect(await handedOut()).toBe(1);
  });
});

describe('handed out', () => {
  const next = (free: number) => fetch('c1', { free, ...grown });

  test('is a partition in which nothing was due', async () => {
    await addTask('later', '+5000');
    await grow();
    expect(await handedOut()).toBe(1);
    expect(await metaOf('split_ms', 'split_mark')).toEqual([null, null]);
  });

  test('only when all that was ready has been read; what came later is not waited for', async () => {
    await join('c1');
    for (const id of ['a', 'b']) await addTask(id);
    await grow();
    expect(await handedOut()).toBe(0);
    await addTask('later', '+0', grown);
    await next(1);
    expect(await handedOut()).toBe(0);
    await next(1);
    expect(await handedOut()).toBe(1);
    expect(await run(lua.stats, grown)).toMatchObject({ ready: 1, active: 2 });
  });

  test('only when what was due and not promoted yet has been promoted, and read', async () => {
    await elect();
    await join('c1');
    await addTask('due', '+10');
    await grow(after, before, { nowMs: now + 20 });
    await addTask('between', '+0', grown);
    await next(1);
    expect(await handedOut()).toBe(0);
    await promoted({ nowMs: now + 20, ...grown });
    expect(await handedOut()).toBe(0);
    await next(1);
    expect(await handedOut()).toBe(1);
  });

  test('what was cancelled meanwhile is not waited for', async () => {
    await join('c1');
    await addTask('a');
    await grow();
    expect(await handedOut()).toBe(0);
    await cancelTask('a', grown);
    expect(await handedOut()).toBe(1);
  });

  test('without a group, nothing that is ready was read', async () => {
    await addTask('a');
    await grow();
    expect(await handedOut()).toBe(0);
  });

  test('once done it stays done', async () => {
    await addTask('later', '+5000');
    await grow();
    expect(await handedOut()).toBe(1);
    await addTask('a', '+0', grown);
    expect(await handedOut()).toBe(1);
  });
});

test('has: which ids live here', async () => {
  for (const id of ['a', 'b']) await addTask(id);
  await cancelTask('b');
  await grow();
  const items = ['a', 'b', 'c'].map((id) => ({ id }));
  expect(await run(lua.has, { items, ...grown })).toEqual({ status: 'ok', marks: 'ynn' });
  expect(await counted('added')).toBe(2);
});

/** A record, and what scan says of it: its key, nothing, or all of it. */
const scanned: readonly [record: string, told: string][] = [
  ['["job",{"k":"no","b":{"k":"no"}},{"k":"red"}]', '"red"'],
  ['["job",null,{"k":"blue","t":5}]', '"blue"'],
  ['["job",[[1],{"k":"no"}],{"b":["fixed",1,1],"k":"red"}]', '"red"'],
  ['["job","text, too",{"m":1,"k":"größe","t":5}]', '"größe"'],
  ['["job",-1.5e3,{"k":"red"}]', '"red"'],
  [String.raw`["job",null,{"k":"a\"b"}]`, 'record'],
  [String.raw`["j\"ob",null,{"k":"red"}]`, 'record'],
  ['["job", null, {"k":"red"}]', 'record'],
  ['["job",{"text":"}"},{"k":"red"}]', '"red"'],
  ['["job",{"a":"},{","k":"no"}]', 'record'],
  ['["job",{"a":"}},{","k":"no"},{"k":"red"}]', '"red"'],
  ['["job",["],{","k"]]', 'record'],
  ['["job",null,{"k":"a\nb"}]', 'record'],
  ['["job",null,{"k":"red"},{"k":"no"}]', 'record'],
  ['["job",{"a":1,"k":"no"}]', 'record'],
  ['["job",[1,{"a":1,"k":"no"}]]', 'record'],
  ['["job",1,null,{"k":"no"}]', 'record'],
  [String.raw`["job","\"k\":\"no\"}"]`, ''],
  ['["job",null,{"m":1}]', ''],
];

test('scan: a record made to be searched for long is not', async () => {
  await addTask('a', '+0', { record: `["job",null,{${'"k":"",'.repeat(20_000)}"m":1} ]` });
  await send('SLOWLOG', 'RESET');
  await send('CONFIG', 'SET', 'slowlog-log-slower-than', 2_000_000); // a hundred times what it takes, and a seventh of what it took
  await expectStatus(run(lua.scan, { cursor: '0', count: 1, bytesMax: 1 }), 'ok');
  expect(await send('SLOWLOG', 'GET')).toEqual([]);
});

test('scan: every id once in a pass, with its key, or the record of one that may have it elsewhere', async () => {
  for (let at = 0; at < 300; at += 1) await addTask(`t${at}`);
  for (const [at, [record]] of scanned.entries()) await addTask(`s${at}`, '+0', { record });
  await grow();
  const found = new Map<string, string>();
  const servers = new Set<string>();
  let cursor = '0';
  do {
    const page = await expectStatus(run(lua.scan, { cursor, count: 50, bytesMax: 1e6, ...grown }), 'ok');
    for (const { id, key, record } of page.tasks) {
      expect(found.has(id)).toBe(false);
      found.set(id, key + record);
    }
    servers.add(page.server);
    cursor = page.cursor;
  } while (cursor !== '0');
  expect(found.size).toBe(300 + scanned.length);
  expect([...servers]).toEqual([expect.stringMatching(/^[0-9a-f]{40}$/)]);
  expect(found.get('t0')).toBe('');
  scanned.forEach(([record, told], at) => {
    expect(found.get(`s${at}`)).toBe(told === 'record' ? `[${now},${record.slice(1)}` : told);
  });
});

test('scan: a page ends soon after so many bytes', async () => {
  const big = JSON.stringify(['job', 'x'.repeat(10_000)]);
  for (let at = 0; at < 200; at += 1) await addTask(`t${at}`, '+0', { record: big });
  await grow();
  const page = await expectStatus(run(lua.scan, { cursor: '0', count: 100, bytesMax: 50_000, ...grown }), 'ok');
  expect(page.tasks.length).toBeLessThan(15);
  expect(page.cursor).not.toBe('0');
});
