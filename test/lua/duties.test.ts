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
  promote,
  promoted,
  run,
  send,
  useRedis,
} from '../support/partition.js';

useRedis();

describe('lead', () => {
  const lead = (term: string, token: string, nowUs = now * 1000) =>
    run(lua.lead, { term, token, nowUs, newToken: 'new', leader: 'me', ttlMs: 5000, above: '0' });

  test("the first term is the server's time in microseconds, to the last digit", async () => {
    expect(await lead('', '', 1_800_000_000_123_457)).toEqual({ status: 'ok', term: 1_800_000_000_123_457 });
    expect(await send('HMGET', keys.epoch, 'term', 'token', 'leader', 'since_ms', 'seen_ms', 'ttl_ms')).toEqual([
      '1800000000123457',
      'new',
      'me',
      '1800000000123',
      '1800000000123',
      '5000',
    ]);
  });

  test('terms grow although the clock steps back', async () => {
    await lead('', '', 1_800_000_000_123_457);
    expect(await lead('1800000000123457', 'new', 5)).toEqual({ status: 'ok', term: 1_800_000_000_123_458 });
  });

  test('terms grow although a failover lost the epoch', async () => {
    const before = await expectStatus(
      run(lua.lead, { term: '', token: '', nowUs: 0, newToken: 'a', leader: 'me', ttlMs: 1, above: '0' }),
      'ok',
    );
    await send('DEL', keys.epoch);
    const after = await expectStatus(
      run(lua.lead, { term: '', token: '', nowUs: 0, newToken: 'b', leader: 'me', ttlMs: 1, above: '0' }),
      'ok',
    );
    expect(after.term).toBeGreaterThan(before.term);
  });

  test.each([
    ['6', 'seven'],
    ['7', 'six'],
    ['', ''],
    ['7', ''],
  ])('whoever read another epoch before the bid (%s, %s) has lost', async (term, token) => {
    await elect();
    const before = await dump();
    expect(await lead(term, token)).toEqual({ status: 'lost', term: '7' });
    expect(await dump()).toEqual(before);
  });

  test('an epoch that is gone since the bid is another epoch', async () => {
    expect(await lead('7', 'seven')).toEqual({ status: 'lost', term: '0' });
  });
});

describe('claim', () => {
  const claim = (term: string, token: string) => run(lua.claim, { term, token, leader: 'me', ttlMs: 5000 });

  test('makes a term from home the accepted one, and can be repeated', async () => {
    expect(await claim('1800000000123457', 'new')).toEqual({ status: 'ok' });
    const before = await dump();
    expect(await claim('1800000000123457', 'new')).toEqual({ status: 'ok' });
    expect(await dump()).toEqual(before);
    expect(await send('HMGET', keys.epoch, 'term', 'token', 'leader', 'seen_ms', 'ttl_ms')).toEqual([
      '1800000000123457',
      'new',
      'me',
      String(now),
      '5000',
    ]);
  });

  test.each([
    ['6', 'six'],
    ['6', 'seven'],
    ['7', 'another'],
    ['7', ''],
  ])('of a lower term, or of the same by another (%s, %s), changes nothing', async (term, token) => {
    await elect();
    const before = await dump();
    expect(await claim(term, token)).toEqual({ status: 'higher', term: '7' });
    expect(await dump()).toEqual(before);
  });

  test('of a higher term takes the place of the lower, whose leader is refused from then on', async () => {
    await elect();
    expect(await claim('8', 'eight')).toEqual({ status: 'ok' });
    expect(await promote()).toEqual({ status: 'stale_term', term: '8' });
    expect(await promote({ term: '8', token: 'eight' })).toMatchObject({ status: 'ok' });
  });
});

describe('create', () => {
  const create = (layout: string) => run(lua.create, { layout });

  test('settles the layout once: whoever comes later is told what it is', async () => {
    expect(await create('1/8')).toEqual({ status: 'ok', layout: '1/8' });
    expect(await create('1/4')).toEqual({ status: 'ok', layout: '1/8' });
    expect(await send('HGETALL', keys.meta)).toEqual(['layout', '1/8']);
  });
});

test('a term is above one that stands on another partition', async () => {
  const call = { term: '', token: '', nowUs: 5, newToken: 'new', leader: 'me', ttlMs: 5000 };
  expect(await run(lua.lead, { ...call, above: '1800000000123457' })).toEqual({
    status: 'ok',
    term: 1_800_000_000_123_458,
  });
});

