import {
  isAfter,
  layoutOf,
  noMultiple,
  notAll,
  notThere,
  otherLayout,
  otherPartitions,
  type Shape,
  shapeOf,
} from '../layout.js';
import { runLoop } from '../loop.js';
import type { Common } from '../options.js';
import { LayoutStore, type LayoutStoreParts, type Root } from './layout-store.js';
import type { KnownLayout } from './partition.js';

export interface LayoutParts extends LayoutStoreParts {
  /** What this process was told; undefined: whatever Redis says. */
  believed: number | undefined;
}

const unknown: Shape = { partitions: 0, former: [] };

/**
 * How many partitions a queue has. Its first partition keeps that, so that all who use the queue mean the same: whoever
 * comes first decides, and a process that was told another number is refused when it starts.
 *
 * A queue that grows does so at its first partition, in one step; the others follow. Every script is given the layout, so
 * whoever meets a partition that is ahead learns from it, and whoever meets one that is behind brings it up: nobody has to
 * be told, and it does not matter where the one who began has stopped.
 */
export class Layout implements KnownLayout {
  readonly #parts: LayoutParts;
  readonly #store: LayoutStore;
  readonly #listeners: (() => void)[] = [];
  #text = '';
  #shape = unknown;
  #isSettled = false;
  /** What it is to grow to: whoever was told that may do it. */
  #target: number | undefined;
  #settling: Promise<void> | undefined;

  constructor(parts: LayoutParts) {
    this.#parts = parts;
    this.#store = new LayoutStore(parts);
  }

  /** As last learned; '' before that. */
  get text(): string {
    return this.#text;
  }

  /** As last learned; 0 before that. */
  get partitions(): number {
    return this.#shape.partitions;
  }

  get former(): readonly number[] {
    return this.#shape.former;
  }

