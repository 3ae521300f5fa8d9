import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { type SweepReply, sweep } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

/** Redis takes about a millisecond for as many. */
const batchMax = 100;
const bytesMax = 128 * 1024;
const fastMs = 5;
/** A million records take an hour; an empty queue is looked at every two seconds. */
const slowMs = 350;
const restMs = 2_000;

type Swept = Extract<SweepReply, { status: 'ok' }>;

/**
 * Walks over all records, for ever, and puts back what is neither scheduled nor live: slowly in health, fast when the
 * counts say that something is missing or too many. What a whole fast pass could not mend is no reason to hurry any more.
 */
export class Sweeper implements Duty {
  readonly name = 'sweep';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  readonly #observe: Observe;
  #cursor = '0';
  #mendedInPass = 0;
  #passIsFast = false;
  #unmendable = 0;

  constructor(parts: { partition: Partition; observe: Observe }) {
    this.#partition = parts.partition;
    this.#observe = parts.observe;
  }

  async tick({ term, token, refused }: Reign): Promise<number> {
    const ask = { term: String(term), token, cursor: this.#cursor, count: batchMax, bytesMax };
    const reply = await this.#partition.run(sweep, ask);
    if (reply.status === 'stale_term') {
      refused('sweep');
      return 1_000;
    }
    this.#cursor = reply.cursor;
    if (reply.swept > 0) this.#observe({ type: 'swept', queue: this.#partition.queue, count: reply.swept });
    if (this.#isWorthHaste(reply)) return fastMs;
    return reply.cursor === '0' ? restMs : slowMs;
  }

  #isWorthHaste({ cursor, swept, cleared, unbalanced }: Swept): boolean {
    const mended = swept + cleared;
    this.#mendedInPass += mended;
    this.#unmendable = mended > 0 ? 0 : Math.min(this.#unmendable, unbalanced);
    if (cursor === '0') {
      if (this.#passIsFast && this.#mendedInPass === 0) this.#unmendable = unbalanced;
      this.#mendedInPass = 0;
      this.#passIsFast = true;
    }
    const isWorthHaste = unbalanced > this.#unmendable;
    this.#passIsFast &&= isWorthHaste;
    return isWorthHaste;
  }
}
