import { invalid } from '../errors.js';
import type { Partition, Partitions } from '../redis/partition.js';

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null at the end. */
  readonly after: string | null;
}

/** What to read: `place` is what a place within a partition looks like. */
export interface PageRequest {
  readonly after: string;
  readonly limit: number;
  readonly place: RegExp;
}

/** Reads up to `limit` items of one partition, from a place within it; '' is its beginning. */
export type ReadPage<T> = (partition: Partition, from: string, limit: number) => Promise<Page<T>>;

/** One page over all partitions, one after the other. `after` is 'partition/place', as the last page gave it. */
export async function pageOver<T>(partitions: Partitions, request: PageRequest, read: ReadPage<T>): Promise<Page<T>> {
  let { index, from } = startOf(partitions, request);
  const items: T[] = [];
  for (; index < partitions.all.length; index += 1, from = '') {
    if (items.length >= request.limit) return { items, after: `${index}/` };
    const page = await read(partitions.all[index] as Partition, from, request.limit - items.length);
    items.push(...page.items);
    if (page.after !== null) return { items, after: `${index}/${page.after}` };
  }
  return { items, after: null };
}

function startOf(partitions: Partitions, { after, place }: PageRequest): { index: number; from: string } {
  if (after === '') return { index: 0, from: '' };
  const [, index = '', from = ''] = (typeof after === 'string' && /^(\d{1,6})\/(.*)$/su.exec(after)) || [];
  if (index === '' || Number(index) >= partitions.all.length || (from !== '' && !place.test(from))) {
    throw invalid('after must be what the last page gave');
  }
  return { index: Number(index), from };
}
