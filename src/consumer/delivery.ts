import { decodeRecord } from '../task.js';

/** One handing-over of a task to one consumer, opened: its handler may start. */
export interface Delivery {
  /** The name it was read under; it keeps it, whatever the reader is called by now. */
  readonly consumer: string;
  /** Its stream id. */
  readonly entry: string;
  /** Which delivery of this entry: 1 unless a lease was lost. With the entry it is the proof of ownership. */
  readonly count: number;
  readonly id: string;
  readonly dueMs: number;
  readonly record: string;
  readonly run: string | null;
  /** Of two with numbers one apart: in the stream there was nothing between them when they were read. */
  readonly place?: number;
}

/** Whether the stream has nothing but these from the first to the last of them. */
export function areInRow(some: readonly Pick<Delivery, 'place'>[]): boolean {
  return some.length > 1 && some.every(({ place = 0 }, at) => at === 0 || place - 1 === some[at - 1]?.place);
}

type Opened = Pick<Delivery, 'entry' | 'id' | 'dueMs' | 'record' | 'run'>;

let places = 0;

/** What was read, and opened, by one consumer. `inRow`: one read brought it, and nothing else that would be between. */
export function readDeliveries(consumer: string, opened: readonly Opened[], inRow: boolean): Delivery[] {
  places += 1; // of two reads nothing is in a row
  return opened.map((one) => new ReadDelivery(consumer, one, (places += inRow ? 1 : 2)));
}

/**
 * A class and no literal: where most of a literal's first objects live through a collection, V8 takes all later ones for old
 * at once, and what they hold with them, which then is garbage until the next full collection. The first deliveries of a
 * worker do live so long.
 */
class ReadDelivery implements Delivery {
  readonly consumer: string;
  readonly entry: string;
  readonly count = 1;
  readonly id: string;
  readonly dueMs: number;
  readonly record: string;
  readonly run: string | null;
  readonly place: number;

  constructor(consumer: string, { entry, id, dueMs, record, run }: Opened, place: number) {
    this.consumer = consumer;
    this.entry = entry;
    this.id = id;
    this.dueMs = dueMs;
    this.record = record;
    this.run = run;
    this.place = place;
  }
}

/** Why `ctx.signal` was aborted. */
export type AbortReason = 'lease_lost' | 'cancelled' | 'timed_out' | 'stopping';

/** What `ctx.signal.reason` is. */
export class DeliveryAborted extends Error {
  override readonly name = 'AbortError';
  readonly why: AbortReason;

  constructor(why: AbortReason) {
    super(wordsOf[why]);
    this.why = why;
  }
}

const wordsOf: Readonly<Record<AbortReason, string>> = {
  lease_lost: 'the lease can no longer be trusted: another consumer may have this task by now',
  cancelled: 'the task was cancelled',
  timed_out: 'the handler took longer than its timeout',
  stopping: 'the worker is stopping and its drain time is over',
};

/** What was read under one name goes in one call. */
export function byConsumer<T extends { readonly delivery: Delivery }>(some: Iterable<T>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of some) {
    const group = groups.get(one.delivery.consumer);
    if (group) group.push(one);
    else groups.set(one.delivery.consumer, [one]);
  }
  return groups;
}

/** The name in its record, as far as that can be read. */
export function nameOf({ record }: Delivery): string {
  const decoded = decodeRecord(record);
  return decoded.kind === 'record' ? decoded.record.name : '';
}