  /** Whether Redis has said so. That of a queue which nobody has used yet may become any. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  onGrown(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Asks Redis, and settles it there if nobody has. Rejects with ERR_OTHER_LAYOUT when this process was told otherwise. */
  settle(): Promise<void> {
    this.#settling ??= this.#settle(this.#parts.believed ?? 1).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** Asks Redis. A queue that nobody has used is taken to be as this process was told, or of one partition. */
  async read(): Promise<void> {
    const { believed = 1 } = this.#parts;
    const { layout } = await this.#store.find();
    if (layout !== undefined) this.#learn(layout);
    else if (!this.#isSettled) this.#take(layoutOf(believed));
  }

  /** Settles it, again and again until Redis answers or the signal aborts; then it is false. */
  async untilSettled(
    { clock, random }: Pick<Common<unknown>, 'clock' | 'random'>,
    signal: AbortSignal,
    onFailure: (error: unknown) => void,
  ): Promise<boolean> {
    const done = new AbortController();
    const tick = async (): Promise<number> => {
      await this.settle();
      done.abort();
      return 0;
    };
    const either = AbortSignal.any([signal, done.signal]);
    await runLoop({ clock, random, signal: either, tick, onFailure });
    return done.signal.aborted && !signal.aborted;
  }

  /**
   * Makes it that many partitions, and all of them follow. True when it became so by this; false when it was so already.
   * ERR_INVALID_ARGUMENT when it can't: fewer, or no multiple.
   */
  async grow(partitions: number): Promise<boolean> {
    this.#target = partitions;
    const { layout, isLost } = await this.#store.find();
    if (layout === undefined && !this.#isSettled) throw notThere(this.#parts.queue);
    if (layout === undefined || isLost) await this.#settle(partitions);
    else this.#learn(layout);
    if (this.partitions !== partitions) await this.#learnNewest();
    const from = this.#text;
    const isNew = this.partitions !== partitions;
    if (isNew) {
      const next = layoutOf(partitions, [this.partitions, ...this.former]);
      if (!isAfter(next, from)) throw noMultiple(this.#parts.queue, this.partitions, partitions);
      const reply = await this.#store.grow(0, { layout: next, from, waits: '' });
      if (reply.status === 'other_layout') {
        await this.meet(0, reply.layout); // somebody else was first
        return this.grow(partitions);
      }
      this.#learn(next);
    }
    if (this.former.length > 0) await this.#bringAll(from);
    return isNew;
  }

  /** The first partition may have lost a growth that others know of: then this one must come on top of that. */
  async #learnNewest(): Promise<void> {
    const texts = await this.#store.all(this.partitions);
    for (const text of texts) if (text !== undefined && isAfter(text, this.#text)) this.#learn(text);
  }

  async finish(): Promise<void> {
    const from = this.#text;
    const next = layoutOf(this.partitions);
    const reply = await this.#store.grow(0, { layout: next, from, waits: '' });
    if (reply.status === 'other_layout') return; // it grows again
    this.#learn(next);
    await this.#bringAll(from);
  }

  async bringAll(): Promise<void> {
    await this.#bringAll(this.#text);
  }

  async meet(index: number, found: string): Promise<void> {
    if (found === this.#text) return; // learned meanwhile
    if (!this.#isSettled || isAfter(found, this.#text)) return this.#learn(found);
    const isPast = this.#isPast(found);
    const root = await this.#store.root().catch((error: unknown) => {
      if (index > 0 && isPast) return undefined; // that it is away is no reason to let this one wait
      throw error;
    });
    if (root?.layout !== undefined && isAfter(root.layout, this.#text)) return this.#learn(root.layout);
    if (root && root.layout !== this.#text) await this.#bringRoot(root);
    if (found !== '' && !isAfter(this.#text, found)) throw otherLayout(this.#parts.queue, this.#text, found);
    if (index > 0) await this.#bring(index, found, root);
  }

  /** The first partition has lost what others still have: brings it up again. Else it is another queue's, by our name. */
  async #bringRoot(root: Root): Promise<void> {
    const { layout } = root;
    const isOurs = layout === undefined ? this.former.length > 0 : this.#isPast(layout);
    const isKnown = layout !== undefined && isAfter(this.#text, layout) && (await this.#isElsewhere());
    if (!isOurs && !isKnown) throw otherLayout(this.#parts.queue, this.#text, layout ?? 'none');
    await this.#bring(0, layout ?? '', root);
  }

  async #isElsewhere(): Promise<boolean> {
    return (await this.#store.all(this.partitions)).slice(1).includes(this.#text);
  }

  /** Whether ours names it as its past, or is the same without a past. */
  #isPast(layout: string): boolean {
    const shape = shapeOf(layout);
    if (shape === undefined || !isAfter(this.#text, layout)) return false;
    return this.former.includes(shape.partitions) || shape.partitions === this.partitions;
  }

  /**
   * The first partition may have lost it, with its server or by hand, while others still have theirs: a queue of many must
   * not become one of one, with most of its tasks out of sight.
   */
  async #settle(wanted: number): Promise<void> {
    const known = this.#isSettled ? this.#text : layoutOf(wanted);
    const { isLost, layout = known } = await this.#store.find();
    if (!isLost) return this.#learn(layout);
    this.#check(layout);
    this.#learn(await this.#store.create(layout));
  }

  async #bringAll(from: string): Promise<void> {
    const root = await this.#store.root();
    const all = Array.from({ length: this.partitions }, (_, index) => index);
    const before = shapeOf(from)?.partitions ?? 0;
    const brought = await Promise.allSettled(all.map((index) => this.#bring(index, index < before ? from : '', root)));
    const failed = brought.flatMap((one, index) =>
      one.status === 'rejected' ? [{ index, error: one.reason as unknown }] : [],
    );
    if (failed.length > 0) throw notAll(this.#parts.queue, this.partitions, failed);
  }

  /** Brings one partition up to the layout. What it has may not be what we take it to have: then it says so. */
  async #bring(index: number, taken: string, root: Root | undefined): Promise<void> {
    const layout = this.#text;
    const isNew = index >= Math.min(...this.former, this.partitions);
    let from = taken;
    for (let tries = 0; tries < 3; tries += 1) {
      const waits = from === '' && isNew ? String(Number(root?.isPaused ?? false)) : '';
      const reply = await this.#store.grow(index, { layout, from, waits });
      if (reply.status === 'ok') return;
      if (isAfter(reply.layout, layout)) return this.#learn(reply.layout);
      if (reply.layout !== '' && !isAfter(layout, reply.layout)) break;
      from = reply.layout;
    }
    throw otherLayout(this.#parts.queue, layout, from);
  }

  /** What Redis has. It may be older than what we know: then it is for who meets it to bring it up. */
  #learn(layout: string): void {
    this.#check(layout);
    const isNew = !this.#isSettled || isAfter(layout, this.#text);
    if (!isNew && layout !== this.#text && !isAfter(this.#text, layout)) {
      throw otherLayout(this.#parts.queue, this.#text, layout);
    }
    if (isNew) this.#take(layout);
    this.#isSettled = true;
  }

  #take(layout: string): void {
    const before = this.partitions;
    this.#text = layout;
    this.#shape = shapeOf(layout) ?? unknown;
    if (before > 0 && this.partitions > before) for (const listener of this.#listeners) listener();
  }

  /** Throws unless it is of our format and, when this process starts, of the number that it was told. */
  #check(layout: string): void {
    const { queue, believed } = this.#parts;
    const shape = shapeOf(layout);
    if (shape === undefined) throw otherLayout(queue, layoutOf(believed ?? 1), layout);
    if (this.#isSettled || believed === undefined || believed === shape.partitions || believed === this.#target) return;
    throw otherPartitions(queue, believed, shape.partitions);
  }
}
