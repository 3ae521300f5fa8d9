/** The audit stream: what a fault campaign holds its history against, written in the scripts themselves. */
import { beforeEach, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  elect,
  join,
  keys,
  now,
  promote,
  read,
  run,
  send,
  settle,
  useRedis,
} from '../support/partition.js';

useRedis();

beforeEach(elect);

async function audit(): Promise<string[][]> {
  return ((await send('XRANGE', keys.audit, '-', '+')) as [string, string[]][]).map(([, fields]) => fields);
}

/** Of a schedule, from where it was: to the occurrence of that id, or none. */
const step = (id: string, was: string) => ({
  schedule: 'nightly',
  was,
  cursor: `at ${id.at(-1) ?? ''}`,
  lookMs: '',
  id,
  unless: '',
  dueMs: now,
  expiresMs: '',
  record: '["x"]',
  passed: '',
});

async function work(): Promise<string> {
  const held = [await active('a'), await active('b')];
  await settle('c1', held.slice(0, 1));
  await settle(
    'c1',
    held.slice(1).map((one) => ({ ...one, verb: 'retry', value: '5', run: '{}' })),
  );
  await promote({ nowMs: now + 10_000 });
  await promote({ term: '6' });
  const [again] = await read('c1');
  await run(lua.tick, { items: [step('nightly@1', ''), step('nightly@2', 'at 1'), step('', 'at 2')] });
  await run(lua.tick, { term: '6', items: [step('nightly@3', 'at 2')] });
  await run(lua.lead, { nowUs: now * 1000, newToken: 'eight', leader: 'another', ttlMs: 5000, above: '0' });
  await run(lua.resign, { term: String(now * 1000), token: 'eight' });
  return [held[0]?.entry, held[1]?.entry, again?.entry].join();
}

test('tells who moved what, whose write was refused, what ended and who led, in the order it happened', async () => {
  await send('HSET', keys.meta, 'audit', 1);
  const [first = '', second = '', again = ''] = (await work()).split(',');
  const term = String(now * 1000);
  expect(await audit()).toEqual([
    ['op', 'complete', 'id', 'a', 'of', first, 'count', '1', 'by', 'c1'],
    ['op', 'retry', 'id', 'b', 'of', second, 'count', '1', 'by', 'c1'],
    ['op', 'promote', 'term', '7', 'lives', `b ${again}`],
    ['op', 'refused', 'term', '6'],
    ['op', 'tick', 'term', '7', 'ids', 'nightly@1 nightly@2'],
    ['op', 'refused', 'term', '6', 'by', 'tick'],
    ['op', 'lead', 'term', term, 'by', 'another'],
    ['op', 'resign', 'term', term],
  ]);
});

test('is not written unless it is asked for', async () => {
  await join('c1');
  await addTask('later', '+5');
  await work();
  expect(await send('EXISTS', keys.audit)).toBe(0);
});
