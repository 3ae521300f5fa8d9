/** Times of a schedule that are fired afterwards, because somebody asks for them. */
import { expect, test } from 'vitest';
import { useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

const lab = useLab();
const job = { name: 'job' } as const;
/** Every minute, and no time of its own comes while a test runs. */
const notNow = () => ({ every: '1m', anchor: Date.now() + 30_000 }) as const;

test('a range is backfilled, each time once, also when it is asked for again', async () => {
  const { queue } = lab();
  const ran: string[] = [];
  await queue.create();
  await lab().worker({ job: ({ id }) => void ran.push(id) });
  await queue.schedule('minutely', notNow(), job);
  const range = { from: Date.now() - 3_600_000, to: Date.now() - 1_800_000, perSecond: 1_000 };
  for (let round = 0; round < 2; round += 1) {
    await queue.schedules.backfill('minutely', range);
    await until(async () => (await queue.schedules.get('minutely'))?.backfill === null, 'it to be filled');
  }
  await until(async () => (await queue.stats()).counts['complete'] === 30, 'all of them');
  expect(new Set(ran).size).toBe(30);
  expect(ran).toHaveLength(30);
  const { from, to } = range;
  expect(await queue.schedules.get('minutely')).toMatchObject({ lastBackfill: { from, to, next: to, added: 0 } });
});

test('a backfill is tried dry: how many it would add is told, and nothing is written', async () => {
  const { queue, keys } = lab();
  await queue.schedule('minutely', { every: '1m' }, job);
  const cursor = await lab().send('HGET', keys.cursors, 'minutely');
  const range = { from: Date.now() - 3_600_000, to: Date.now() - 1_800_000 };
  expect(await queue.schedules.previewBackfill('minutely', range)).toEqual({
    name: 'minutely',
    ...range,
    count: 30,
    hasMore: false,
  });
  expect(await lab().send('HGET', keys.cursors, 'minutely')).toBe(cursor);
  const future = queue.schedules.previewBackfill('minutely', { from: Date.now() + 60_000 });
  await expect(future).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  await queue.schedules.backfill('minutely', range);
  await expect(queue.schedules.previewBackfill('minutely', range)).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
});

test('a backfill is stopped: what it has added stays, and the rest can be added later', async () => {
  const { queue } = lab();
  await queue.create();
  await lab().leader();
  await queue.schedule('minutely', notNow(), job);
  const range = { from: Date.now() - 7_200_000, to: Date.now() - 3_600_000 };
  await queue.schedules.backfill('minutely', { ...range, perSecond: 10 });
  const added = async (): Promise<number> => (await queue.schedules.get('minutely'))?.backfill?.added ?? 0;
  await until(async () => (await added()) >= 3, 'some of it');
  const { backfill, lastBackfill } = await queue.schedules.stopBackfill('minutely');
  expect(backfill).toBeNull();
  expect(lastBackfill).toMatchObject(range);
  expect(lastBackfill?.next).toBeLessThan(range.to);
  const left = await queue.schedules.previewBackfill('minutely', range);
  expect(left.count).toBe(60 - (lastBackfill?.added ?? 0));
  expect((await queue.stats()).counts['fired']).toBe(lastBackfill?.added);
  await queue.schedules.backfill('minutely', { ...range, perSecond: 1_000 });
  await until(async () => (await queue.stats()).counts['fired'] === 60, 'the rest');
});

test('to stop a backfill that is none changes nothing', async () => {
  const { queue } = lab();
  await queue.schedule('minutely', { every: '1m' }, job);
  expect(await queue.schedules.stopBackfill('minutely')).toMatchObject({ backfill: null, lastBackfill: null });
});

test('one backfill at a time, and not of the future', async () => {
  const { queue } = lab();
  await queue.schedule('minutely', { every: '1m' }, job);
  await queue.schedules.backfill('minutely', { from: Date.now() - 3_600_000 });
  const again = queue.schedules.backfill('minutely', { from: Date.now() - 60_000 });
  await expect(again).rejects.toMatchObject({ code: 'ERR_CONFLICT' });
  await queue.schedule('hourly', { every: '1h' }, job);
  const future = queue.schedules.backfill('hourly', { from: Date.now() + 60_000 });
  await expect(future).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
});
