import { assert } from '../errors.js';
import { otherLayout, type Shape } from '../layout.js';
import { type PartitionKeys, partitionKeys } from '../keys.js';
import { partitionOf } from '../partition-of.js';
import { type Caller, runScript, type Script } from './script.js';

/** What this process knows of a queue's layout by now. It must have been learned before partitions are used. */
export interface KnownLayout extends Shape {
  readonly text: string;
  /**
   * A partition has another one: learns it, or brings the partition up to ours; then the call may be made again. Rejects with
   * ERR_OTHER_LAYOUT when neither will do.
   */
  meet(index: number, found: string): Promise<void>;
  /** Brings up all partitions that are behind. */
  bringAll(): Promise<void>;
  /** Forgets what the queue has grown from: nothing lies any more where it would not belong by now. */
  finish(): Promise<void>;
  /** From now on it is called whenever there are more partitions than before. */
  onGrown(listener: () => void): void;
}

/** All but what `run` gives to every script by itself. */
type OwnArgs<A> = Omit<A, 'layout' | 'nowMs'>;

interface On {
  readonly caller?: Caller | undefined;
  readonly timeoutMs?: number | undefined;
}

/** More layouts than that are not met in one call: a queue does not grow all the time. */
const meetingsMax = 5;

/**
 * One slice of a queue: its keys, in one cluster slot, and a connection to where they live. Scripts, leader and
 * consumers work on a partition and know no more of the queue than this.
 */
export class Partition {
  readonly queue: string;
  readonly index: number;
  readonly keys: PartitionKeys;
  readonly caller: Caller;
  readonly #layout: KnownLayout;

  constructor(at: { queue: string; prefix: string; index: number; layout: KnownLayout; caller: Caller }) {
    this.queue = at.queue;
    this.index = at.index;
    this.keys = partitionKeys(at.prefix, at.queue, at.index);
    this.caller = at.caller;
    this.#layout = at.layout;
  }

  /** Runs a script here, by the server's clock, in whatever layout the queue has. One that we can't follow is an error. */
  run<K, A, R extends { status: string }>(
    script: Script<K, A, R>,
    args: NoInfer<OwnArgs<A>>,
    on: On = {},
  ): Promise<Exclude<R, { status: 'other_layout' }>> {
    return this.#run(script, args, on) as Promise<Exclude<R, { status: 'other_layout' }>>;
  }

  /**
   * Runs a script here in that layout alone. `other_layout`: nothing was done, and by now we know that the queue has another.
   * When it is only this partition that was behind, the call is made again as it was, for a late copy of it would be
   * taken by now: only with the same lane and number it still has its effect once.
   */
  runIn<K, A, R extends { status: string }>(
    script: Script<K, A, R>,
    args: NoInfer<OwnArgs<A>>,
    on: On & { layout: string },
  ): Promise<R> {
    return this.#run(script, args, on);
  }

  /** Without a `layout` in that of the queue, whatever that is by then. */
  async #run<K, A, R extends { status: string }>(
    script: Script<K, A, R>,
    own: OwnArgs<A>,
    { layout: wanted, caller = this.caller, timeoutMs }: On & { layout?: string },
  ): Promise<R> {
    for (let meetings = 0; meetings < meetingsMax; meetings += 1) {
      const layout = wanted ?? this.#layout.text;
      const args = { layout, nowMs: 0, ...own } as A; // the spread last: adding to its copy takes microseconds
      const reply = await runScript<K, A, R>(caller, script, { keys: this.keys as K, args, timeoutMs });
      if (!isOther(reply)) return reply;
      await this.#layout.meet(this.index, reply.layout);
      if (wanted !== undefined && this.#layout.text !== wanted) return reply;
    }
    throw otherLayout(this.queue, this.#layout.text, 'one that changes all the time');
  }
}

function isOther(reply: { status: string }): reply is { status: 'other_layout'; layout: string } {
  return reply.status === 'other_layout';
}

/** The partitions of a queue, and which of them a key belongs to. */
export class Partitions {
  readonly layout: KnownLayout;
  readonly #at: { queue: string; prefix: string; callerFor: (key: string) => Caller };
  #all: readonly Partition[] = [];

  constructor(at: { queue: string; prefix: string; layout: KnownLayout; callerFor: (key: string) => Caller }) {
    this.#at = at;
    this.layout = at.layout;
  }

  /** A partition stays the same one when the queue grows. */
  get all(): readonly Partition[] {
    const { partitions } = this.layout;
    const { length } = this.#all;
    if (length !== partitions) {
      assert(partitions > 0, `how many partitions "${this.#at.queue}" has was not learned before they were used`);
      const more = Array.from({ length: Math.max(0, partitions - length) }, (_, nth) => this.#make(length + nth));
      this.#all = [...this.#all.slice(0, partitions), ...more];
    }
    return this.#all;
  }

  /** Where the queue's one seat is kept: its lock, its epoch, what is said of them. */
  get home(): Partition {
    return this.all[0] as Partition;
  }

  /** That of a task's key, or of its id when it has none. */
  of(keyOrId: string): Partition {
    const { all } = this;
    return all[partitionOf(keyOrId, all.length)] as Partition;
  }

  /** Where tasks of this key belong, and wherever they may have belonged since the queue was made: it grows by multiples. */
  placesOf(key: string): readonly Partition[] {
    const { all } = this;
    const divisors = all.map((_, at) => at + 1).filter((divisor) => all.length % divisor === 0);
    return [...new Set(divisors.toReversed().map((partitions) => all[partitionOf(key, partitions)] as Partition))];
  }

  /** Where else a task may lie that was added before the queue grew. */
  formerOf(keyOrId: string): readonly Partition[] {
    const { former } = this.layout;
    if (former.length === 0) return [];
    const places = new Set(former.map((partitions) => this.all[partitionOf(keyOrId, partitions)] as Partition));
    places.delete(this.of(keyOrId));
    return [...places];
  }

  #make(index: number): Partition {
    const { queue, prefix, callerFor } = this.#at;
    const caller = callerFor(partitionKeys(prefix, queue, index).meta);
    return new Partition({ queue, prefix, index, layout: this.layout, caller });
  }
}
