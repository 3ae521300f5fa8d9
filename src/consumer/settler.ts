import { Batcher, type BatcherParts, type Fault } from '../batcher.js';
import type { Clock } from '../clock.js';
import { assert } from '../errors.js';
import type { Random } from '../random.js';
import { Lanes } from '../redis/lanes.js';
import type { Link } from '../redis/link.js';
import type { Partition } from '../redis/partition.js';
import type { Caller } from '../redis/script.js';
import { bury, type NextReply, next, retry } from '../redis/scripts.generated.js';
import { areInRow, type Delivery } from './delivery.js';
import type { Settlement } from './settlement.js';

/** `lost`: no longer this consumer's, nothing was changed. `cancelled`: ended by cancel while the handler was at work. */
export type SettleAnswer = 'settled' | 'lost' | 'cancelled';

/** How a delivery ends. */
export interface Ending {
  readonly settlement: Settlement;
  /** What is kept of the failures so far; empty when there were none. */
  readonly run: string;
}

/** The delivery that ends, as the scripts know it again. */
type Owned = Pick<Delivery, 'consumer' | 'entry' | 'count' | 'id' | 'place'>;

type Retry = Owned & { readonly delayMs: number; readonly run: string };

type Burial = Owned & { readonly reason: string; readonly run: string; readonly recordLength: number };

/** What a script needs beside its items, and where it goes. */
interface Way {
  readonly lane: string;
  readonly call: number;
  readonly consumer: string;
  readonly on: { caller?: Caller; timeoutMs: number };
}

/** Of a read that finds the queue paused, or no group, the ends it took along count all the same. */
type Marks = { status: 'ok' | 'paused' | 'no_group'; marks: string } | { status: 'late_call' };

type Write<I> = (items: readonly I[], way: Way) => Promise<Marks>;

/** The ends that a read takes along; `items` is empty when there are none. */
export interface Along {
  readonly lane: string;
  readonly call: number;
  readonly items: readonly Owned[];
  readonly inRow: 0 | 1;
  readonly timeoutMs?: number;
}

type Next = Exclude<NextReply, { status: 'other_layout' }>;

const answerOf: Readonly<Record<string, SettleAnswer>> = { o: 'settled', l: 'lost', c: 'cancelled' };

/**
 * How much longer than a lease an end is tried to be written. Its heartbeat stops after one lease, so that others may have
 * the task; but when it was Redis that was away, nobody takes it for one more lease, and its end is worth that wait. All
 * of it is well under the hour after which a silent lane is forgotten.
 */
const patienceMs = 300_000;
const patienceMsMax = 1_800_000;

export interface SettlerParts {
  partition: Partition;
  clock: Clock;
  random: Random;
  leaseMs: number;
  /** Ends go on the connection of the next read, unless it is blocked: the two are one write and one reply. */
  reader: Link;
}

/**
 * Writes the ends of deliveries, in batches, each exactly once: a call whose reply was lost, or that Redis refused, is
 * repeated with its number. What was taken over by others meanwhile is answered `lost`.
 */
export class Settler {
  readonly #parts: SettlerParts;
  readonly #lanes: Lanes;
  readonly #complete: Write<Owned>;
  readonly #completions: Batcher<Owned, SettleAnswer>;
  readonly #retries: Batcher<Retry, SettleAnswer>;
  readonly #burials: Batcher<Burial, SettleAnswer>;