describe('resign', () => {
  test('nobody leads afterwards, and the next term is a higher one', async () => {
    await elect();
    await addTask('a', '+1');
    expect(await run(lua.resign, {})).toEqual({ status: 'ok' });
    expect(await send('HMGET', keys.epoch, 'term', 'token', 'seen_ms')).toEqual(['7', '', null]);
    expect((await run(lua.promote, { overdueMs: 1e6, limit: 9, nowMs: now + 9 })).status).toBe('stale_term');
    expect((await run(lua.resign, {})).status).toBe('stale_term');
    const next = await run(lua.lead, {
      term: '7',
      token: '',
      nowUs: 5,
      newToken: 'eight',
      leader: 'other',
      ttlMs: 1,
      above: '0',
    });
    expect(next).toEqual({ status: 'ok', term: 8 });
  });
});

describe('reap', () => {
  const reap = (nowMs: number) => run(lua.reap, { cursor: '0', count: 100, strayIdleMs: 300_000, nowMs });
  const groupOf = async (): Promise<string[]> =>
    ((await send('XINFO', 'CONSUMERS', keys.stream, 'workers')) as string[][]).map((one) => one[1] ?? '').sort();

  test('a consumer without a beat for ten leases is forgotten, not before', async () => {
    await elect();
    await join('c1', 1000);
    await join('c2', 60_000);
    expect(await reap(now + 10_000)).toEqual({ status: 'ok', cursor: '0', reaped: 0 });
    expect(await reap(now + 10_001)).toEqual({ status: 'ok', cursor: '0', reaped: 1 });
    expect(await send('HKEYS', keys.consumers)).toEqual(['c2']);
    expect(await groupOf()).toEqual(['c2']);
  });

  test('one with something pending stays, and so does what is pending', async () => {
    await elect();
    await active('a', 'c1');
    const before = await dump();
    expect(await reap(now + 1e9)).toMatchObject({ reaped: 0 });
    expect(await dump()).toEqual(before);
  });

  test('what is no sign of life is none', async () => {
    await elect();
    await join('c2');
    await send('HSET', keys.consumers, 'c1', 'garbage');
    expect(await reap(now)).toMatchObject({ reaped: 1 });
    expect(await send('HKEYS', keys.consumers)).toEqual(['c2']);
  });

  test('one in the group that nobody joined, made by a read that came late, is forgotten when silent', async () => {
    await elect();
    await active('a', 'busy');
    await join('idle');
    await join('late');
    await send('HDEL', keys.consumers, 'busy', 'late');
    const strays = (strayIdleMs: number, cursor = '0') => run(lua.reap, { cursor, count: 100, strayIdleMs });
    expect(await strays(300_000)).toMatchObject({ reaped: 0 });
    expect(await strays(0, '1')).toMatchObject({ reaped: 0 });
    expect(await strays(0)).toMatchObject({ reaped: 1 });
    expect(await groupOf()).toEqual(['busy', 'idle']);
  });

  test('without a group too', async () => {
    await elect();
    await join('c1');
    await send('DEL', keys.stream);
    expect(await reap(now + 1e9)).toMatchObject({ reaped: 1 });
  });
});

