import { expect, test } from 'vitest';
import { DuestreamError } from '../../src/errors.js';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { SlotMap } from '../../src/redis/cluster/slot-map.js';
import { turnOf } from '../../src/redis/cluster/turn.js';

/** As CLUSTER KEYSLOT of a Redis 7 gives them. */
test.each([
  ['foo', 12_182],
  ['{foo}', 12_182],
  ['a:{foo}:b', 12_182],
  ['a{foo}{bar}', 12_182],
  ['{foo', 13_308],
  ['foo{}', 5542],
  ['{}foo', 9500],
  ['a}b{foo}', 12_182],
])('%j lies in slot %d', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

test('a map tells masters from replicas, and has nobody where nobody is', () => {
  const map = new SlotMap(
    [
      [0, 99, ['10.0.0.1', 7000, 'id', []], ['10.0.0.4', 7003, 'id', []]],
      [200, 16_383, ['::1', 7001, 'id', []]],
    ],
    'seed:1',
  );
  expect([0, 99, 100, 199, 200, 16_383].map((slot) => map.masterOf(slot))).toEqual([
    '10.0.0.1:7000',
    '10.0.0.1:7000',
    undefined,
    undefined,
    '[::1]:7001',
    '[::1]:7001',
  ]);
  expect([...map.masters]).toEqual(['10.0.0.1:7000', '[::1]:7001']);
  expect([...map.nodes]).toEqual(['10.0.0.1:7000', '10.0.0.4:7003', '[::1]:7001']);
  expect(map.uncovered).toEqual([[100, 199]]);
  map.move(150, 'another:1');
  expect(map.masterOf(150)).toBe('another:1');
  expect(map.uncovered).toEqual([
    [100, 149],
    [151, 199],
  ]);
  expect(new SlotMap([], 'seed:1').uncovered).toEqual([[0, 16_383]]);
});

test.each([[''], ['?'], [null]])('a node that calls itself %j is where it was asked', (host) => {
  const map = new SlotMap([[0, 16_383, [host, 7000, 'id']]], '[::1]:6379');
  expect(map.masterOf(1)).toBe('[::1]:7000');
});

test('what is no map has nobody', () => {
  expect(new SlotMap([], 'a:1').masters.size).toBe(0);
  expect(new SlotMap('QUEUED', 'a:1').masterOf(0)).toBeUndefined();
});

test.each<[string, unknown]>([
  ['MOVED 866 10.0.0.2:7001', { kind: 'moved', slot: 866, node: '10.0.0.2:7001' }],
  ['MOVED 866 ::1:7001', { kind: 'moved', slot: 866, node: '[::1]:7001' }],
  ['MOVED 866 :7001', { kind: 'moved', slot: 866, node: 'from:7001' }],
  ['MOVED 866 ?:7001', { kind: 'moved', slot: 866, node: 'from:7001' }],
  ['ASK 866 10.0.0.2:7001', { kind: 'ask', node: '10.0.0.2:7001' }],
  ['TRYAGAIN Multiple keys request during rehashing of slot', { kind: 'split' }],
  ['CLUSTERDOWN Hash slot not served', { kind: 'down' }],
  ['WRONGTYPE Operation against a key', undefined],
  ['NOSCRIPT No matching script', undefined],
])('%j leads to %j', (message, turn) => {
  expect(turnOf(new DuestreamError('ERR_REDIS_REPLY', message), 'from:1')).toEqual(turn);
});

test('only what Redis said is a word on where to go', () => {
  expect(turnOf(new DuestreamError('ERR_OUTCOME_UNKNOWN', 'MOVED 866 10.0.0.2:7001'), 'from:1')).toBeUndefined();
  expect(turnOf(new Error('MOVED 866 10.0.0.2:7001'), 'from:1')).toBeUndefined();
});