  constructor(parts: SettlerParts) {
    const { partition, clock, random, leaseMs } = parts;
    this.#parts = parts;
    const patience = {
      repeatForMs: Math.min(leaseMs + patienceMs, patienceMsMax),
      tryMs: leaseMs / 3,
      repeatRefused: true,
      waitMsMax: leaseMs / 6, // an outage holds recovery for one lease: an end is written by then, or is another's
    };
    this.#lanes = new Lanes({ clock, random, ...patience, lanesMax: 8 });
    this.#complete = (items, { lane, call, consumer, on }) =>
      partition.run(next, { lane, call, consumer, group: '', free: 0, bytesMax: 0, inRow: inRowOf(items), items }, on);
    this.#completions = this.#batcher({ turnEnd: () => clock.sleep(0), inFlightMax: 3 }, this.#complete);
    this.#retries = this.#batcher({}, (items, { on, ...way }) => partition.run(retry, { ...way, items }, on));
    this.#burials = this.#batcher({ bytesOf: ({ recordLength }) => recordLength }, (items, { on, ...way }) =>
      partition.run(bury, { ...way, items }, on),
    );
  }

  /** `onAnswer` is called once, later, and must not throw. */
  settle(delivery: Delivery, { settlement, run }: Ending, onAnswer: (answer: SettleAnswer | Fault) => void): void {
    const { consumer, entry, count, id, record } = delivery;
    switch (settlement.kind) {
      case 'complete':
        return this.#completions.put(delivery, onAnswer);
      case 'retry': {
        const delayMs = Math.ceil(settlement.delayMs);
        return this.#retries.put({ consumer, entry, count, id, delayMs, run }, onAnswer);
      }
      case 'bury': {
        const { reason } = settlement;
        return this.#burials.put({ consumer, entry, count, id, reason, run, recordLength: record.length }, onAnswer);
      }
    }
  }

  /**
   * Lets a read take along the ends that wait, so that both are one call: `read` is given them, and its reply has their
   * marks. When that fails they are repeated by themselves, while the read is told.
   */
  along(consumer: string, read: (along: Along) => Promise<Next>): Promise<Next> {
    const batch = this.#lanes.isFree ? this.#completions.take((first) => first.consumer === consumer) : undefined;
    if (batch === undefined) return read(nothing);
    let reading: Promise<Next> | undefined;
    void batch.send((items) =>
      this.#send(items, (same, way) => {
        if (reading !== undefined) return this.#complete(same, way);
        const { lane, call, on } = way;
        reading = read({ lane, call, items, inRow: inRowOf(items), timeoutMs: on.timeoutMs });
        return reading;
      }),
    );
    assert(reading, 'along: a free lane makes its first try at once');
    return reading;
  }

  /** A batch is of what was read under one name: nearly always that is all. */
  #batcher<I extends Owned>(limits: Partial<BatcherParts<I, SettleAnswer>>, write: Write<I>): Batcher<I, SettleAnswer> {
    return new Batcher<I, SettleAnswer>({
      inFlightMax: 2,
      itemsMax: 100,
      bytesMax: 1024 * 1024,
      bytesOf: () => 50,
      together: (first, { consumer }) => first.consumer === consumer,
      ...limits,
      send: (items) => this.#send(items, write),
    });
  }

  async #send<I extends Owned>(items: readonly I[], write: Write<I>): Promise<SettleAnswer[]> {
    const { partition, reader } = this.#parts;
    const { consumer = '' } = items[0] ?? {};
    // Asked for each command: when Redis does not know the script, the reader may be blocked before it is sent whole.
    const free = (): Caller => (reader.isUp && !reader.isBlocked ? reader : partition.caller);
    const caller: Caller = { send: (args, options) => free().send(args, options) };
    const reply = await this.#lanes.call(({ lane, call, timeoutMs }) =>
      write(items, { lane, call, consumer, on: { caller, timeoutMs } }),
    );
    assert(reply.status !== 'late_call', 'settle: late_call for a call that nobody else makes');
    return items.map((_item, at) => {
      const answer = answerOf[reply.marks[at] ?? ''];
      assert(answer, `settle: no mark for item ${at}`);
      return answer;
    });
  }
}

const nothing: Along = { lane: '', call: 0, items: [], inRow: 0 };

function inRowOf(items: readonly Owned[]): 0 | 1 {
  return areInRow(items) ? 1 : 0;
}
