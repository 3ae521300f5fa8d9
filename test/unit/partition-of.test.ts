import { expect, test } from 'vitest';
import { crc16, partitionOf } from '../../src/partition-of.js';

/** The slots are those that CLUSTER KEYSLOT of a Redis 7 gives. */
test.each([
  ['', 0],
  ['123456789', 0x31c3],
  ['A', 0x58e5],
])('crc16 of %j is %d', (text, crc) => {
  expect(crc16(text)).toBe(crc);
});

test.each([
  ['foo', 12182],
  ['somekey', 11058],
  ['grüße', 3194],
  ['日本語', 12788],
  ['😀', 2959],
])('%j lies in the Redis Cluster slot %d', (key, slot) => {
  expect(partitionOf(key, 16_384)).toBe(slot);
});

test('a lone surrogate counts as U+FFFD', () => {
  expect(crc16('a\ud800')).toBe(crc16('a\ufffd'));
});

test('braces mean nothing', () => {
  expect(crc16('{user}1')).not.toBe(crc16('{user}2'));
});

test("of two partitions the checksum's last bit decides", () => {
  expect(partitionOf('123456789', 2)).toBe(1);
});

test('of one partition everything is in partition 0', () => {
  expect(partitionOf('123456789', 1)).toBe(0);
});

test('keys spread over partitions within a tenth of even', () => {
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (let number = 0; number < 70_000; number += 1) {
    const partition = partitionOf(`task-${number}`, 7);
    counts[partition] = (counts[partition] ?? Number.NaN) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(9_000);
  expect(Math.max(...counts)).toBeLessThan(11_000);
});

test.each([[0], [-1], [1.5], [Number.NaN]])('%d partitions is our own bug', (partitions) => {
  expect(() => partitionOf('a', partitions)).toThrow(expect.objectContaining({ name: 'BugError' }));
});
