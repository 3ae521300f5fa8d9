import type { Partition, Partitions } from './partition.js';
import { handedOut, release } from './scripts.generated.js';

/** Where the keys of a partition may have belonged before the queue grew: with the same rest, in each of the former numbers. */
export function splitFrom({ index }: Partition, { layout, all }: Partitions): readonly Partition[] {
  const indexes = new Set(layout.former.map((partitions) => index % partitions));
  indexes.delete(index);
  return [...indexes].map((one) => all[one] as Partition);
}

/**
 * Lets a new partition hand out its tasks when those it was split from have handed out what was due before. Anybody may do
 * it, and however late: what it rests on does not change back.
 */
export async function releaseWhenDue(partition: Partition, partitions: Partitions): Promise<void> {
  const before = splitFrom(partition, partitions);
  const replies = await Promise.all(before.map((one) => one.run(handedOut, {})));
  if (replies.every(({ done }) => done === 1)) await partition.run(release, {});
}
