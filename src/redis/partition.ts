import { assert } from '../errors.js';
import { layoutOf, type PartitionKeys, partitionKeys } from '../keys.js';
import { partitionOf } from '../partition-of.js';
import { otherLayout } from '../task.js';
import { type Caller, runScript, type Script } from './script.js';

/** All but what `run` gives to every script by itself. */
type OwnArgs<A> = Omit<A, 'layout' | 'nowMs'>;

/**
 * One slice of a queue: its keys, in one cluster slot, and a connection to where they live. Scripts, leader and
 * consumers work on a partition and know no more of the queue than this.
 */
export class Partition {
  readonly queue: string;
  readonly index: number;
  readonly keys: PartitionKeys;
  readonly layout: string;
  readonly caller: Caller;

  constructor(at: { queue: string; prefix: string; index: number; partitions: number; caller: Caller }) {
    this.queue = at.queue;
    this.index = at.index;
    this.keys = partitionKeys(at.prefix, at.queue, at.index);
    this.layout = layoutOf(at.partitions);
    this.caller = at.caller;
  }

  /** Runs a script here, by the server's clock. Another layout than ours is an error, whatever the script. */
  async run<K, A, R extends { status: string }>(
    script: Script<K, A, R>,
    args: NoInfer<OwnArgs<A>>,
    on: { caller?: Caller; timeoutMs?: number | undefined } = {},
  ): Promise<Exclude<R, { status: 'other_layout' }>> {
    const reply = await runScript<K, A, R>(on.caller ?? this.caller, script, {
      keys: this.keys as K,
      args: { ...args, layout: this.layout, nowMs: 0 } as A, // the spread first: else it is a slow one
      timeoutMs: on.timeoutMs,
    });
    if (reply.status === 'other_layout') {
      throw otherLayout(this.queue, this.layout, (reply as unknown as { layout: string }).layout);
    }
    return reply as Exclude<R, { status: 'other_layout' }>;
  }
}

/** How many there are, as far as is known by now. */
interface Count {
  readonly partitions: number;
}

/** The partitions of a queue, and which of them a key belongs to. How many there are must have been learned before. */
export class Partitions {
  readonly #at: { queue: string; prefix: string; layout: Count; callerFor: (key: string) => Caller };
  #all: readonly Partition[] = [];

  constructor(at: { queue: string; prefix: string; layout: Count; callerFor: (key: string) => Caller }) {
    this.#at = at;
  }

  get all(): readonly Partition[] {
    const { queue, prefix, layout, callerFor } = this.#at;
    const { partitions } = layout;
    assert(partitions > 0, `how many partitions "${queue}" has was not learned before they were used`);
    if (this.#all.length !== partitions) {
      this.#all = Array.from({ length: partitions }, (_, index) => {
        const caller = callerFor(partitionKeys(prefix, queue, index).meta);
        return new Partition({ queue, prefix, index, partitions, caller });
      });
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
}
