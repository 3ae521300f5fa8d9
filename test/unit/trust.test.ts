import { expect, test } from 'vitest';
import { follower, isTrusted, type LeaderSeat, leaseOf, trustedUntilMs } from '../../src/leader/trust.js';

const seat: LeaderSeat = { role: 'leader', term: 1_800_000_000_000_000, token: 'token', trustedUntilMs: 4_000 };

test('trust lasts from before the call was sent, for the TTL, less the margin', () => {
  expect(trustedUntilMs({ attemptedAtMs: 1_000, ttlMs: 5_000, marginMs: 1_000 })).toBe(5_000);
});

test.each([
  [3_999.9, true],
  [4_000, false],
  [4_000.1, false],
])('a seat trusted until 4000 is, at %d, trusted: %s', (nowMs, trusted) => {
  expect(isTrusted(seat, nowMs)).toBe(trusted);
});

test.each([
  [{}, { ttlMs: 5_000, marginMs: 1_000 }],
  [{ ttlMs: 500 }, { ttlMs: 500, marginMs: 100 }],
  [
    { ttlMs: 1_000, marginMs: 10 },
    { ttlMs: 1_000, marginMs: 10 },
  ],
])('the lease of %o is %o', (parts, lease) => {
  expect(leaseOf(parts)).toEqual(lease);
});

test('a follower is never trusted', () => {
  expect(isTrusted(follower, 0)).toBe(false);
});
