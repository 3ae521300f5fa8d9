import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { sweep } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

const lookedMax = 500;
const bytesAimed = 256 * 1024;

/**
 * Walks over all records, for ever, and puts back what is neither scheduled nor live: slowly in health, fast when the
 * counts say that something is missing. How many it looks at follows from how large they are: a step reads their
 * bytes, and a step is bounded in bytes.
 */
export class Sweeper implements Duty {
  readonly name = 'sweep';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  readonly #observe: Observe;
  #cursor = '0';
  #count = 10;

  constructor(parts: { partition: Partition; observe: Observe }) {
    this.#partition = parts.partition;
    this.#observe = parts.observe;
  }

  async tick({ term, token, refused }: Reign): Promise<number> {
    const ask = { term: String(term), token, cursor: this.#cursor, count: this.#count };
    const reply = await this.#partition.run(sweep, ask);
    if (reply.status === 'stale_term') {
      refused('sweep');
      return 1_000;
    }
    this.#cursor = reply.cursor;
    if (reply.looked > 0) {
      const fitting = Math.floor(bytesAimed / (reply.bytes / reply.looked));
      this.#count = Math.max(1, Math.min(lookedMax, fitting, 2 * this.#count));
    }
    if (reply.swept > 0) this.#observe({ type: 'swept', queue: this.#partition.queue, count: reply.swept });
    return reply.unbalanced > 0 ? 20 : 2_000;
  }
}
