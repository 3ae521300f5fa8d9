import { expect, test } from 'vitest';
import { areInRow, type Delivery, readDeliveries } from '../../src/consumer/delivery.js';

const read = (count: number, inRow = true): Delivery[] =>
  readDeliveries(
    'c',
    Array.from({ length: count }, (_, at) => ({
      entry: `${at}-1`,
      id: `t${at}`,
      dueMs: at,
      record: '["n"]',
      run: null,
    })),
    inRow,
  );

test('what one read brought is in a row, as far as it is whole and in order', () => {
  const [a, b, c] = read(3) as [Delivery, Delivery, Delivery];
  expect(a).toMatchObject({ consumer: 'c', entry: '0-1', count: 1, id: 't0', dueMs: 0, record: '["n"]', run: null });
  expect(
    [
      [a, b],
      [b, c],
      [a, b, c],
    ].map(areInRow),
  ).toEqual([true, true, true]);
  expect([[a, c], [b, a], [a, a], [c], []].map(areInRow)).toEqual([false, false, false, false, false]);
});

test('what two reads brought is not, nor what others may have left gaps in, nor what was recovered', () => {
  const [first, second] = [read(2), read(2)];
  expect(areInRow([...first, ...second])).toBe(false);
  expect(areInRow(second)).toBe(true);
  expect(areInRow(read(2, false))).toBe(false);
  const [a, b] = first.map(({ place: _, ...recovered }) => recovered) as [Delivery, Delivery];
  expect(areInRow([a, b])).toBe(false);
});
