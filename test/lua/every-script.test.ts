import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { partitionKeys } from '../../src/keys.js';
import { scripts } from '../../src/redis/scripts.generated.js';
import { dump, keys, send, useRedis } from '../support/partition.js';
import { buildWorld, effects } from '../support/world.js';

useRedis();

const readers = ['get', 'list', 'stats', 'has', 'scan', 'upcoming', 'schedules'];
/** Have their effect in a queue that is new, or grows: duties.test.ts, grow.test.ts. */
const first = ['create', 'grow', 'handed-out', 'release'];
const channels = ['wake'];
/** Touched only while a campaign looks on, on a prefix of its own. */
const unwatched = ['audit'];
/** Only read, and only for a task that has ended. */
const unread = ['reschedule.past', 'run-now.past'];
const has = (arg: string) => effects.filter(({ script }) => script.args.includes(arg));

test('every script that writes has a call below', () => {
  const tested = new Set([...readers, ...first, ...effects.map(({ name }) => name)]);
  expect([...tested].sort()).toEqual(scripts.map(({ name }) => name).sort());
  expect(readdirSync(new URL('../../lua', import.meta.url)).length).toBe(scripts.length);
});

test.each(effects)('$name has an effect in a sound world', async ({ call }) => {
  const world = await buildWorld();
  const before = await dump();
  expect((await call(world)).status).toBe('ok');
  expect(await dump()).not.toEqual(before);
});

describe('a key of the wrong type in the way is an error, and nothing is written', () => {
  const cases = effects.flatMap((effect) =>
    effect.script.keys
      .filter((key) => ![...channels, ...unwatched].includes(key) && !unread.includes(`${effect.name}.${key}`))
      .map((key) => ({ ...effect, key: key as keyof typeof keys })),
  );
  test.each(cases)('$name: $key', async ({ call, key }) => {
    const world = await buildWorld();
    await send('SET', keys[key], 'in the way');
    const before = await dump();
    await expect(call(world)).rejects.toThrow('WRONGTYPE');
    expect(await dump()).toEqual(before);
  });
});

test.each(has('layout'))('$name refuses another layout, and writes nothing', async ({ call }) => {
  const world = await buildWorld();
  const before = await dump();
  expect(await call(world, { layout: '1/2' })).toEqual({ status: 'other_layout', layout: '1/1' });
  expect(await dump()).toEqual(before);
});

describe('a leader', () => {
  const leaders = has('term').filter(({ name }) => !['lead', 'claim'].includes(name));
  const refused = { status: 'stale_term', term: '7' };

  test.each(leaders)('$name of an older term, a newer term or another token changes nothing', async ({ call }) => {
    const world = await buildWorld();
    const before = await dump();
    expect(await call(world, { term: '6' })).toEqual(refused);
    expect(await call(world, { term: '8' })).toEqual(refused);
    expect(await call(world, { token: 'another' })).toEqual(refused);
    expect(await call(world, { token: '' })).toEqual(refused);
    expect(await dump()).toEqual(before);
  });

  test.each(leaders)('$name after a failover that lost the epoch changes nothing', async ({ call }) => {
    const world = await buildWorld();
    await send('DEL', keys.epoch);
    const before = await dump();
    expect(await call(world)).toEqual({ status: 'stale_term', term: '0' });
    expect(await dump()).toEqual(before);
  });
});

describe('a repeatable call', () => {
  const repeatable = has('lane').filter(({ isRead }) => !isRead);

  test.each(repeatable)('$name has its effect once and gets its first answer', async ({ call }) => {
    const world = await buildWorld();
    const first = await call(world, { lane: 'lane', call: 7 });
    const before = await dump();
    expect(await call(world, { lane: 'lane', call: 7 })).toEqual(first);
    expect(await dump()).toEqual(before);
  });

  test.each(repeatable)('$name of a lower number is refused', async ({ call }) => {
    const world = await buildWorld();
    await call(world, { lane: 'lane', call: 7 });
    const before = await dump();
    expect(await call(world, { lane: 'lane', call: 6 })).toEqual({ status: 'late_call' });
    expect(await dump()).toEqual(before);
  });

  test.each(has('lane'))('$name without a lane keeps no answer', async ({ call }) => {
    const world = await buildWorld();
    await call(world, { lane: '', call: 7 });
    expect(await send('EXISTS', keys.lanes)).toBe(0);
  });
});

describe('a full Redis', () => {
  const refused = ['add', 'replay', 'update', 'schedule', 'tick']; // what may make it fuller: all else drains it, or keeps it going
  test.each(effects)('$name is run or refused as a whole', async ({ name, call }) => {
    const world = await buildWorld();
    const before = await dump();
    await send('CONFIG', 'SET', 'maxmemory', 1);
    const reply = await call(world).catch((error: Error) => ({ status: error.message }));
    await send('CONFIG', 'SET', 'maxmemory', 0);
    if (!refused.includes(name)) return expect(reply).toMatchObject({ status: 'ok' });
    expect(reply.status).toContain('OOM');
    expect(await dump()).toEqual(before);
  });
});

test('every key has a name of its own, with the tag of its partition', () => {
  const all = Object.values(partitionKeys('p', 'queue', 3));
  expect(new Set(all).size).toBe(all.length);
  for (const key of all) expect(key).toContain('{queue:3}');
});
