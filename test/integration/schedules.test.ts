import { describe, expect, test } from 'vitest';
import type { ScheduleInfo, ScheduleOptions, Schedules } from '../../src/index.js';
import { partitionOf } from '../../src/partition-of.js';
import { aheadMs } from '../../src/schedule/step.js';
import { partitionsIn } from '../support/partitions.js';
import { useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

const lab = useLab();
const { created, keysOf } = partitionsIn(lab);
const job = { name: 'job' } as const;
const refusing = { '~standard': { validate: () => ({ issues: [{ path: [] }] }) } };

/** Often enough not to wait for, seldom enough that a slow machine does not fall behind. */
const often: ScheduleOptions = { every: '100ms' };
const daily: ScheduleOptions = { cron: '0 3 * * *', tz: 'Europe/Berlin' };

const nominalOf = (id: string): number => Date.parse(id.slice(id.lastIndexOf('@') + 1));

describe('a schedule', () => {
  test('has a task added at each of its times, due just then, and once', async () => {
    const ran: { id: string; due: number; payload: unknown; key?: string }[] = [];
    await lab().queue.create();
    await lab().worker({ job: (task) => void ran.push(task) });
    const { status, next } = await lab().queue.schedule('ticks', often, { name: 'job', payload: { a: 1 } });
    expect(status).toBe('created');
    await until(() => ran.length >= 5, 'five of them');
    const times = ran.slice(0, 5).map(({ id }) => nominalOf(id));
    expect(times).toEqual([0, 1, 2, 3, 4].map((at) => (next as number) + at * 100));
    expect(ran.slice(0, 5).map(({ due }) => due)).toEqual(times);
    expect(ran[0]).toMatchObject({
      payload: { a: 1 },
      key: 'ticks',
      id: `ticks@${new Date(next as number).toISOString()}`,
    });
    expect(new Set(ran.map(({ id }) => id)).size).toBe(ran.length);
  });

  test('is created once, however many processes do so at once', async () => {
    const queues = [lab().queue, lab().newQueue(), lab().newQueue()];
    const results = await Promise.all(queues.map((queue) => queue.schedule('nightly', daily, job)));
    expect(results.map(({ status }) => status).sort()).toEqual(['created', 'unchanged', 'unchanged']);
    expect(new Set(results.map(({ next }) => next)).size).toBe(1);
  });

  test('is changed by a higher version, and by nothing else', async () => {
    const { queue } = lab();
    await queue.schedule('nightly', { ...daily, version: 2 }, job);
    await expect(queue.schedule('nightly', { ...daily, version: 2 }, { name: 'other' })).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: expect.stringContaining('give the change a higher version') as string,
    });
    expect(await queue.schedule('nightly', { every: '1h' }, job)).toMatchObject({ status: 'older' });
    expect(await queue.schedule('nightly', { every: '1h', version: 3 }, job)).toMatchObject({ status: 'changed' });
    expect(await queue.schedules.get('nightly')).toMatchObject({ version: 3, rule: 'every 1h' });
  });

  test('whose task alone is changed keeps its times', async () => {
    const { queue } = lab();
    const { next } = await queue.schedule('nightly', daily, job);
    const changed = await queue.schedule('nightly', { ...daily, version: 2 }, { name: 'job', payload: 'new' });
    expect(changed).toEqual({ name: 'nightly', status: 'changed', next });
  });

  test('that is gone fires no more, and may be made anew', async () => {
    const { queue } = lab();
    await queue.schedule('nightly', daily, job);
    expect(await queue.schedules.delete('nightly')).toEqual({ name: 'nightly', status: 'deleted' });
    expect(await queue.schedules.delete('nightly')).toEqual({ name: 'nightly', status: 'not_found' });
    expect(await queue.schedules.get('nightly')).toBeNull();
    expect(await lab().send('EXISTS', lab().keys.schedules, lab().keys.cursors, lab().keys.upcoming)).toBe(0);
    expect(await queue.schedule('nightly', { every: '1h' }, job)).toMatchObject({ status: 'created' });
  });

  test('has a time that comes within the half second in which it would be handed over', async () => {
    const { queue } = lab();
    await queue.create();
    await lab().leader();
    const atMs = Math.ceil(await lab().nowMs()) + 400;
    expect(await queue.schedule('soon', { at: [atMs] }, job)).toMatchObject({ status: 'created', next: atMs });
    await until(async () => (await queue.schedules.get('soon'))?.count === 1, 'it to be fired');
  });

  test('ends with its limit', async () => {
    const { queue } = lab();
    await queue.create();
    await lab().leader();
    await queue.schedule('thrice', { ...often, limit: 3 }, job);
    await until(async () => (await queue.schedules.get('thrice'))?.state === 'finished', 'it to end');
    expect(await queue.schedules.get('thrice')).toMatchObject({ count: 3, next: null, upcoming: [] });
    expect((await queue.stats()).counts).toMatchObject({ fired: 3, added: 3 });
  });

  test('that nobody can read here is left as it is, and the others are fired', async () => {
    const { queue, keys } = lab();
    await queue.schedule('thrice', { ...often, limit: 3 }, job);
    await lab().send('HSET', keys.schedules, 'strange', '{"f":99}');
    await lab().send('HSET', keys.cursors, 'strange', 'of a newer version');
    await lab().send('ZADD', keys.upcoming, 1, 'strange');
    await lab().send('ZADD', keys.upcoming, 1, 'orphan');
    await lab().leader();
    await until(async () => (await queue.schedules.get('thrice'))?.state === 'finished', 'the others');
    expect(await lab().send('HGET', keys.cursors, 'strange')).toBe('of a newer version');
    expect(Number(await lab().send('ZSCORE', keys.upcoming, 'strange'))).toBeGreaterThan(Date.now());
    const { schedules } = await queue.schedules.list();
    expect(schedules.find(({ name }) => name === 'strange')).toMatchObject({ state: 'unreadable', next: null });
    await expect(queue.schedules.get('strange')).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
  });

  test('that somebody took out of the order of what is upcoming is put back', async () => {
    const { queue, keys } = lab();
    await queue.schedule('ticks', often, job);
    await lab().send('DEL', keys.upcoming);
    await lab().leader();
    await until(async () => ((await queue.schedules.get('ticks'))?.count ?? 0) > 1, 'it to be fired');
  });

  test('whose cursor somebody took away begins anew', async () => {
    const { queue, keys } = lab();
    await queue.schedule('ticks', often, job);
    await lab().send('DEL', keys.cursors);
    await lab().leader();
    await until(async () => ((await queue.schedules.get('ticks'))?.count ?? 0) > 1, 'it to be fired');
  });
});

