import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { expire } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

const batchMax = 100;

/** Ends tasks that were not started in time. Promote and open look too, so nothing starts late for want of this. */
export class Expirer implements Duty {
  readonly name = 'expire';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  readonly #observe: Observe;
  /** Those at work stay at the head of the list until they are settled: passed over, not met again and again. */
  #skip = 0;

  constructor(parts: { partition: Partition; observe: Observe }) {
    this.#partition = parts.partition;
    this.#observe = parts.observe;
  }

  async tick({ term, token, refused }: Reign): Promise<number> {
    const ask = { term: String(term), token, skip: this.#skip, limit: batchMax };
    const reply = await this.#partition.run(expire, ask);
    if (reply.status === 'stale_term') {
      refused('expire');
      return 1_000;
    }
    const { queue } = this.#partition;
    for (const { name } of reply.expired) this.#observe({ type: 'settled', queue, name, outcome: 'expired' });
    const isMore = reply.looked === batchMax;
    this.#skip = isMore ? this.#skip + reply.pending : 0;
    return isMore ? 0 : 1_000;
  }
}
