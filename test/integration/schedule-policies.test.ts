import { describe, expect, test } from 'vitest';
import type { Queue, ScheduleOptions } from '../../src/index.js';
import type { Cursor } from '../../src/schedule/cursor.js';
import { decodeCursor, encodeCursor } from '../../src/schedule/cursor-text.js';
import { Gate, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** What a schedule does where things do not go by its rule. */
const lab = useLab();
const job = { name: 'job' } as const;
const often: ScheduleOptions = { every: '100ms' };
const nominalOf = (id: string): number => Date.parse(id.slice(id.lastIndexOf('@') + 1));

/** Moves a schedule by hand, as if time had passed. */
async function move(name: string, become: (cursor: Cursor, nowMs: number) => Partial<Cursor>): Promise<void> {
  const { keys } = lab();
  const nowMs = Math.floor(await lab().nowMs());
  const cursor = decodeCursor((await lab().send('HGET', keys.cursors, name)) as string) as Cursor;
  const moved = { ...cursor, ...become(cursor, nowMs) };
  await lab().send('HSET', keys.cursors, name, encodeCursor(moved));
  await lab().send('ZADD', keys.upcoming, moved.nextMs ?? nowMs, name);
}

describe('missed times', () => {
  const hourly: ScheduleOptions = { every: '1h' };
  const hourMs = 3_600_000;
  /** As if nobody had led for so many hours: a half more, that none is on time. */
  const away = (hours: number) => (_cursor: Cursor, nowMs: number) => {
    const lastMs = nowMs - (nowMs % hourMs);
    return { nextMs: lastMs - (hours - 1) * hourMs };
  };

  test.each([
    ['skip', { catchUp: 'skip' }, { fired: 0, passed: [[3, 'missed']] }],
    ['one', {}, { fired: 1, passed: [[2, 'coalesced']] }],
    ['all', { catchUp: { all: 2 } }, { fired: 2, passed: [[1, 'missed']] }],
  ] as const)('are caught up with by policy: %s', async (_name, policy, expected) => {
    const { queue } = lab();
    await queue.schedule('hourly', { ...hourly, ...policy, anchor: Date.now() - hourMs / 2 }, job);
    const info = await queue.schedules.get('hourly');
    const phaseMs = (info?.next as number) % hourMs;
    await move('hourly', (cursor, nowMs) => ({
      nextMs: away(3)(cursor, nowMs - phaseMs).nextMs + phaseMs,
    }));
    await lab().leader();
    await until(async () => ((await queue.schedules.get('hourly'))?.next ?? 0) > Date.now(), 'it to catch up');
    const after = await queue.schedules.get('hourly');
    expect(after?.fired).toHaveLength(expected.fired);
    expect(after?.passed.map(({ count, why }) => [count, why])).toEqual(expected.passed);
    expect((await queue.stats()).counts['fired'] ?? 0).toBe(expected.fired);
    const listed = (await lab().send('XLEN', lab().keys.passed)) as number;
    expect(listed).toBe(expected.passed.length);
    const seen = lab().observations.filter((one) => one.type === 'occurrences');
    expect(seen.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });

  test('of a pause are caught up with when it is over', async () => {
    const { queue } = lab();
    await queue.schedule('hourly', hourly, job);
    const paused = await queue.schedules.pause('hourly', { note: 'the printer is on fire' });
    expect(paused).toMatchObject({ state: 'paused', next: null, paused: { note: 'the printer is on fire' } });
    await lab().leader();
    await move('hourly', away(3));
    await until(async () => (await lab().send('ZCARD', lab().keys.upcoming)) === 0, 'it to be left alone');
    expect((await queue.stats()).counts['fired'] ?? 0).toBe(0);
    expect(await queue.schedules.resume('hourly')).toMatchObject({ paused: null });
    await until(async () => ((await queue.schedules.get('hourly'))?.count ?? 0) === 1, 'one to be fired');
    expect((await queue.schedules.get('hourly'))?.passed.map(({ count, why }) => [count, why])).toEqual([
      [2, 'paused'],
    ]);
  });
});

describe('the former occurrence, not settled yet', () => {
  async function started(
    overlap: ScheduleOptions['overlap'],
    limit = 3,
  ): Promise<{ queue: Queue; gate: Gate; ran: string[] }> {
    const { queue } = lab();
    const gate = new Gate();
    const ran: string[] = [];
    await queue.create();
    const run = async ({ id }: { id: string }, { signal }: { signal: AbortSignal }): Promise<void> => {
      ran.push(id);
      await Promise.race([gate.opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    };
    await lab().worker({ job: run });
    await queue.schedule('slow', { ...often, overlap, limit }, job);
    return { queue, gate, ran };
  }

  test('allow: the next ones run beside it', async () => {
    const { ran } = await started('allow');
    await until(() => ran.length === 3, 'all three');
  });

  test('skip: the next ones are left out until it is settled', async () => {
    const { queue, gate, ran } = await started('skip');
    await until(async () => ((await queue.schedules.get('slow'))?.passed[0]?.count ?? 0) >= 2, 'two to be left out');
    expect(ran).toHaveLength(1);
    gate.open();
    await until(() => ran.length === 3, 'the others');
    expect((await queue.schedules.get('slow'))?.passed.every(({ why }) => why === 'overlap')).toBe(true);
  });

  test('bufferOne: one waits, and is run at once when it is settled', async () => {
    const { queue, gate, ran } = await started('bufferOne');
    await until(async () => ((await queue.schedules.get('slow'))?.passed[0]?.count ?? 0) >= 2, 'two to be left out');
    const info = await queue.schedules.get('slow');
    expect([ran.length, info?.waiting.length]).toEqual([1, 1]);
    gate.open();
    await until(() => ran.length === 3, 'the others');
    expect(nominalOf(ran[1] as string)).toBe(info?.waiting[0]);
  });

  test('bufferAll: as many wait as may', async () => {
    const { queue, gate, ran } = await started({ bufferAll: 2 });
    await until(async () => ((await queue.schedules.get('slow'))?.waiting.length ?? 0) === 2, 'two to wait');
    gate.open();
    await until(() => ran.length === 3, 'all of them');
    expect(ran.map(nominalOf)).toEqual(ran.map(nominalOf).toSorted((a, b) => a - b));
  });

  test('cancelOther: it is cancelled, and the next one runs', async () => {
    const { queue, ran } = await started('cancelOther');
    await until(() => ran.length === 3, 'all three');
    await until(async () => (await queue.stats()).counts['cancelled'] === 2, 'two to be cancelled');
  });
});

test('a schedule whose occurrences die one after the other pauses itself', async () => {
  const { queue } = lab();
  await queue.create();
  await lab().worker({
    job: {
      handler: () => {
        throw new Error('always');
      },
      maxAttempts: 1,
    },
  });
  await queue.schedule('failing', { ...often, pauseAfter: 2 }, job);
  await until(async () => (await queue.schedules.get('failing'))?.state === 'paused', 'it to be paused');
  expect((await queue.schedules.get('failing'))?.paused?.note).toBe('2 in a row became dead letters');
  lab().errors = [];
});
