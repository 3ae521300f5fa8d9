import type { Clock } from '../clock.js';
import type { Observe } from '../events.js';
import type { Partition } from '../redis/partition.js';
import { promote } from '../redis/scripts.generated.js';

/**
 * When nobody leads: promotion without a term. The script does it only when the head is overdue by the lock's TTL and a
 * second, so a leader that is well never meets it. Promotion is one idempotent step, so this is safe; nothing else is
 * done without a term.
 */
export class StandIn {
  readonly #parts: { partition: Partition; clock: Clock; observe: Observe; lockTtlMs: number };

  constructor(parts: { partition: Partition; clock: Clock; observe: Observe; lockTtlMs: number }) {
    this.#parts = parts;
  }

  async tick(): Promise<number> {
    const { partition, clock, observe, lockTtlMs } = this.#parts;
    const sentAtMs = clock.monotonicMs();
    const reply = await partition.run(promote, { term: '', token: '', overdueMs: lockTtlMs + 1_000, limit: 200 });
    if (reply.status !== 'ok' || reply.promoted === 0) return 2_000;
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
}
