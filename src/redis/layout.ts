import { layoutOf, partitionKeys, partitionsIn } from '../keys.js';
import { runLoop } from '../loop.js';
import type { Common } from '../options.js';
import { otherLayout, otherPartitions } from '../task.js';
import { type Caller, runScript } from './script.js';
import { create } from './scripts.generated.js';

export interface LayoutParts {
  queue: string;
  prefix: string;
  /** Where a partition's key lives. A lost reply may be repeated: asking and settling are safe to repeat. */
  callerFor: (key: string) => Caller;
  /** What this process was told; undefined: whatever Redis says. */
  believed: number | undefined;
}

/**
 * How many partitions a queue has. Its first partition keeps that, so that all who use the queue mean the same: whoever
 * comes first decides, and a process that was told another number is refused.
 */
export class Layout {
  readonly #parts: LayoutParts;
  #partitions = 0;
  #isSettled = false;
  #settling: Promise<void> | undefined;

  constructor(parts: LayoutParts) {
    this.#parts = parts;
  }

  /** As last learned; 0 before that. */
  get partitions(): number {
    return this.#partitions;
  }

  /** Whether it will not change any more. That of a queue which nobody has used yet may. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Asks Redis, and settles it there if nobody has. Rejects with ERR_OTHER_LAYOUT when this process was told otherwise. */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** Asks Redis. A queue that nobody has used is taken to be as this process was told, or of one partition. */
  async read(): Promise<void> {
    const { believed = 1 } = this.#parts;
    const layout = (await this.#stored(0)) ?? (await this.#stored(1));
    if (layout === undefined) this.#partitions = believed;
    else this.#learn(layout);
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
   * The first partition may have lost it, with its server or by hand, while others still have theirs: a queue of many must
   * not become one of one, with most of its tasks out of sight.
   */
  async #settle(): Promise<void> {
    const { queue, prefix, callerFor, believed = 1 } = this.#parts;
    const stored = await this.#stored(0);
    if (stored !== undefined) return this.#learn(stored);
    const wanted = (await this.#stored(1)) ?? layoutOf(believed);
    this.#check(wanted);
    const keys = partitionKeys(prefix, queue, 0);
    const { layout } = await runScript(callerFor(keys.meta), create, { keys, args: { layout: wanted } });
    this.#learn(layout);
  }

  /** What a partition has; undefined when it was never written to. */
  async #stored(partition: number): Promise<string | undefined> {
    const { queue, prefix, callerFor } = this.#parts;
    const { meta } = partitionKeys(prefix, queue, partition);
    const layout = await callerFor(meta).send(['HGET', meta, 'layout']);
    return typeof layout === 'string' ? layout : undefined;
  }

  #learn(layout: string): void {
    this.#partitions = this.#check(layout);
    this.#isSettled = true;
  }

  /** How many that are, unless this process was told otherwise. */
  #check(layout: string): number {
    const { queue, believed } = this.#parts;
    const partitions = partitionsIn(layout);
    if (partitions === undefined) throw otherLayout(queue, layoutOf(believed ?? 1), layout);
    if (believed !== undefined && believed !== partitions) throw otherPartitions(queue, believed, partitions);
    return partitions;
  }
}