describe('by hand', () => {
  test('an occurrence of now is added', async () => {
    const { queue } = lab();
    await queue.schedule('nightly', daily, { name: 'job', payload: 7, expiresIn: '1h' });
    const { id, status } = await queue.schedules.trigger('nightly');
    expect([status, id]).toEqual(['ready', expect.stringMatching(/^nightly@\d{4}-/)]);
    expect(await queue.get(id)).toMatchObject({ name: 'job', payload: 7, key: 'nightly' });
    expect(await queue.schedules.get('nightly')).toMatchObject({ count: 0 });
  });

  test('made anew it fires nothing that was handed over ahead before it was taken away, in whatever partition', async () => {
    const queue = await created(4);
    const everyMs = 500;
    const first = Math.ceil(Date.now() / everyMs) * everyMs;
    const times = Array.from({ length: 40 }, (_, at) => first + at * everyMs);
    const idOf = (at: number): string => `ticks@${new Date(at).toISOString()}`;
    await queue.addMany(times.map((at, nth) => ({ name: 'job', id: idOf(at), key: `k${nth}`, at })));
    await queue.schedule('ticks', { every: everyMs }, job);
    const { createdAt, next } = (await queue.schedules.get('ticks')) as ScheduleInfo;
    expect((next as number) - everyMs).toBeGreaterThan(createdAt);
    await queue.schedule('others', { every: everyMs }, job);
    const other = (await queue.schedules.get('others')) as ScheduleInfo;
    expect((other.next as number) - everyMs).toBeLessThanOrEqual(other.createdAt);
  });

  test('the note of a pause stays until there is another', async () => {
    const { queue } = lab();
    await queue.schedule('nightly', daily, job);
    const { paused } = await queue.schedules.pause('nightly', { note: 'one' });
    expect((await queue.schedules.pause('nightly')).paused).toEqual(paused);
    expect((await queue.schedules.pause('nightly', { note: 'two' })).paused).toEqual({ ...paused, note: 'two' });
    expect((await queue.schedules.pause('nightly', { note: '' })).paused).toEqual({ ...paused, note: '' });
    await queue.schedules.resume('nightly');
    expect((await queue.schedules.resume('nightly')).paused).toBeNull();
  });

  test('what is not there is said', async () => {
    const { name, schedules } = lab().queue;
    await lab().queue.create();
    const backfill = { from: '2026-01-01T00:00Z' };
    const asking = [
      ...(['pause', 'resume', 'trigger', 'stopBackfill'] as const).map((verb) => schedules[verb]('x')),
      ...(['backfill', 'previewBackfill'] as const).map((verb) => schedules[verb]('x', backfill)),
    ];
    const message = `queue ${name} has no schedule x; see duestream schedule list ${name}`;
    for (const one of await Promise.allSettled(asking)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'ERR_NO_SCHEDULE', message } });
    }
  });
});

