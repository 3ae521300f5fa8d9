/** Reads are sent again while Redis is away, and no longer than they may be. */
import { expect, test } from 'vitest';
import { DuestreamError } from '../../src/errors.js';
import { LayoutStore } from '../../src/redis/layout-store.js';
import { Reading } from '../../src/redis/reading.js';
import type { Caller } from '../../src/redis/script.js';
import { VirtualClock } from '../support/virtual-clock.js';

const random = (): number => 0.5;

/** Fails as a link without a connection does, at the end of its time. */
function away(clock: VirtualClock): Caller & { times: number[] } {
  const times: number[] = [];
  const send = async (_args: readonly string[], { timeoutMs = 5_000 } = {}): Promise<never> => {
    times.push(Math.round(timeoutMs));
    await clock.sleep(timeoutMs);
    throw new DuestreamError('ERR_REDIS_UNREACHABLE', `not reached within ${Math.round(timeoutMs)} ms`);
  };
  return { send, times };
}

/** What it rejects with, and after how long. */
async function endOf(work: Promise<unknown>, clock: VirtualClock): Promise<{ error: unknown; ms: number }> {
  const startMs = clock.monotonicMs();
  const ended = work.then(
    () => expect.fail('it was answered'),
    (error: unknown) => ({ error, ms: clock.monotonicMs() - startMs }),
  );
  await clock.advance(60_000);
  return ended;
}

test('the tries of a read take no longer than it may be repeated, and its error tells of all of them', async () => {
  const clock = new VirtualClock();
  const caller = away(clock);
  const reading = new Reading(caller, { clock, random, repeatForMs: 10_000, tryMs: 4_000 });
  const { error, ms } = await endOf(reading.send(['HGET']), clock);
  expect(ms).toBeLessThanOrEqual(10_050);
  expect(caller.times.slice(0, 2)).toEqual([4_000, 4_000]);
  expect(error).toMatchObject({
    code: 'ERR_REDIS_UNREACHABLE',
    message: expect.stringMatching(/^not reached within \d+ ms; that was the last of 3 tries in 10\d{3} ms$/) as string,
  });
});

test('a read that may take one try only says how long that was', async () => {
  const clock = new VirtualClock();
  const reading = new Reading(away(clock), { clock, random, repeatForMs: 2_500, tryMs: 2_500 });
  const { error, ms } = await endOf(reading.send(['HGET']), clock);
  expect(ms).toBe(2_500);
  expect(error).toMatchObject({ message: 'not reached within 2500 ms' });
});

test('nor where the first was waited for in vain before they were asked', async () => {
  const clock = new VirtualClock();
  const caller = new Reading(away(clock), { clock, random, repeatForMs: 1_000, tryMs: 1_000 });
  const store = new LayoutStore({ queue: 'mail', prefix: 'duestream', callerFor: () => caller, clock });
  expect((await endOf(store.find(), clock)).ms).toBeLessThanOrEqual(1_500);
});

test('where all partitions are away, those that are asked in place of the first are not waited for as long as it was', async () => {
  const clock = new VirtualClock();
  const caller = new Reading(away(clock), { clock, random, repeatForMs: 2_500, tryMs: 2_500 });
  const store = new LayoutStore({ queue: 'mail', prefix: 'duestream', callerFor: () => caller, clock });
  const { error, ms } = await endOf(store.find(), clock);
  expect(ms).toBeLessThanOrEqual(3_000);
  expect(error).toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
});
