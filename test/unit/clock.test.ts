import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';

const timers = (): number => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

test('a wait of 0 sets no timer, for that would take a millisecond', async () => {
  const before = timers();
  const waited = systemClock.sleep(0);
  expect(timers()).toBe(before);
  await waited;
});

test('a wait sets one, and an abort takes it back', async () => {
  const before = timers();
  const end = new AbortController();
  const waited = systemClock.sleep(60_000, end.signal);
  expect(timers()).toBe(before + 1);
  end.abort();
  await waited;
  expect(timers()).toBe(before);
});
