import { Waker } from '../loop.js';
import { partitionOf } from '../partition-of.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { handedOut, release } from '../redis/scripts.generated.js';
import { splitFrom } from '../redis/split.js';
import type { Duty } from './duty.js';
import { Walk } from './walk.js';

/** While new partitions wait for what was there before them: soon it is over, or there is a backlog. */
const soonMs = 50;
const backlogMs = 500;
const soonTicks = 20;
/** So often all partitions are brought up to the layout again: one that has lost its own may have come back as a new one. */
const againMs = 30_000;
/** Nothing grows: it is woken when something does. */
const restMs = 60_000;
/**
 * After a step of the walk. Between two pages: a million tasks are walked over in five minutes, at a few per cent of a core of
 * Redis. Between two looks whether a task that belongs elsewhere has gone: three a second.
 */
const waitMsAfter = { more: 20, met: 350, done: restMs };

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
  /** Waited since all partitions were brought up; Infinity: they have not been. */
  #waitedMs = Number.POSITIVE_INFINITY;
  readonly #handedOut = new Set<Partition>();
  readonly #released = new Set<Partition>();
  #walk: Walk | undefined;

  constructor(parts: { partitions: Partitions }) {
    this.#partitions = parts.partitions;
  }

  async tick(): Promise<number> {
    const { text, former } = this.#partitions.layout;
    if (former.length === 0) return restMs;
    if (text !== this.#seen) this.#begin(text);
    const waitMs = await this.#goOn(former);
    this.#waitedMs += waitMs;
    return waitMs;
  }

  async #goOn(former: readonly number[]): Promise<number> {
    const { layout, all } = this.#partitions;
    const { text } = layout;
    const failures = new Failures();
    const isAnew = this.#waitedMs >= againMs;
    this.#ticks += 1;
    if (isAnew) this.#waitedMs = 0;
    if (isAnew) await failures.of([layout.bringAll()]);
    const old = all.slice(0, Math.max(...former));
    const waiting = all.slice(1).filter((one) => isAnew || !this.#released.has(one));
    await failures.of(old.map((partition) => this.#askWhetherHandedOut(partition)));
    await failures.of(waiting.map((partition) => this.#releaseWhenDue(partition)));
    failures.tell();
    if (this.#released.size < all.length - 1) return this.#ticks < soonTicks ? soonMs : backlogMs;
    this.#walk ??= new Walk(old, (place, index) => partitionOf(place, layout.partitions) !== index);
    const found = await this.#walk.step();
    if (found === 'done' && layout.text === text) await layout.finish();
    return waitMsAfter[found];
  }

  #begin(text: string): void {
    this.#seen = text;
    this.#ticks = 0;
    this.#waitedMs = Number.POSITIVE_INFINITY;
    this.#handedOut.clear();
    this.#released.clear();
    this.#walk = undefined;
  }

  async #askWhetherHandedOut(partition: Partition): Promise<void> {
    if (this.#handedOut.has(partition)) return;
    const { done } = await partition.run(handedOut, {});
    if (done === 1) this.#handedOut.add(partition);
  }

  /** Nearly all of those that were there before wait for nothing; one of an earlier growth may have missed its end. */
  async #releaseWhenDue(partition: Partition): Promise<void> {
    if (!splitFrom(partition, this.#partitions).every((one) => this.#handedOut.has(one))) return;
    await partition.run(release, {});
    this.#released.add(partition);
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
