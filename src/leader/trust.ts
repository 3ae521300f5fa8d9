import { invalid } from '../errors.js';

/**
 * Leadership is a value with an end, not a flag. Whoever acts as leader checks `isTrusted` right before each write; what
 * passes that check and arrives late all the same is refused by the script, which knows term and token.
 */
export type Seat = { readonly role: 'follower' } | LeaderSeat;

export interface LeaderSeat {
  readonly role: 'leader';
  /** µs of the Redis server's clock, or one more than the last: below 2^53 until the year 2255. */
  readonly term: number;
  readonly token: string;
  /** On the monotonic clock of this process. */
  readonly trustedUntilMs: number;
}

export const follower: Seat = { role: 'follower' };

/** How long the lock lasts, and how long before its end it is trusted no more: clocks drift, calls take time. */
export interface Lease {
  readonly ttlMs: number;
  readonly marginMs: number;
}

/** Fills in what is not told, and refuses what can't work: a leader renews at a third of the TTL. */
export function leaseOf({ ttlMs = 5_000, marginMs = ttlMs / 5 }: { ttlMs?: number; marginMs?: number }): Lease {
  if (!(ttlMs >= 500)) throw invalid(`the lock's TTL must be from 500 ms, got ${ttlMs}`);
  if (!(marginMs > 0 && marginMs < ttlMs / 2)) {
    throw invalid(`the margin must be more than 0 and less than half the TTL of ${ttlMs} ms, got ${marginMs}`);
  }
  return { ttlMs, marginMs };
}

/** Counted from before the request was sent, so a slow reply can only shorten it. */
export function trustedUntilMs({ attemptedAtMs, ttlMs, marginMs }: Lease & { attemptedAtMs: number }): number {
  return attemptedAtMs + ttlMs - marginMs;
}

/** Whether this seat may still write. At the very end of its trust it may not. */
export function isTrusted(seat: Seat, nowMs: number): seat is LeaderSeat {
  return seat.role === 'leader' && nowMs < seat.trustedUntilMs;
}
