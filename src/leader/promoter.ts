import type { Clock } from '../clock.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { promote } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

/** Redis takes about 1.5 ms for as many. */
const batchMax = 200;

/**
 * Moves due tasks to the stream on time: sleeps on its own timer until the head is due (a blocking timeout of Redis'
 * ends tens of ms late), is woken when an earlier task is added, and looks every 250 ms at the latest, so that a lost
 * wake-up costs at most that.
 */
export class Promoter implements Duty {
  readonly name = 'promote';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #lookMs: number;

  constructor(parts: { partition: Partition; clock: Clock; observe: Observe; lookMs?: number }) {
    this.#partition = parts.partition;
    this.#clock = parts.clock;
    this.#observe = parts.observe;
    this.#lookMs = parts.lookMs ?? 250;
  }

  async tick(reign: Reign): Promise<number> {
    const { term, token } = reign;
    const sentAtMs = this.#clock.monotonicMs();
    const reply = await this.#partition.run(promote, { term: String(term), token, overdueMs: 0, limit: batchMax });
    switch (reply.status) {
      case 'stale_term':
        reign.refused('promote');
        return this.#lookMs;
      case 'paused':
        return this.#lookMs;
      case 'ok': {
        const durationMs = this.#clock.monotonicMs() - sentAtMs;
        const { promoted: count, dropped, lagMs } = reply;
        const { queue } = this.#partition;
        this.#observe({ type: 'promoted', queue, count, dropped, lagMs, durationMs, withoutLeader: false });
        for (const { name } of reply.expired) this.#observe({ type: 'settled', queue, name, outcome: 'expired' });
        if (reply.nextDueMs === null) return this.#lookMs;
        // The server's now lies between sending and hearing: half-way is the best guess.
        return Math.min(this.#lookMs, Math.max(0, reply.nextDueMs - reply.nowMs - durationMs / 2));
      }
    }
  }
}
