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

/** Counted from before the request was sent, so a slow reply can only shorten it. */
export function trustedUntilMs(lease: { attemptedAtMs: number; ttlMs: number; marginMs: number }): number {
  return lease.attemptedAtMs + lease.ttlMs - lease.marginMs;
}

/** Whether this seat may still write. At the very end of its trust it may not. */
export function isTrusted(seat: Seat, nowMs: number): seat is LeaderSeat {
  return seat.role === 'leader' && nowMs < seat.trustedUntilMs;
}
