import { systemClock } from '../../src/clock.js';
import type { Queue } from '../../src/index.js';
import { type PartitionKeys, partitionKeys } from '../../src/keys.js';
import { partitionOf } from '../../src/partition-of.js';
import { Layout } from '../../src/redis/layout.js';
import { Partitions } from '../../src/redis/partition.js';
import type { Caller } from '../../src/redis/script.js';
import type { Lab } from './lab.js';

/** Ids that go to this partition, of so many. */
export function idsIn(partition: number, { of, count }: { of: number; count: number }): string[] {
  const ids: string[] = [];
  for (let at = 0; ids.length < count; at += 1) if (partitionOf(`t${at}`, of) === partition) ids.push(`t${at}`);
  return ids;
}

/** Ids that belong to `from` of two partitions, and to `to` of four. */
export function movingIds(from: number, to: number, count: number): string[] {
  return idsIn(to, { of: 4, count }).filter((id) => partitionOf(id, 2) === from);
}

export interface PartitionsLab {
  keysOf(partition: number): PartitionKeys;
  /** A queue object that was told so many; nothing is in Redis yet. */
  queueOf(partitions: number): Queue;
  /** The same, settled in Redis. */
  created(partitions: number): Promise<Queue>;
  /** What a process knows of the queue as it is now; `callerFor` is its way to a key. */
  known(callerFor?: (key: string) => Caller): Promise<{ layout: Layout; partitions: Partitions }>;
  /** What a partition has. */
  layoutAt(partition: number): Promise<unknown>;
}

/** Queues of several partitions in this lab, through the public API. */
export function partitionsIn(lab: () => Lab): PartitionsLab {
  const queueOf = (partitions: number): Queue => lab().newQueue({ partitions });
  return {
    keysOf: (partition) => partitionKeys('duestream', lab().name, partition),
    queueOf,
    created: async (partitions) => {
      const queue = queueOf(partitions);
      await queue.create();
      return queue;
    },
    known: async (callerFor = () => lab().link) => {
      const at = { queue: lab().name, prefix: 'duestream', callerFor };
      const layout = new Layout({ ...at, clock: systemClock, believed: undefined });
      await layout.settle();
      return { layout, partitions: new Partitions({ ...at, layout }) };
    },
    layoutAt: (partition) => lab().send('HGET', partitionKeys('duestream', lab().name, partition).meta, 'layout'),
  };
}