describe('a queue of many partitions', () => {
  test('has each schedule, and all its occurrences, where its key or its name belongs', async () => {
    const queue = await created(4);
    const names = Array.from({ length: 12 }, (_, at) => `s${at}`);
    await Promise.all(names.map((name) => queue.schedule(name, { ...often, limit: 2 }, job)));
    await queue.schedule('keyed', { ...often, limit: 2 }, { ...job, key: 'a key' });
    const sizes = await Promise.all([0, 1, 2, 3].map((at) => lab().send('HLEN', keysOf(at).schedules)));
    expect(sizes.reduce((sum: number, size) => sum + Number(size), 0)).toBe(13);
    expect(Math.min(...sizes.map(Number))).toBeGreaterThan(0);
    expect((await queue.schedules.list({ limit: 1000 })).schedules).toHaveLength(13);
    await lab().leader();
    const isOver = async (): Promise<boolean> =>
      (await queue.schedules.list({ limit: 1000 })).schedules.every(({ state }) => state === 'finished');
    await until(isOver, 'all to be fired');
    const { fired } = (await queue.schedules.get('keyed')) as { fired: readonly number[] };
    const id = `keyed@${new Date(fired[0] as number).toISOString()}`;
    expect(await queue.get(id, { key: 'a key' })).toMatchObject({ id, key: 'a key' });
    expect(await queue.get(id)).toMatchObject({ id });
    expect((await queue.stats()).counts).toMatchObject({ fired: 26 });
  });
});

