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

/** What became of the call an ending went with. */
type Fault = { readonly error: unknown };

const answerOf: Readonly<Record<string, SettleAnswer>> = { o: 'settled', l: 'lost', c: 'cancelled' };

/**
 * How much longer than a lease an end is tried to be written. Its heartbeat stops after one lease, so that others may have
 * the task; but when it was Redis that was away, nobody takes it for one more lease, and its end is worth that wait. All
 * of it is well under the hour after which a silent lane is forgotten.
 */
const patienceMs = 300_000;
const patienceMsMax = 1_800_000;

/**
 * Writes the ends of deliveries, in batches, each exactly once: a call whose reply was lost, or that Redis refused, is
 * repeated with its number. What was taken over by others meanwhile is answered `lost`.
 */
export class Settler {
  readonly #partition: Partition;
  readonly #lanes: Lanes;
  readonly #batcher: Batcher<Ending, SettleAnswer | Fault>;

  constructor(parts: { partition: Partition; clock: Clock; random: Random; leaseMs: number }) {
    const { partition, clock, random, leaseMs } = parts;
    this.#partition = partition;
    const patience = {
      repeatForMs: Math.min(leaseMs + patienceMs, patienceMsMax),
      tryMs: leaseMs / 3,
      repeatRefused: true,
      waitMsMax: leaseMs / 6, // an outage holds recovery for one lease: an end is written by then, or is another's
    };
    this.#lanes = new Lanes({ clock, random, ...patience, lanesMax: 4 });
    this.#batcher = new Batcher({
      inFlightMax: 2,
      itemsMax: 100,
      bytesMax: 1024 * 1024,
      bytesOf: ({ verb, delivery }) => (verb === 'bury' ? delivery.record.length : 50), // only a letter carries the record
      send: (endings) => this.#send(endings),
    });
  }

  async settle(ending: Ending): Promise<SettleAnswer> {
    const answer = await this.#batcher.add(ending);
    if (typeof answer === 'object') throw answer.error;
    return answer;
  }

  /** One call for each name these were read under: nearly always one. One that fails is no news of the others. */
  async #send(endings: readonly Ending[]): Promise<(SettleAnswer | Fault)[]> {
    const answers = new Map<Ending, SettleAnswer | Fault>();
    const groups = byConsumer(endings);
    await Promise.all(
      [...groups].map(async ([consumer, group]) => {
        const marks = await this.#call(consumer, group).catch((error: unknown) => ({ error }));
        group.forEach((ending, at) => {
          const answer = typeof marks === 'object' ? marks : answerOf[marks[at] ?? ''];
          assert(answer, `settle: no mark for item ${at}`);
          answers.set(ending, answer);
        });
      }),
    );
    return endings.map((ending) => answers.get(ending) as SettleAnswer | Fault);
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
