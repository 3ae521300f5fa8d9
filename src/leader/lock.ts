import Redlock, { ExecutionError, Lock as Grip, ResourceLockedError } from 'redlock';
import type { RedlockNode, Votes } from 'redlock';
import type { Clock } from '../clock.js';
import { invalid } from '../errors.js';
import { type LockNode, RedlockClient } from './redlock-client.js';

/** A lock that was won, counted from before the call that won or last extended it. */
export interface Held {
  readonly token: string;
  readonly attemptedAtMs: number;
}

/** `split`: some nodes voted for us, but too few, so the lock may well be free: worth another bid soon. */
export type Bid = { status: 'won'; held: Held } | { status: 'lost' } | { status: 'split' };

/** `lost`: most nodes say it is not ours. `unsure`: too many were silent or failing to know. */
export type Extension = { status: 'held'; held: Held } | { status: 'lost' } | { status: 'unsure' };

export interface LockParts {
  /** An odd number of independent Redis servers. */
  nodes: readonly LockNode[];
  resource: string;
  ttlMs: number;
  clock: Clock;
  /** A node began to fail: down, silent, out of memory … Not called when a node only says no. */
  onNodeError?: (error: Error) => void;
}

/**
 * The vote on who leads: redlock over N lock nodes, with the parts of redlock that can be trusted.
 *
 * Promises: a call settles within a few deadlines of TTL/10 whatever the nodes do; `acquire` and `extend` tell the world's
 * faults in their result and don't throw; a lock that came back already expired counts as not won. Survives a
 * minority of nodes being down, hung, or restarted empty. It does not promise that nobody else believes to hold the lock:
 * clocks step, processes stall. The vote is for liveness; the term and token in every leader script are for safety.
 *
 * Why so little of redlock: its retries count its own partial wins against it, `using` acts seconds late, an even number of
 * nodes can split for ever, and it reckons by the wall clock, so that a clock step would end a good lock. One
 * try per call, and validity from the monotonic clock read before the call.
 */
export class Lock {
  readonly #redlock: Redlock;
  readonly #resource: string;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  constructor({ nodes, resource, ttlMs, clock, onNodeError = () => {} }: LockParts) {
    checkNodes(nodes);
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) {
      throw invalid(`the lock's TTL must be a whole number of milliseconds, got ${ttlMs}`);
    }
    const deadlineMs = Math.max(20, Math.floor(ttlMs / 10));
    const clients = nodes.map((node, at) => {
      const name = `lock node ${at + 1} of ${nodes.length}`;
      return new RedlockClient({ node, name, deadlineMs, clock, onFault: onNodeError });
    });
    this.#redlock = new Redlock(clients, { retryCount: 0 }, scripts); // its `error` events, one per no, go to its own listener
    this.#resource = resource;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** Bids once. A bid that failed has given back what votes it had. */
  async acquire(): Promise<Bid> {
    const attemptedAtMs = this.#clock.monotonicMs();
    let held: Held;
    try {
      const grip = await this.#redlock.acquire([this.#resource], this.#ttlMs);
      held = { token: grip.value, attemptedAtMs };
    } catch (error) {
      const votes = await votesOf(error);
      return { status: votes.votesFor.size > 0 ? 'split' : 'lost' };
    }
    if (!this.#hasExpired(held)) return { status: 'won', held };
    await this.release(held);
    return { status: 'lost' };
  }

  /** Makes the lock last a TTL from now, where it is still ours. */
  async extend(held: Held): Promise<Extension> {
    const attemptedAtMs = this.#clock.monotonicMs();
    try {
      await this.#redlock.extend(this.#grip(held), this.#ttlMs);
    } catch (error) {
      const votes = await votesOf(error);
      return { status: refusals(votes) >= votes.quorumSize ? 'lost' : 'unsure' };
    }
    const extended = { token: held.token, attemptedAtMs };
    return this.#hasExpired(extended) ? { status: 'unsure' } : { status: 'held', held: extended };
  }

  /** Gives the lock back on every node that answers by the deadline. Never rejects: where it fails, the TTL does it. */
  async release(held: Held): Promise<void> {
    try {
      const { attempts } = await this.#redlock.release(this.#grip(held));
      await Promise.all(attempts); // the minority too, before the connections may be closed
    } catch (error) {
      await votesOf(error);
    }
  }

  /** A redlock lock that never expires by the wall clock: whether it is still ours, the nodes say. */
  #grip(held: Held): Grip {
    return new Grip(this.#redlock, [this.#resource], held.token, [], Number.POSITIVE_INFINITY);
  }

  /** Redis counts in whole milliseconds and clocks run apart by a little: redlock's own allowance. */
  #hasExpired(held: Held): boolean {
    const driftMs = this.#ttlMs / 100 + 2;
    return this.#clock.monotonicMs() >= held.attemptedAtMs + this.#ttlMs - driftMs;
  }
}

/** A Redis that is full must still be led, for it is the leader's work that empties it. */
const allowOom = (script: string): string => `#!lua flags=allow-oom\n${script}`;
const scripts = { acquireScript: allowOom, extendScript: allowOom, releaseScript: allowOom };

function checkNodes(nodes: readonly LockNode[]): void {
  if (nodes.length % 2 === 0) {
    throw invalid(`lockNodes must be an odd number of Redis servers, or a split vote never ends: got ${nodes.length}`);
  }
  if (new Set(nodes).size !== nodes.length) throw invalid('lockNodes must be different servers, got one twice');
}

/** The votes behind a failure; resolves when every node has voted or was given up. Anything else is passed on. */
async function votesOf(error: unknown): Promise<Votes> {
  const attempt = error instanceof ExecutionError ? error.attempts[0] : undefined;
  if (attempt === undefined) throw error;
  return attempt;
}

/** How many nodes said that the lock is not ours, which a silent node does not say. */
function refusals({ votesAgainst }: Votes): number {
  const errors: ReadonlyMap<RedlockNode, Error> = votesAgainst;
  return [...errors.values()].filter((error) => error instanceof ResourceLockedError).length;
}
