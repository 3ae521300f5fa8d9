import type { Observe } from '../events.js';
import type { Partition } from '../redis/partition.js';
import { handBack as handBackScript } from '../redis/scripts.generated.js';
import { decodeRun, encodeRunHandedBack } from '../task.js';
import { byConsumer, type Delivery, nameOf } from './delivery.js';

/** Returns unstarted deliveries, so that another consumer gets them at once, or after a delay. Safe to repeat. */
export async function handBack(
  deliveries: readonly Delivery[],
  { partition, observe, delayMs }: { partition: Partition; observe: Observe; delayMs: number },
): Promise<void> {
  for (const [consumer, group] of byConsumer(deliveries.map((delivery) => ({ delivery })))) {
    const items = group.map(({ delivery: { entry, count, id, dueMs, run } }) => ({
      entry,
      count,
      id,
      dueMs,
      run: encodeRunHandedBack(decodeRun(run), count),
    }));
    const { marks } = await partition.run(handBackScript, { consumer, delayMs, items });
    group.forEach(({ delivery }, at) => {
      if (marks[at] !== 'o' || delivery.record === '') return; // unopened: its name is not known
      observe({ type: 'settled', queue: partition.queue, name: nameOf(delivery), outcome: 'handed_back' });
    });
  }
}
