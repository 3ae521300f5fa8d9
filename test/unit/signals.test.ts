import { expect, test } from 'vitest';
import { parseSignal } from '../../src/signals.js';

test.each([
  ['due 1800000000000', { kind: 'due', dueMs: 1_800_000_000_000 }],
  ['vacant 7', { kind: 'vacant', term: 7 }],
  ['resign 1795366372498000', { kind: 'resign', term: 1_795_366_372_498_000 }],
  ['paused', { kind: 'paused' }],
  ['resumed', { kind: 'resumed' }],
  ['cancelled an id with spaces', { kind: 'cancelled', id: 'an id with spaces' }],
])('"%s" is understood', (message, signal) => {
  expect(parseSignal(message)).toEqual(signal);
});

test.each(['', ' ', 'unheard of', 'Paused', 'paused2'])('"%s" of a newer version is passed over', (message) => {
  expect(parseSignal(message)).toBeUndefined();
});
