import { Waker } from '../loop.js';
import { partitionOf } from '../partition-of.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { handedOut, release, scan } from '../redis/scripts.generated.js';
import { decodeRecord } from '../task.js';
import type { Duty } from './duty.js';

const scanMax = 100;
const scanBytesMax = 128 * 1024;
/** While new partitions wait for what was there before them: soon it is over, or there is a backlog. */
const soonMs = 50;
const backlogMs = 500;
const soonTicks = 20;
/** So often all partitions are brought up to the layout again: one that has lost its own may have come back as a new one. */
const againTicks = 20;
/** While there are tasks that belong elsewhere by now: a million of them are walked over in an hour. */
const slowMs = 350;
/** Nothing grows: it is woken when something does. */
const restMs = 60_000;

/**
 * Sees a growth of the queue through, in three stages: all partitions have the new layout; the new ones hand out their tasks,
 * each when those that it shares keys with have handed out what was due before; nothing lies any more where it would
 * not belong by now, and the former layout is forgotten.
 *
 * Each step holds whoever makes it and however late, for what it rests on does not change back, so none needs a term: the
 * leader has this duty so that somebody has.
 */
export class Growth implements Duty {
  readonly name = 'grow';
  readonly waker: Waker = new Waker();
  readonly #partitions: Partitions;
  #seen = '';
  #ticks = 0;
  readonly #handedOut = new Set<number>();
  readonly #released = new Set<number>();
  /** Where the walk over a partition's tasks is; 'done' once a whole one met none that belongs elsewhere. */
  readonly #cursors = new Map<Partition, string>();

  constructor(parts: { partitions: Partitions }) {
    this.#partitions = parts.partitions;
  }

  async tick(): Promise<number> {
    const { layout, all } = this.#partitions;
    const { text, former } = layout;
    if (former.length === 0) return restMs;
    if (text !== this.#seen) this.#begin(text);
    const failures = new Failures();
    if (this.#ticks % againTicks === 0) await failures.of([layout.bringAll()]);
    this.#ticks += 1;
    const old = all.slice(0, Math.max(...former));
    const added = all.slice(Math.min(...former));
    await failures.of(old.map((partition) => this.#askWhetherHandedOut(partition)));
    await failures.of(added.map((partition) => this.#releaseWhenDue(partition)));
    const isReleased = this.#released.size === added.length;
    if (isReleased) await failures.of(old.map((partition) => this.#walk(partition)));
    failures.tell();
    if (!isReleased) return this.#ticks < soonTicks ? soonMs : backlogMs;
    if (old.some((partition) => this.#cursors.get(partition) !== 'done')) return slowMs;
    if (layout.text === text) await layout.finish();
    return restMs;
  }

  #begin(text: string): void {
    this.#seen = text;
    this.#ticks = 0;
    this.#handedOut.clear();
    this.#released.clear();
    this.#cursors.clear();
  }

  async #askWhetherHandedOut(partition: Partition): Promise<void> {
    if (this.#handedOut.has(partition.index)) return;
    const { done } = await partition.run(handedOut, {});
    if (done === 1) this.#handedOut.add(partition.index);
  }

  /** Its keys belonged to the partition with the same rest, in each of the former numbers. */
  async #releaseWhenDue(partition: Partition): Promise<void> {
    const { index } = partition;
    if (this.#released.has(index) && this.#ticks % againTicks !== 1) return;
    const { former } = this.#partitions.layout;
    const before = former.map((partitions) => index % partitions).filter((one) => one !== index);
    if (!before.every((one) => this.#handedOut.has(one))) return;
    await partition.run(release, {});
    this.#released.add(index);
  }

  /** A page that has such a task is looked at again until it has gone: so a walk costs one page at a time. */
  async #walk(partition: Partition): Promise<void> {
    const cursor = this.#cursors.get(partition) ?? '0';
    if (cursor === 'done') return;
    const page = await partition.run(scan, { cursor, count: scanMax, bytesMax: scanBytesMax });
    if (page.tasks.some((task) => this.#belongsElsewhere(task, partition))) return;
    this.#cursors.set(partition, page.cursor === '0' ? 'done' : page.cursor);
  }

  #belongsElsewhere({ id, record }: { id: string; record: string }, { index }: Partition): boolean {
    const decoded = decodeRecord(record);
    const key = decoded.kind === 'record' ? decoded.record.key : undefined;
    return partitionOf(key ?? id, this.#partitions.layout.partitions) !== index;
  }
}

/** One that can't be asked holds up no other; the first failure is told when all have had their turn. */
class Failures {
  readonly #all: unknown[] = [];

  async of(work: readonly Promise<void>[]): Promise<void> {
    for (const one of await Promise.allSettled(work)) if (one.status === 'rejected') this.#all.push(one.reason);
  }

  tell(): void {
    if (this.#all.length > 0) throw this.#all[0];
  }
}
