import { expect, test } from 'vitest';
import type { Call } from '../../src/redis/call.js';
import { Deadlines } from '../../src/redis/deadlines.js';
import { Silence } from '../../src/redis/silence.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A link's calls, when something was heard, and the times at which silence was told. */
function listening() {
  const clock = new VirtualClock();
  const calls = new Deadlines<Call>(clock, () => {});
  const told: number[] = [];
  const heard = { atMs: 0 };
  const onSilent = (): void => void told.push(clock.monotonicMs());
  const silence = new Silence({ clock, calls, heardAtMs: () => heard.atMs, onSilent });
  const send = (): Call => {
    const madeAtMs = clock.monotonicMs();
    const call = { madeAtMs, deadlineMs: madeAtMs + 60_000, sent: true } as Call;
    calls.add(call, madeAtMs);
    silence.watch();
    return call;
  };
  return { clock, calls, told, heard, silence, send, startMs: clock.monotonicMs() };
}

test('a second without an answer is silence, and is told four times a second as long as it lasts', async () => {
  const { clock, told, silence, send, startMs } = listening();
  send();
  await clock.advance(999);
  expect([told, silence.isThere]).toEqual([[], false]);
  await clock.advance(1_001);
  expect(told.map((ms) => ms - startMs)).toEqual([1_000, 1_250, 1_500, 1_750, 2_000]);
  expect(silence.isThere).toBe(true);
});

test('who answers others is not silent, and a call that was just sent has not waited', async () => {
  const { clock, calls, told, heard, silence, send } = listening();
  const first = send();
  await clock.advance(900);
  heard.atMs = clock.monotonicMs();
  await clock.advance(900);
  expect([told, silence.isThere]).toEqual([[], false]);
  calls.delete(first);
  await clock.advance(5_000);
  send();
  await clock.advance(500);
  expect([told, silence.isThere]).toEqual([[], false]);
});

test('where nothing is under way nothing is waited for', async () => {
  const { clock, calls, told, silence, send } = listening();
  calls.delete(send());
  await clock.advance(3_000);
  send();
  silence.stop();
  await clock.advance(3_000);
  expect(told).toEqual([]);
});
