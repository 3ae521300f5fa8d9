import { Batcher, Fault } from '../batcher.js';
import type { Clock } from '../clock.js';
import { assert } from '../errors.js';
import type { Observe } from '../events.js';
import type { LaneCall, Lanes } from '../redis/lanes.js';
import type { Partition } from '../redis/partition.js';
import type { Replication } from '../redis/replication.js';
import { type AddReply, add } from '../redis/scripts.generated.js';
import type { AddItem } from './new-task.js';

export type AddStatus = 'scheduled' | 'ready' | 'duplicate';

/** moved: the queue has another layout by now, in which the task may belong elsewhere. Nothing was added. */
export type AddAnswer = AddStatus | 'moved';

const statusOf: Readonly<Record<string, AddStatus>> = { r: 'ready', s: 'scheduled', d: 'duplicate' };

interface Dated {
  readonly item: AddItem;
  readonly madeAtMs: number;
}

/** Part of an addMany, small enough for one call. */
interface Chunk {
  readonly items: readonly AddItem[];
  readonly madeAtMs: number;
}

const inFlightMax = 4;
const itemsMax = 250;
const bytesMax = 128 * 1024;
/** A call more costs both sides about 30 microseconds together: a twentieth of what so many tasks take. */
const halvesFrom = 48;

export interface AdderParts {
  partition: Partition;
  /** In which its tasks belong to this partition. */
  layout: string;
  lanes: Lanes;
  clock: Clock;
  observe: Observe;
  /** What an add waits for, beside the reply of Redis. */
  replication: Replication | undefined;
}

/**
 * Adds checked tasks to one partition, in batches: 250 small tasks take Redis about 2 ms, large ones are cut by bytes.
 *
 * A batch is as old as its youngest task, so that none is given up before its time; and it holds what came within a
 * quarter of the time a call has, so that none is given up much later: four batches under way span all of that time.
 *
 * Of many that come at once half go first, and the rest a turn of the event loop later. In one write Redis would answer both
 * together, and whoever adds the next task with each answer would make it and Node wait for each other by turns.
 */
export class Adder {
  readonly #partition: Partition;
  readonly #layout: string;
  readonly #lanes: Lanes;
  readonly #observe: Observe;
  readonly #clock: Clock;
  readonly #replication: Replication | undefined;
  readonly #single: Batcher<Dated, AddAnswer>;
  readonly #bulk: Batcher<Chunk, AddAnswer[]>;

  constructor(parts: AdderParts) {
    this.#partition = parts.partition;
    this.#layout = parts.layout;
    this.#lanes = parts.lanes;
    this.#observe = parts.observe;
    this.#clock = parts.clock;
    this.#replication = parts.replication;
    const spreadMsMax = parts.lanes.patienceMs / inFlightMax;
    const later = (): Promise<void> => this.#clock.sleep(0);
    this.#single = new Batcher({
      inFlightMax,
      itemsMax,
      bytesMax,
      bytesOf: ({ item }) => item.record.length,
      halves: { from: halvesFrom, later },
      together: (first, { madeAtMs }) => madeAtMs - first.madeAtMs <= spreadMsMax,
      send: (dated) =>
        this.#send(
          dated.map(({ item }) => item),
          dated.at(-1)?.madeAtMs,
        ),
    });
    this.#bulk = new Batcher({
      inFlightMax,
      itemsMax: 1,
      bytesMax: 1,
      bytesOf: () => 1,
      halves: { from: 2, later }, // Redis works on the first while the others are put into bytes
      send: async ([chunk]) => (chunk ? [await this.#send(chunk.items, chunk.madeAtMs)] : []),
    });
  }

  add(item: AddItem): Promise<AddAnswer> {
    return this.#single.add({ item, madeAtMs: this.#clock.monotonicMs() });
  }

  /** Many at once: for each, in order, its status, or the fault of the call it went with. Never rejects. */
  async addAll(items: readonly AddItem[]): Promise<(AddAnswer | Fault)[]> {
    const madeAtMs = this.#clock.monotonicMs();
    const chunks = chunksOf(items);
    const answers = await Promise.allSettled(chunks.map((chunk) => this.#bulk.add({ items: chunk, madeAtMs })));
    return answers.flatMap((answer, at): readonly (AddAnswer | Fault)[] => {
      if (answer.status === 'fulfilled') return answer.value;
      const fault = new Fault(answer.reason);
      return (chunks[at] ?? []).map(() => fault);
    });
  }

  #send(items: readonly AddItem[], madeAtMs: number | undefined): Promise<AddAnswer[]> {
    const write = (): Promise<AddAnswer[]> => this.#write(items, madeAtMs);
    if (!this.#replication) return write();
    return this.#replication.confirmed(this.#partition, write, ([first]) => first !== 'moved');
  }

  async #write(items: readonly AddItem[], madeAtMs: number | undefined): Promise<AddAnswer[]> {
    const layout = this.#layout;
    const write = ({ lane, call, timeoutMs }: LaneCall): Promise<AddReply> =>
      this.#partition.runIn(add, { lane, call, items }, { layout, timeoutMs });
    const reply = await this.#lanes.call(write, madeAtMs);
    if (reply.status === 'other_layout') return items.map(() => 'moved');
    assert(reply.status === 'ok', `add: ${reply.status} for a call that nobody else makes`);
    const statuses = items.map((_item, at) => {
      const status = statusOf[reply.marks[at] ?? ''];
      assert(status, `add: no mark for item ${at}`);
      return status;
    });
    this.#tell(items, statuses);
    return statuses;
  }

  /** One observation for a run of tasks of one name that fared the same: nearly always that is all of them. */
  #tell(items: readonly AddItem[], statuses: readonly AddStatus[]): void {
    const { queue } = this.#partition;
    for (let from = 0, to = 1; from < items.length; from = to, to += 1) {
      const { name } = items[from] as AddItem;
      const status = statuses[from] as AddStatus;
      while (items[to]?.name === name && statuses[to] === status) to += 1;
      this.#observe({ type: 'added', queue, name, status, count: to - from });
    }
  }
}

function chunksOf(items: readonly AddItem[]): AddItem[][] {
  const chunks: AddItem[][] = [];
  let bytes = bytesMax;
  for (const item of items) {
    const last = chunks.at(-1);
    if (last && last.length < itemsMax && bytes < bytesMax) last.push(item);
    else {
      chunks.push([item]);
      bytes = 0;
    }
    bytes += item.record.length;
  }
  return chunks;
}
