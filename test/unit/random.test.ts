import { describe, expect, test } from 'vitest';
import { partitionOf } from '../../src/partition-of.js';
import { newTaskId, newTaskIdThat } from '../../src/random.js';

const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('an id', () => {
  const ids = many(20_000, newTaskId);

  test('has 14 characters that need no quoting, and does not look like a flag', () => {
    expect(ids.filter((id) => !/^[A-Za-z0-9_][A-Za-z0-9_-]{13}$/.test(id))).toEqual([]);
  });

  test('is never the same twice', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('may have any character at any other place', () => {
    for (let at = 1; at < 14; at += 1) expect(new Set(ids.map((id) => id[at])).size).toBe(64);
  });
});

describe('an id that has to fit', () => {
  test('is found for each of 1,024 partitions', () => {
    for (let partition = 0; partition < 1024; partition += 1) {
      const id = newTaskIdThat((head, end) => partitionOf(head + end, 1024) === partition);
      expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{13}$/);
      expect(partitionOf(id, 1024)).toBe(partition);
    }
  });

  test('has each end that fits about as often as any other', () => {
    const counts = new Map<string, number>();
    for (const id of many(6_400, () => newTaskIdThat((_head, end) => end.endsWith('7')))) {
      counts.set(id.slice(-2), (counts.get(id.slice(-2)) ?? 0) + 1);
    }
    expect(counts.size).toBe(64);
    expect(Math.min(...counts.values())).toBeGreaterThan(40); // a hundred, give or take ten
    expect(Math.max(...counts.values())).toBeLessThan(160);
  });

  test('has another head when no end fits', () => {
    const heads = new Set<string>();
    const id = newTaskIdThat((head) => heads.add(head).size === 3);
    expect(heads.size).toBe(3);
    expect([...heads][2]).toBe(id.slice(0, -2));
  });
});
