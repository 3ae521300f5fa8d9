import { expect, test } from 'vitest';
import { Apart } from '../../src/consumer/apart.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Turns of the event loop, and who has had a turn by then. */
function stage(): { apart: Apart; had: string[]; pass: () => Promise<void>; clock: VirtualClock } {
  const clock = new VirtualClock(0);
  return { apart: new Apart(clock), had: [], pass: () => clock.settle(), clock };
}

test('of two that come together the earlier goes first, and the later when a sleeping server would be awake', async () => {
  const { apart, had, pass } = stage();
  let onDone = (): void => {};
  const done = new Promise<void>((resolve) => {
    onDone = resolve;
  });
  void apart.turn(Promise.resolve()).then(() => {
    had.push('earlier');
    onDone();
  });
  void apart.turn(done).then(() => had.push('later'));
  for (let turn = 0; turn < 15; turn += 1) await pass();
  expect(had).toEqual(['earlier']);
  for (let turn = 0; turn < 15; turn += 1) await pass();
  expect(had).toEqual(['earlier', 'later']);
});

test('of two that come together the later waits a fraction of a millisecond where turns are long', async () => {
  const { apart, had, pass, clock } = stage();
  void apart.turn(Promise.resolve()).then(() => had.push('earlier'));
  void apart.turn(Promise.resolve()).then(() => had.push('later'));
  for (let turn = 0; turn < 6; turn += 1) {
    await pass();
    await clock.advance(1);
  }
  expect(had).toEqual(['earlier', 'later']);
});

test('one that comes a turn of the event loop later has its turn two after the earlier', async () => {
  const { apart, had, pass } = stage();
  void apart.turn(Promise.resolve()).then(() => had.push('earlier'));
  await pass();
  void apart.turn(Promise.resolve()).then(() => had.push('later'));
  expect(had).toEqual(['earlier']);
  for (let turn = 0; turn < 6; turn += 1) await pass();
  expect(had).toEqual(['earlier', 'later']);
});

test('one whose earlier read is not done, or has failed, does not wait for it', async () => {
  const { apart, had, pass } = stage();
  void apart.turn(new Promise(() => {})).then(() => had.push('a'));
  await pass();
  await pass();
  expect(had).toEqual(['a']);
  void apart.turn(Promise.reject(new Error('no'))).then(() => had.push('b'));
  for (let turn = 0; turn < 4; turn += 1) await pass();
  expect(had).toEqual(['a', 'b']);
});
