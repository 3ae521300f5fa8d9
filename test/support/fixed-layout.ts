import { layoutOf, otherLayout } from '../../src/layout.js';
import type { KnownLayout } from '../../src/redis/partition.js';

/** That of a queue that does not grow. */
export function fixedLayout(partitions = 1): KnownLayout {
  const text = layoutOf(partitions);
  return {
    text,
    partitions,
    former: [],
    meet: (_index, found) => Promise.reject(otherLayout('q', text, found)),
    bringAll: async () => {},
    finish: async () => {},
    onGrown: () => {},
  };
}
