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

/**
 * The partitions of a queue, and which of them an id belongs to. Today there is one; nothing but this class knows.
 */
export class Partitions {
  readonly all: readonly Partition[];

  constructor({ queue, prefix, callerFor }: { queue: string; prefix: string; callerFor: (key: string) => Caller }) {
    const caller = callerFor(partitionKeys(prefix, queue, 0).meta);
    this.all = [new Partition({ queue, prefix, index: 0, partitions: 1, caller })];
  }

  /** Where the queue's one seat is kept: its lock, its epoch, what is said of them. */
  get home(): Partition {
    return this.all[0] as Partition;
  }

  of(id: string): Partition {
    return this.all[partitionOf(id, this.all.length)] as Partition;
  }
}
