import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { age } from '../redis/scripts.generated.js';
import type { Duty, Reign } from './duty.js';

const dayMs = 86_400_000;
const batchMax = 100;

/** How long ends are kept. A lane is kept far longer than a call is repeated (10 minutes at most). */
const kept = { endedAgeMs: dayMs, endedMax: 10_000, deadAgeMs: 90 * dayMs, laneAgeMs: 3_600_000 };

/** Ended tasks, dead letters and silent lanes are forgotten when they were kept long enough. */
export class Ager implements Duty {
  readonly name = 'age';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  #cursor = '0';

  constructor(parts: { partition: Partition }) {
    this.#partition = parts.partition;
  }

  async tick({ term, token, refused }: Reign): Promise<number> {
    const ask = { term: String(term), token, ...kept, cursor: this.#cursor, limit: batchMax, bytesMax: 1024 * 1024 };
    const reply = await this.#partition.run(age, ask);
    if (reply.status === 'stale_term') {
      refused('age');
      return 5_000;
    }
    this.#cursor = reply.cursor;
    return reply.aged > 0 || reply.cursor !== '0' ? 100 : 5_000;
  }
}