describe('sweep', () => {
  const sweep = () => run(lua.sweep, { cursor: '0', count: 500, bytesMax: 1e6, nowMs: now + 5 });

  test('in health it changes nothing', async () => {
    await elect();
    await addTask('scheduled', '+1000');
    await active('active');
    await addTask('ready');
    const before = await dump();
    expect(await sweep()).toMatchObject({ cursor: '0', looked: 3, swept: 0, unbalanced: 0 });
    expect(await dump()).toEqual(before);
  });

  test('a deleted stream: all that was in it goes back to the schedule, and runs', async () => {
    await elect();
    await addTask('scheduled', '+1000');
    await active('active');
    await addTask('ready');
    await send('DEL', keys.stream);
    expect(await sweep()).toMatchObject({ swept: 2 });
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual([
      'active',
      String(now + 5),
      'ready',
      String(now + 5),
      'scheduled',
      String(now + 1000),
    ]);
    expect(await send('EXISTS', keys.live)).toBe(0);
    expect(await counted('swept')).toBe(2);
    expect(await promoted({ nowMs: now + 5 })).toBe(2);
    expect(await sweep()).toMatchObject({ swept: 0, unbalanced: 0 });
  });

  test.each([
    { what: 'its due member', key: keys.due },
    { what: 'its live field', key: keys.live },
  ])('a task that lost $what is put back', async ({ key }) => {
    await elect();
    if (key === keys.due) await addTask('a', '+1000');
    else await addTask('a', '+0');
    await send('DEL', key);
    expect(await sweep()).toMatchObject({ swept: 1 });
    expect(await promoted({ nowMs: now + 5 })).toBe(1);
  });

  test('in small steps it comes round to all, and says from the counts alone how many are left', async () => {
    await elect();
    const record = `["job","${'x'.repeat(100)}"]`; // too large for the encoding that is scanned in one step
    for (let at = 0; at < 20; at += 1) await addTask(`t${at}`, '+1000', { record });
    await send('DEL', keys.due);
    let cursor = '0';
    let swept = 0;
    do {
      const reply = await expectStatus(run(lua.sweep, { cursor, count: 1, bytesMax: 1e6 }), 'ok');
      swept += reply.swept;
      expect(reply.looked).toBeLessThan(10);
      expect(reply.unbalanced).toBe(20 - swept);
      cursor = reply.cursor;
    } while (cursor !== '0');
    expect(swept).toBe(20);
  });

  test('what is pending without an entry is left to its owner', async () => {
    await elect();
    const { entry } = await active('a');
    await send('XDEL', keys.stream, entry);
    expect(await sweep()).toMatchObject({ swept: 0 });
  });

  test('it says how large the records were that it looked at', async () => {
    await elect();
    await addTask('a', '+1', { record: `["job","${'x'.repeat(1000)}"]` });
    const reply = await expectStatus(sweep(), 'ok');
    expect(reply.bytes).toBe(String(await send('HGET', keys.tasks, 'a')).length);
  });

  test('a call reads no more bytes than it may, and ten records, however many it may look at', async () => {
    await elect();
    const large = `["job","${'x'.repeat(10_000)}"]`;
    for (let at = 0; at < 200; at += 1) await addTask(`t${at}`, '+1000', { record: at < 100 ? '["job"]' : large });
    let cursor = '0';
    let looked = 0;
    do {
      const reply = await expectStatus(run(lua.sweep, { cursor, count: 500, bytesMax: 20_000 }), 'ok');
      expect(reply.bytes).toBeLessThan(20_000 + 20 * large.length);
      cursor = reply.cursor;
      looked += reply.looked;
    } while (cursor !== '0');
    expect(looked).toBeGreaterThanOrEqual(200);
  });

  describe('live fields that stand for nothing', () => {
    async function swept(): Promise<{ calls: number; swept: number; cleared: number; unbalanced: number }> {
      const all = { calls: 0, swept: 0, cleared: 0, unbalanced: 0 };
      let cursor = '0';
      do {
        const reply = await expectStatus(run(lua.sweep, { cursor, count: 50, bytesMax: 1e6, nowMs: now + 5 }), 'ok');
        cursor = reply.cursor;
        all.calls += 1;
        all.swept += reply.swept;
        all.cleared += reply.cleared;
        all.unbalanced = reply.unbalanced;
      } while (cursor !== '0');
      return all;
    }

    test('go when tasks and stream were deleted, in steps', async () => {
      await elect();
      for (let at = 0; at < 600; at += 1) await addTask(`t${at}`);
      await send('DEL', keys.tasks, keys.stream);
      const all = await swept();
      expect(all).toMatchObject({ swept: 0, cleared: 600, unbalanced: 0 });
      expect(all.calls).toBeGreaterThan(5);
      expect(await send('EXISTS', keys.live)).toBe(0);
    });

    test('go when only the records were deleted, but for what is pending', async () => {
      await elect();
      const { entry } = await active('active');
      await addTask('ready');
      await addTask('whole');
      await send('HDEL', keys.tasks, 'active', 'ready');
      expect(await swept()).toMatchObject({ swept: 0, cleared: 1 });
      expect(await send('HGETALL', keys.live)).toEqual(expect.arrayContaining(['active', entry, 'whole']));
      expect(await send('HLEN', keys.live)).toBe(2);
    });

    test('go when their task is scheduled: it is not dropped when it is due', async () => {
      await elect();
      await addTask('a', '+5');
      await send('HSET', keys.live, 'a', '5-5');
      expect(await swept()).toMatchObject({ swept: 0, cleared: 1, unbalanced: 0 });
      expect(await promoted({ nowMs: now + 5 })).toBe(1);
    });

    test('are not looked for in health', async () => {
      await elect();
      await active('active');
      await addTask('ready');
      await addTask('scheduled', '+9');
      expect(await swept()).toEqual({ calls: 1, swept: 0, cleared: 0, unbalanced: 0 });
    });
  });
});
