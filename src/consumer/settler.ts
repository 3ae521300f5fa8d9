import { Batcher } from '../batcher.js';
import type { Clock } from '../clock.js';
import { assert } from '../errors.js';
import type { Random } from '../random.js';
import { Lanes } from '../redis/lanes.js';
import type { Partition } from '../redis/partition.js';
import { settle } from '../redis/scripts.generated.js';
import { byConsumer, type Delivery } from './delivery.js';

/** How a delivery ends, as the script takes it. */
export interface Ending {
  readonly delivery: Delivery;
  readonly verb: 'complete' | 'retry' | 'bury';
  /** Of a retry its delay in ms, of a burial its reason. */
  readonly value: string;
  /** What `runs` and a dead letter keep of the failures. */
  readonly run: string;
}

/** `lost`: no longer this consumer's, nothing was changed. `cancelled`: ended by cancel while the handler was at work. */
export type SettleAnswer = 'settled' | 'lost' | 'cancelled';

const answerOf: Readonly<Record<string, SettleAnswer>> = { o: 'settled', l: 'lost', c: 'cancelled' };

/**
 * Writes the ends of deliveries, in batches, each exactly once: a call whose reply was lost is repeated for one lease
 * with its number. After that the deliveries are somebody else's, or will be; the caller is told by the error.
 */
export class Settler {
  readonly #partition: Partition;
  readonly #lanes: Lanes;
  readonly #batcher: Batcher<Ending, SettleAnswer>;

  constructor(parts: { partition: Partition; clock: Clock; random: Random; leaseMs: number }) {
    const { partition, clock, random, leaseMs } = parts;
    this.#partition = partition;
    this.#lanes = new Lanes({ clock, random, repeatForMs: leaseMs, lanesMax: 4 });
    this.#batcher = new Batcher({
      inFlightMax: 2,
      itemsMax: 100,
      bytesMax: 1024 * 1024,
      bytesOf: ({ verb, delivery }) => (verb === 'bury' ? delivery.record.length : 50), // only a letter carries the record
      send: (endings) => this.#send(endings),
    });
  }

  settle(ending: Ending): Promise<SettleAnswer> {
    return this.#batcher.add(ending);
  }

  /** One call for each name these were read under: nearly always one. */
  async #send(endings: readonly Ending[]): Promise<SettleAnswer[]> {
    const answers = new Map<Ending, SettleAnswer>();
    const groups = byConsumer(endings);
    await Promise.all(
      [...groups].map(async ([consumer, group]) => {
        const marks = await this.#call(consumer, group);
        group.forEach((ending, at) => {
          const answer = answerOf[marks[at] ?? ''];
          assert(answer, `settle: no mark for item ${at}`);
          answers.set(ending, answer);
        });
      }),
    );
    return endings.map((ending) => answers.get(ending) as SettleAnswer);
  }

  async #call(consumer: string, endings: readonly Ending[]): Promise<string> {
    const items = endings.map(({ delivery: { entry, count, id }, verb, value, run }) => ({
      entry,
      count,
      id,
      verb,
      value,
      run,
    }));
    const reply = await this.#lanes.call((call) => this.#partition.run(settle, { ...call, consumer, items }, call));
    assert(reply.status === 'ok', `settle: ${reply.status} for a call that nobody else makes`);
    return reply.marks;
  }
}
