import { expect, test } from 'vitest';
import { BidPace } from '../../src/leader/bid-pace.js';

const pace = (draw: number, ttlMs = 5_000): BidPace => new BidPace({ ttlMs, random: () => draw });

test.each([
  [5_000, 0, 240],
  [5_000, 1, 560],
  [60_000, 1, 560],
  [500, 0, 150],
  [500, 1, 350],
])('with a TTL of %d ms and a draw of %d the next bid comes after %d ms', (ttlMs, draw, expectedMs) => {
  expect(pace(draw, ttlMs).afterBidMs('lost', 0)).toBeCloseTo(expectedMs);
});

test('a split vote is tried again within 30 ms, three times in a row, then at the usual pace until a bid is not split', () => {
  const splitting = pace(1);
  const waits = (['split', 'split', 'split', 'split', 'split', 'lost', 'split'] as const).map((outcome) => {
    return splitting.afterBidMs(outcome, 0) <= 30;
  });
  expect(waits).toEqual([true, true, true, false, false, false, true]);
});

test('a vacancy spreads the followers over a few ms, once, and makes them ask again soon for a quarter of a second', () => {
  const woken = pace(1);
  woken.vacated(7, 1_000);
  expect(woken.waitMs(1_000)).toBe(8);
  expect(woken.waitMs(1_008)).toBe(0);
  expect(woken.afterBidMs('lost', 1_249)).toBe(30);
  expect(woken.afterBidMs('lost', 1_250)).toBeCloseTo(560);
});

test('who resigned rests for a TTL, unless a later leader resigns too', () => {
  const resting = pace(0);
  resting.resigned(7, 1_000);
  expect(resting.waitMs(1_000)).toBe(5_000);
  resting.vacated(7, 2_000);
  expect(resting.waitMs(2_000)).toBe(4_000);
  resting.vacated(8, 3_000);
  expect(resting.waitMs(3_000)).toBe(0);
});
