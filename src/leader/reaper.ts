import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { reap } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

const batchMax = 100;
/** A read that came late, on a dead connection, may make a consumer anew that nobody joined: ten leases of 30 s. */
const strayIdleMs = 300_000;

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
    const ask = { term: String(term), token, cursor: this.#cursor, count: batchMax, strayIdleMs };
    const reply = await this.#partition.run(reap, ask);
    if (reply.status === 'stale_term') refused('reap');
    else this.#cursor = reply.cursor;
    return this.#cursor === '0' ? 5_000 : 100;
  }
}
