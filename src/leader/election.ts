import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { Bid, Extension, Held } from './lock.js';
import type { LeaderSeat, Seat } from './trust.js';

/** The vote: see lock.ts. */
export interface Vote {
  acquire(): Promise<Bid>;
  extend(held: Held): Promise<Extension>;
  release(held: Held): Promise<void>;
}

/** The fence on the queue's own Redis. */
export interface Claim {
  /** The epoch as it stands, read before the bid. */
  read(): Promise<unknown>;
  /** A new term, by compare-and-set on that epoch: refused when anybody took one in between. */
  take(before: unknown): Promise<{ won: true; term: number; token: string } | { won: false }>;
  /** Tells the followers that this seat is vacant. */
  resign(seat: LeaderSeat): Promise<void>;
}

/** `lost`: trust could not be kept. `refused`: a script knew of another leader. `resigned`: given up in good order. */
export type StepDown = 'lost' | 'refused' | 'resigned';
export type SeatEvent = 'elected' | 'renewed' | StepDown;

export interface ElectorParts {
  lock: Vote;
  claim: Claim;
  /** How long the lock outlives its last renewal. From 500 ms; 5 s unless told otherwise. */
  ttlMs?: number;
  /** So long before the lock's end the leader stops trusting it: clocks drift, calls take time. A fifth of the TTL. */
  marginMs?: number;
  clock: Clock;
  random: Random;
  /** Called at once on every change, in order. Must not throw. */
  onSeat: (seat: Seat, event: SeatEvent) => void;
  /** The world's fault, met on the way; the elector goes on. */
  onError: (error: unknown) => void;
  /** Resolves when the duty that runs has ended. Waited for, within bounds, before the seat is given away. */
  quiesce?: () => Promise<void>;
}

/** One period of leadership: the seat others see, and what it stands on. */
export interface Reign {
  seat: LeaderSeat;
  held: Held;
  /** Takes back the timer that ends the reign with its trust. */
  disarm: () => void;
}

/** `broken`: ended by a bug of ours. */
export type ElectorState =
  | { kind: 'following' }
  | { kind: 'leading'; reign: Reign }
  | { kind: 'leaving'; reign: Reign; told: boolean }
  | { kind: 'broken' };