describe('one that does not go well stops no other', () => {
  const goesOn = async (name: string): Promise<void> => {
    const count = async (): Promise<number> => (await lab().queue.schedules.get(name))?.count ?? 0;
    const before = await count();
    await until(async () => (await count()) > before + 2, `${name} to go on`);
  };

  test('as where its zone is not known here', async () => {
    const { queue, keys } = lab();
    await queue.schedule('strange', { cron: '* * * * * *', tz: 'Europe/Berlin' }, job);
    await queue.schedule('good', often, job);
    const definition = (await lab().send('HGET', keys.schedules, 'strange')) as string;
    await lab().send('HSET', keys.schedules, 'strange', definition.replace('Europe/Berlin', 'Mars/Olympus'));
    await lab().leader();
    const isTold = (): boolean =>
      lab().observations.some(
        (one) => one.type === 'error' && String(one.error).includes('the schedule strange can not be worked out here'),
      );
    await until(isTold, 'it to be told');
    await goesOn('good');
  });

  test('as where its zone is not known here, and a time of it waits', async () => {
    const { queue, keys } = lab();
    await queue.schedule(
      'strange',
      { cron: '* * * * * *', tz: 'Europe/Berlin', jitter: '500ms', overlap: 'bufferOne' },
      job,
    );
    await queue.schedule('good', often, job);
    const definition = (await lab().send('HGET', keys.schedules, 'strange')) as string;
    await lab().send('HSET', keys.schedules, 'strange', definition.replace('Europe/Berlin', 'Mars/Olympus'));
    const cursor = JSON.parse((await lab().send('HGET', keys.cursors, 'strange')) as string) as object;
    await lab().send('HSET', keys.cursors, 'strange', JSON.stringify({ ...cursor, b: [Date.now() - 1_000] }));
    await lab().send('ZADD', keys.upcoming, 0, 'strange');
    await lab().leader();
    await goesOn('good');
    const look = async (): Promise<number> => Number(await lab().send('ZSCORE', keys.upcoming, 'strange'));
    await until(async () => (await look()) > Date.now(), 'it to be put off');
  });

  test('as where it was looked at too early: it is said when to look', async () => {
    const { queue, keys } = lab();
    await queue.schedule('daily', { ...daily, overlap: 'skip' }, job);
    await queue.schedule('good', often, job);
    await lab().send('ZADD', keys.upcoming, 0, 'daily');
    await lab().leader();
    const { next } = (await queue.schedules.get('daily')) as ScheduleInfo;
    const look = async (): Promise<number> => Number(await lab().send('ZSCORE', keys.upcoming, 'daily'));
    await until(async () => (await look()) === (next as number) + aheadMs, 'the look to be put right');
    await goesOn('good');
  });

  test('as where it has reached its limit while others of its times wait', async () => {
    const { queue } = lab();
    await queue.create();
    await lab().leader();
    await queue.schedule('limited', { ...often, limit: 1, overlap: 'bufferOne' }, job);
    await queue.schedule('good', often, job);
    await until(async () => (await queue.schedules.get('limited'))?.state === 'finished', 'it to end');
    await goesOn('good');
    expect(await queue.schedules.get('limited')).toMatchObject({ count: 1, next: null, waiting: [] });
  });

  test('as where its new partition can not take it', async () => {
    const queue = await created(1);
    const names = Array.from({ length: 9 }, (_, at) => `s${at}`);
    const stays = names.find((name) => partitionOf(name, 2) === 0) as string;
    const goes = names.find((name) => partitionOf(name, 2) === 1) as string;
    await queue.schedule(goes, often, job);
    await queue.schedule(stays, often, job);
    await lab().send('SET', keysOf(1).upcoming, 'in the way');
    await lab().leader();
    await queue.grow(2);
    await goesOn(stays);
    await lab().send('DEL', keysOf(1).upcoming);
    await until(async () => (await lab().send('HEXISTS', keysOf(1).schedules, goes)) === 1, 'it to move');
    lab().errors = [];
  });
});

test('two who make one name at once, with keys of two partitions, make one schedule', async () => {
  const queue = await created(2);
  const others = [queue, lab().newQueue()];
  const keys = [0, 1].map((at) => ['a', 'b', 'c', 'd', 'e'].find((key) => partitionOf(key, 2) === at) as string);
  for (let round = 0; round < 20; round += 1) {
    const name = `twin ${round}`;
    await Promise.allSettled(others.map((one, at) => one.schedule(name, daily, { ...job, key: keys[at] as string })));
    const where = await Promise.all([0, 1].map((at) => lab().send('HEXISTS', keysOf(at).schedules, name)));
    expect(where.reduce((sum: number, one) => sum + Number(one), 0)).toBe(1);
  }
});

