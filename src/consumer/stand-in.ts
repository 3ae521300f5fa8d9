import type { Clock } from '../clock.js';
import { BugError } from '../errors.js';
import type { Observe } from '../events.js';
import type { Partition } from '../redis/partition.js';
import { promote } from '../redis/scripts.generated.js';

const lookMs = 2_000;

export interface StandInParts {
  partition: Partition;
  /** Lets the partition hand out its tasks if it waits since the queue grew, and has waited long enough. */
  release: () => Promise<void>;
  clock: Clock;
  observe: Observe;
  lockTtlMs: number;
}

/**
 * When nobody leads: promotion without a term. The script does it only when the head is overdue by the lock's TTL and a
 * second, so a leader that is well never meets it. Promotion is one idempotent step, so this is safe. So is the release of a
 * partition that came when the queue grew. Nothing else is done without a term.
 */
export class StandIn {
  /** As of the last look. A leader gives a sign of life every 250 ms. */
  leaderIsMissing = false;
  readonly #parts: StandInParts;

  constructor(parts: StandInParts) {
    this.#parts = parts;
  }

  async tick(): Promise<number> {
    const { partition, clock, observe, lockTtlMs } = this.#parts;
    const sentAtMs = clock.monotonicMs();
    const reply = await partition.run(promote, { term: '', token: '', overdueMs: lockTtlMs + 1_000, limit: 200 });
    if (reply.status === 'stale_term') throw new BugError('promote without a term was refused for its term');
    await this.#lookForLeader(reply.nowMs);
    const waitMs = this.leaderIsMissing ? lookMs / 4 : lookMs; // one that is just being elected is soon seen
    if (reply.status === 'paused' && this.leaderIsMissing) await this.#parts.release();
    if (reply.status !== 'ok') return waitMs;
    for (const { name } of reply.expired)
      observe({ type: 'settled', queue: partition.queue, name, outcome: 'expired' });
    if (reply.promoted + reply.dropped === 0) return waitMs;
    observe({
      type: 'promoted',
      queue: partition.queue,
      count: reply.promoted,
      dropped: reply.dropped,
      lagMs: reply.lagMs,
      durationMs: clock.monotonicMs() - sentAtMs,
      withoutLeader: true,
    });
    return 0;
  }

  async #lookForLeader(nowMs: number): Promise<void> {
    const { caller, keys } = this.#parts.partition;
    const [seenMs, ttlMs] = (await caller.send(['HMGET', keys.epoch, 'seen_ms', 'ttl_ms'])) as (string | null)[];
    this.leaderIsMissing = !seenMs || nowMs - Number(seenMs) > Number(ttlMs);
  }
}
