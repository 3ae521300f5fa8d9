import { expect, test } from 'vitest';
import { type Page, pageOver } from '../../src/producer/pages.js';
import type { Partition, Partitions } from '../../src/redis/partition.js';

const kept = [['1-0', '2-0', '3-0'], [], ['4-0', '5-0']];
const partitions = { all: kept.map((_, index) => ({ index })) } as unknown as Partitions;

/** Items of a partition that come after a place, as a script reads them. */
async function read({ index }: Partition, from: string, limit: number): Promise<Page<string>> {
  const rest = (kept[index] ?? []).filter((item) => item > from);
  const items = rest.slice(0, limit);
  return { items, after: rest.length > limit ? (items.at(-1) ?? null) : null };
}

const page = (after: string, limit: number): Promise<Page<string>> =>
  pageOver(partitions, { after, limit, place: /^\d+-0$/ }, read);

test.each([1, 2, 3, 4, 5, 6])('pages of %i go over all partitions, each item once', async (limit) => {
  const seen: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const next: Page<string> = await page(after, limit);
    expect(next.items.length).toBeLessThanOrEqual(limit);
    seen.push(...next.items);
    after = next.after;
  }
  expect(seen).toEqual(kept.flat());
});

test.each(['9/', '3/1-0', '0/nonsense', '1-0', '-1/', 'x/1-0'])('%o is no place that a page gave', async (after) => {
  await expect(page(after, 1)).rejects.toThrow('after must be what the last page gave');
});

test('a partition that gives more than it was asked for ends the page', async () => {
  const asked: number[] = [];
  const generous = async (partition: Partition, from: string, limit: number): Promise<Page<string>> => {
    asked.push(limit);
    return read(partition, from, limit + 2);
  };
  const first = await pageOver(partitions, { after: '', limit: 1, place: /^\d+-0$/ }, generous);
  expect(first).toEqual({ items: ['1-0', '2-0', '3-0'], after: '1/' });
  expect(asked).toEqual([1]);
});