describe('bad input is refused, and nothing is written', () => {
  const cases: [string, ScheduleOptions, object, RegExp][] = [
    ['a date that never comes', { cron: '0 0 30 2 *' }, job, /never fires/],
    ['an unknown zone', { cron: '0 3 * * *', tz: 'Mars/Olympus' }, job, /Mars\/Olympus/],
    ['too often', { every: '99ms' }, job, /every must be from 100ms/],
    ['both a pattern and a distance', { cron: '* * * * *', every: '1m' }, job, /cron and every/],
    [
      'an end before its start',
      { every: '1m', start: '2027-02-01T00:00Z', end: '2027-01-01T00:00Z' },
      job,
      /end must be after start/,
    ],
    ['a jitter that is too long', { every: '1m', jitter: '2m' }, job, /jitter must be at most 1m/],
    ['a policy that is none', { every: '1m', catchUp: 'some' as never }, job, /catchUp must be/],
    ['an overlap that is none', { every: '1m', overlap: { bufferAll: 0 } }, job, /overlap.bufferAll must be/],
    ['a window that is too short', { every: '1m', window: '1s' }, job, /window must be from 10s/],
    ['a version that is none', { every: '1m', version: 0 }, job, /version must be/],
    ['an option nobody knows', { every: '1m', catchup: 'one' } as never, job, /unknown option/],
    ['a task with an id', { every: '1m' }, { name: 'job', id: 'x' }, /unknown option "id"/],
    [
      'a payload its schema refuses',
      { every: '1m' },
      { name: 'job', payload: 1, schema: refusing },
      /refused by its schema/,
    ],
    [
      'a payload that is too large',
      { every: '1m' },
      { name: 'job', payload: 'x'.repeat(65_536) },
      /at most 65536 bytes/,
    ],
    ['a payload that is no JSON', { every: '1m' }, { name: 'job', payload: Number.NaN }, /NaN/],
  ];

  test.each(cases)('%s', async (_what, options, task, message) => {
    await expect(lab().queue.schedule('s', options, task as never)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID_(ARGUMENT|PAYLOAD)$/) as string,
      message: expect.stringMatching(message) as string,
    });
    expect(await lab().send('DBSIZE')).toBe(0);
  });

  const range = { from: 1 };
  test.each<[string, (of: Schedules) => Promise<unknown>, RegExp]>([
    ['a misspelt end', (of) => of.backfill('s', { ...range, too: 2 } as never), /^unknown option "too" of a backfill/],
    ['a misspelt rate', (of) => of.previewBackfill('s', { ...range, perSec: 1 } as never), /^unknown option "perSec"/],
    [
      'no switch',
      (of) => of.backfill('s', { ...range, again: 'no' } as never),
      /^again must be true or false, got "no"/,
    ],
    ['no range', (of) => of.backfill('s', undefined as never), /^a backfill must be an object/],
    ['a note alone', (of) => of.pause('s', 'why' as never), /^options must be an object, got "why"/],
    ['no note', (of) => of.pause('s', null as never), /^options must be an object/],
    ['a misspelt note', (of) => of.pause('s', { notes: 'x' } as never), /^unknown option "notes": expected note/],
    ['a misspelt limit', (of) => of.list({ limt: 1 } as never), /^unknown option "limt"/],
  ])('%s', async (_what, call, message) => {
    await expect(call(lab().queue.schedules)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    });
    expect(await lab().send('DBSIZE')).toBe(0);
  });

  test.each([[''], ['x'.repeat(300)], ['a\nb'], [7]])('the name %j', async (name) => {
    await expect(lab().queue.schedule(name as string, { every: '1m' }, job)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    expect(await lab().send('DBSIZE')).toBe(0);
  });
});
