import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { reap } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

const batchMax = 100;

/** Consumers that are dead, with nothing pending, are forgotten. */
export class Reaper implements Duty {
  readonly name = 'reap';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  #cursor = '0';

  constructor(parts: { partition: Partition }) {
    this.#partition = parts.partition;
  }

  async tick({ term, token, refused }: Reign): Promise<number> {
    const reply = await this.#partition.run(reap, { term: String(term), token, cursor: this.#cursor, count: batchMax });
    if (reply.status === 'stale_term') refused('reap');
    else this.#cursor = reply.cursor;
    return this.#cursor === '0' ? 5_000 : 100;
  }
}
