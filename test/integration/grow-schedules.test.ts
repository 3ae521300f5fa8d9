import { describe, expect, test } from 'vitest';
import { partitionOf } from '../../src/partition-of.js';
import { encodeCursor, decodeCursor } from '../../src/schedule/cursor-text.js';
import { useLab } from '../support/lab.js';
import { partitionsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';

const lab = useLab();
const { created, keysOf } = partitionsIn(lab);

const names = Array.from({ length: 12 }, (_, at) => `s${at}`);
const nominalOf = (id: string): number => Date.parse(id.slice(id.lastIndexOf('@') + 1));

/** Where each schedule is, by partition. */
async function places(partitions: number): Promise<string[][]> {
  const all = Array.from({ length: partitions }, (_, at) => lab().send('HKEYS', keysOf(at).schedules));
  return (await Promise.all(all)).map((keys) => (keys as string[]).toSorted());
}

const belonging = (partitions: number): string[][] =>
  Array.from({ length: partitions }, (_, at) =>
    names.filter((name) => partitionOf(name, partitions) === at).toSorted(),
  );

describe('when a queue grows', () => {
  test('its schedules move to where they belong, and no time is missed or doubled', async () => {
    const queue = await created(2);
    const ran = new Map<string, number[]>();
    const job = ({ id, key = '' }: { id: string; key?: string }): void => {
      ran.set(key, [...(ran.get(key) ?? []), nominalOf(id)]);
    };
    await lab().worker({ job });
    for (const name of names) await queue.schedule(name, { every: '100ms', catchUp: { all: 1_000 } }, { name: 'job' });
    const all = (count: number) => (): boolean => names.every((name) => (ran.get(name)?.length ?? 0) >= count);
    await until(all(3), 'each to have been fired');
    await queue.grow(4);
    await until(async () => JSON.stringify(await places(4)) === JSON.stringify(belonging(4)), 'them to have moved');
    const before = new Map([...ran].map(([name, times]) => [name, times.length]));
    await until(
      () => names.every((name) => (ran.get(name)?.length ?? 0) > (before.get(name) ?? 0) + 3),
      'each to go on',
    );
    for (const name of names) await queue.schedules.delete(name);
    const isDone = async (): Promise<boolean> => {
      const { scheduled, due, ready, active } = await queue.stats();
      return scheduled + due + ready + active === 0;
    };
    await until(isDone, 'all that were fired to run');
    for (const times of ran.values()) {
      const sorted = times.toSorted((a, b) => a - b);
      expect(sorted).toEqual(sorted.map((_, at) => (sorted[0] as number) + at * 100));
    }
  });

  test('one that is paused moves when it is resumed, and is found meanwhile', async () => {
    const queue = await created(1);
    const [name] = names.filter((one) => partitionOf(one, 2) === 1) as [string];
    await queue.schedule(name, { every: '100ms' }, { name: 'job' });
    await queue.schedules.pause(name);
    await lab().leader();
    await queue.grow(2);
    expect(await queue.schedules.get(name)).toMatchObject({ state: 'paused' });
    expect(await queue.schedule(name, { every: '100ms', version: 2 }, { name: 'job' })).toMatchObject({
      status: 'changed',
    });
    await queue.schedules.resume(name);
    await until(async () => (await lab().send('HEXISTS', keysOf(1).schedules, name)) === 1, 'it to move');
    await until(async () => ((await queue.schedules.get(name))?.count ?? 0) > 2, 'it to go on');
    expect(await lab().send('EXISTS', keysOf(0).schedules, keysOf(0).cursors, keysOf(0).upcoming)).toBe(0);
  });

  test.each([
    ['before it has come there', false],
    ['after it has come there', true],
  ])('a move that was cut short %s is seen through', async (_when, isThere) => {
    const queue = await created(2);
    const [name] = names.filter((one) => partitionOf(one, 2) === 1) as [string];
    await queue.schedule(name, { every: '100ms' }, { name: 'job' });
    const [from, to] = [keysOf(0), keysOf(1)];
    const definition = (await lab().send('HGET', to.schedules, name)) as string;
    const text = (await lab().send('HGET', to.cursors, name)) as string;
    const cursor = decodeCursor(text);
    if (cursor === undefined) throw new Error('no cursor');
    await lab().send('HSET', from.schedules, name, definition);
    await lab().send('HSET', from.cursors, name, encodeCursor({ ...cursor, moving: { to: 1, id: 'cut short' } }));
    await lab().send('ZADD', from.upcoming, 1, name);
    if (!isThere) await lab().send('DEL', to.schedules, to.cursors, to.upcoming);
    await lab().leader();
    await until(async () => (await lab().send('EXISTS', from.schedules, from.cursors, from.upcoming)) === 0, 'the end');
    await until(async () => ((await queue.schedules.get(name))?.count ?? 0) > 2, 'it to be fired');
    expect(await lab().send('HGET', to.schedules, name)).toBe(definition);
  });

  test('one that must wait for an occurrence there stays until that is settled', async () => {
    const queue = await created(1);
    const [name] = names.filter((one) => partitionOf(one, 2) === 1) as [string];
    await queue.schedule(name, { every: '100ms', overlap: 'skip' }, { name: 'job' });
    await lab().leader();
    await until(async () => (await queue.schedules.get(name))?.count === 1, 'one to be fired');
    await queue.grow(2);
    const skipped = async (): Promise<number> => (await queue.schedules.get(name))?.passed[0]?.count ?? 0;
    const before = await skipped();
    await until(async () => (await skipped()) > before + 2, 'further ones to be left out');
    expect(await lab().send('HEXISTS', keysOf(1).schedules, name)).toBe(0);
    const last = (await queue.schedules.get(name))?.last ?? 0;
    await queue.cancel(`${name}@${new Date(last).toISOString()}`);
    await until(async () => (await lab().send('HEXISTS', keysOf(1).schedules, name)) === 1, 'it to move');
  });
});
