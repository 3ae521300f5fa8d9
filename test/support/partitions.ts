import type { Queue } from '../../src/index.js';
import { type PartitionKeys, partitionKeys } from '../../src/keys.js';
import { partitionOf } from '../../src/partition-of.js';
import type { Lab } from './lab.js';

/** Ids that go to this partition, of so many. */
export function idsIn(partition: number, { of, count }: { of: number; count: number }): string[] {
  const ids: string[] = [];
  for (let at = 0; ids.length < count; at += 1) if (partitionOf(`t${at}`, of) === partition) ids.push(`t${at}`);
  return ids;
}

export interface PartitionsLab {
  keysOf(partition: number): PartitionKeys;
  /** A queue object that was told so many; nothing is in Redis yet. */
  queueOf(partitions: number): Queue;
  /** The same, settled in Redis. */
  created(partitions: number): Promise<Queue>;
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
  };
}
