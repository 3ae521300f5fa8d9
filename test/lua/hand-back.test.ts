import { describe, expect, test } from 'vitest';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  beat,
  counted,
  dump,
  idleFor,
  join,
  keys,
  now,
  read,
  recover,
  run,
  send,
  settle,
  useRedis,
} from '../support/partition.js';

useRedis();

async function unchanged(call: () => Promise<unknown>): Promise<unknown> {
  const before = await dump();
  const reply = await call();
  expect(await dump()).toEqual(before);
  return reply;
}

describe('hand-back', () => {
  const handBack = (
    consumer: string,
    delayMs: number,
    items: { entry: string; count: number; id: string; run?: string }[],
    over = {},
  ) =>
    run(lua.handBack, { consumer, delayMs, items: items.map((one) => ({ run: '', ...one, dueMs: now - 7 })), ...over });

  test('at once: another consumer gets it, due as before, and its first delivery', async () => {
    const delivery = await active('a');
    await join('c2');
    expect(await handBack('c1', 0, [delivery])).toEqual({ status: 'ok', marks: 'o' });
    expect(await send('XLEN', keys.stream)).toBe(1);
    const [again] = await read('c2');
    expect(again?.entry).not.toBe(delivery.entry);
    expect(await send('HGET', keys.live, 'a')).toBe(again?.entry);
    const opened = await run(lua.open, {
      consumer: 'c2',
      bytesMax: 9,
      after: '',
      items: [{ entry: again?.entry ?? '', id: 'a', dueMs: now - 7 }],
    });
    expect(opened).toMatchObject({ deliveries: [{ id: 'a', dueMs: now - 7 }] });
    expect(await settle('c1', [delivery])).toBe('l');
    expect(await counted('handed_back')).toBe(1);
  });

  test('with a delay: it waits in the schedule', async () => {
    const delivery = await active('a');
    expect(await handBack('c1', 5000, [delivery])).toEqual({ status: 'ok', marks: 'o' });
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['a', String(now + 5000)]);
    expect(await send('EXISTS', keys.live)).toBe(0);
    expect(await send('XLEN', keys.stream)).toBe(0);
  });

  test('in a paused queue: it waits in the schedule, due as before', async () => {
    const delivery = await active('a');
    await run(lua.pause, { paused: 1 });
    await handBack('c1', 0, [delivery]);
    expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['a', String(now - 7)]);
    expect(await send('XLEN', keys.stream)).toBe(0);
  });

  test('deliveries that were lost before count on: a task that kills its processes gets no new lives by it', async () => {
    const run = '{"a":1,"e":[],"d":5}';
    const delivery = await active('a');
    await send('XCLAIM', keys.stream, 'workers', 'c1', 0, delivery.entry, 'RETRYCOUNT', 6, 'JUSTID');
    await handBack('c1', 0, [{ ...delivery, count: 6, run }]);
    expect(await send('HGET', keys.runs, 'a')).toBe(run);
    const [again] = await read('c1');
    await idleFor(60_000, 'c1', again ?? delivery);
    await beat('c1');
    expect(await recover('c1', { lostMax: 6 })).toMatchObject({ deliveries: [{ id: 'a', count: 2, run }], buried: [] });
    await idleFor(60_000, 'c1', { ...(again ?? delivery), count: 2 });
    await beat('c1');
    expect(await recover('c1', { lostMax: 6 })).toMatchObject({ deliveries: [], buried: [{ id: 'a' }] });
  });

  test('only by the consumer that holds it, and once', async () => {
    const [delivery, other] = [await active('a', 'c1'), await active('b', 'c2')];
    const bad = [other, { ...delivery, count: 2 }, { ...delivery, id: 'b' }];
    expect(await unchanged(() => handBack('c1', 0, bad))).toEqual({ status: 'ok', marks: 'lll' });
    await handBack('c1', 0, [delivery]);
    expect(await unchanged(() => handBack('c1', 0, [delivery]))).toEqual({ status: 'ok', marks: 'l' });
  });
});
