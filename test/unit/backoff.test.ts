import { describe, expect, test } from 'vitest';
import { type Backoff, type BackoffPolicy, defaultBackoff, resolveBackoff, retryDelayMs } from '../../src/backoff.js';

const hourMs = 3_600_000;

test.each<[Backoff, BackoffPolicy]>([
  [
    { type: 'fixed', delay: '5s' },
    { type: 'fixed', delayMs: 5_000, maxMs: 5_000 },
  ],
  [
    { type: 'fixed', delay: 0 },
    { type: 'fixed', delayMs: 0, maxMs: 0 },
  ],
  [
    { type: 'exponential', delay: '1s' },
    { type: 'exponential', delayMs: 1_000, maxMs: hourMs },
  ],
  [
    { type: 'exponential', delay: '1s', max: '1m' },
    { type: 'exponential', delayMs: 1_000, maxMs: 60_000 },
  ],
  [
    { type: 'exponential', delay: '1s', max: '1s' },
    { type: 'exponential', delayMs: 1_000, maxMs: 1_000 },
  ],
  [
    { type: 'exponential', delay: '2h' },
    { type: 'exponential', delayMs: 2 * hourMs, maxMs: 2 * hourMs },
  ],
])('%j is taken', (backoff, policy) => {
  const resolved = resolveBackoff(backoff, 'backoff');
  expect(resolved).toEqual(policy);
  expect(Object.isFrozen(resolved)).toBe(true);
});

test.each<[unknown, string]>([
  [null, 'retry.backoff must be an object { type, delay, max }, got null'],
  ['5s', 'retry.backoff must be an object { type, delay, max }, got "5s"'],
  [[], 'retry.backoff must be an object { type, delay, max }, got an array'],
  [{ type: 'linear', delay: 5 }, 'retry.backoff.type must be "fixed" or "exponential", got "linear"'],
  [{ delay: 5 }, 'retry.backoff.type must be "fixed" or "exponential", got undefined'],
  [{ type: 'fixed', delay: 5, factor: 2 }, 'retry.backoff must have only type, delay and max, got "factor"'],
  [{ type: 'fixed' }, 'retry.backoff.delay must be a duration such as 250ms, 90s or 1h30m, got undefined'],
  [{ type: 'fixed', delay: -1 }, 'retry.backoff.delay must be from 0ms to 36525d, got -1'],
  [{ type: 'fixed', delay: 5, max: 9 }, 'retry.backoff.max goes with "exponential" only, got 9'],
  [{ type: 'exponential', delay: 0 }, 'retry.backoff.delay must be from 1ms to 36525d, got 0'],
  [{ type: 'exponential', delay: '5s', max: '1s' }, 'retry.backoff.max must be from 5s to 36525d, got "1s"'],
])('%j is refused', (backoff, message) => {
  expect(() => resolveBackoff(backoff as Backoff, 'retry.backoff')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }),
  );
});

describe('the wait', () => {
  const almostOne = 1 - Number.EPSILON / 2;

  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [12, 2_048_000],
    [13, hourMs],
    [10_000, hourMs],
    [0, 1_000],
  ])('after attempt %d is anything from 0 to %d ms, both included', (attempt, capMs) => {
    expect(retryDelayMs(attempt, defaultBackoff, () => 0)).toBe(0);
    expect(retryDelayMs(attempt, defaultBackoff, () => 0.5)).toBe(Math.floor((capMs + 1) / 2));
    expect(retryDelayMs(attempt, defaultBackoff, () => almostOne)).toBe(capMs);
  });

  test('is spread evenly', () => {
    const policy = resolveBackoff({ type: 'exponential', delay: 3, max: 3 }, 'backoff');
    const waits = Array.from({ length: 8 }, (_, eighth) => retryDelayMs(1, policy, () => eighth / 8));
    expect(waits).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('is whole and finite at the ends of the range', () => {
    const policy = resolveBackoff({ type: 'exponential', delay: 1, max: '36525d' }, 'backoff');
    expect(retryDelayMs(Number.MAX_SAFE_INTEGER, policy, () => almostOne)).toBe(3_155_760_000_000);
    expect(retryDelayMs(42, policy, () => 0.123_456)).toBe(Math.floor((2 ** 41 + 1) * 0.123_456));
  });

  test('stays within the cap when random gives 1, and is no NaN when nothing is doubled', () => {
    expect(retryDelayMs(1, defaultBackoff, () => 1)).toBe(1_000);
    expect(retryDelayMs(10_000, { type: 'exponential', delayMs: 0, maxMs: 5 }, () => 0.5)).toBe(0);
  });

  test('is exactly the delay when fixed', () => {
    const policy = resolveBackoff({ type: 'fixed', delay: '5s' }, 'backoff');
    expect([1, 2, 10_000].map((attempt) => retryDelayMs(attempt, policy, () => 0.3))).toEqual([5_000, 5_000, 5_000]);
  });
});
