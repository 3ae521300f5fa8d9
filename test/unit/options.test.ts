import { describe, expect, test } from 'vitest';
import { tellAll } from '../../src/events.js';
import { resolveCommon, wholeNumber } from '../../src/options.js';
import { resolveWorkerOptions } from '../../src/worker-options.js';

describe('what every part is told', () => {
  test('has its defaults', () => {
    const { connection, prefix, commandTimeoutMs } = resolveCommon({}, 'redis://fallback');
    expect([connection, prefix, commandTimeoutMs]).toEqual(['redis://fallback', 'duestream', 5_000]);
  });

  test.each([
    [null, /object/],
    ['redis://x', /object/],
    [
      { retry: 1 },
      /^unknown option "retry": expected one of connection, prefix, partitions, observe, commandTimeout, extra$/,
    ],
    [{ prefix: '' }, /^prefix/],
    [{ prefix: 'a{b' }, /^prefix/],
    [{ prefix: 'x'.repeat(65) }, /^prefix/],
    [{ partitions: 0 }, /^partitions must be a whole number from 1 to 1024, got 0$/],
    [{ commandTimeout: 99 }, /^commandTimeout must be from 100ms to 10m, got 99$/],
    [{ commandTimeout: '5' }, /^commandTimeout needs a unit/],
    [{ observe: {} }, /^observe/],
  ])('%j is refused', (options, says) => {
    expect(() => resolveCommon(options as never, 'x', ['extra'])).toThrow(says);
  });
});

test('a worker has its defaults', () => {
  expect(resolveWorkerOptions({}, 'host:1')).toMatchObject({
    concurrency: 10,
    leaseMs: 30_000,
    leader: 'allow',
    drainMs: 20_000,
    lostMax: 5,
    id: 'host:1',
    tuning: { lockNodes: undefined, lockTtlMs: 5_000 }, // none named: the own server votes
    defaults: { attemptsMax: 5, backoff: { type: 'exponential', delayMs: 1_000, maxMs: 3_600_000 } },
  });
});

test.each([0, 11, 1.5, Number.NaN, '5', null, undefined])('%j is no whole number from 1 to 10', (value) => {
  expect(() => wholeNumber(value, 'field', { min: 1, max: 10 })).toThrow(
    /^field must be a whole number from 1 to 10, got /,
  );
});

test('an observer that throws keeps nobody else from hearing', () => {
  const heard: unknown[] = [];
  const thrower = (): never => {
    throw new Error('observer');
  };
  tellAll([thrower, undefined, (one) => heard.push(one.type)])({ type: 'swept', queue: 'q', count: 1 });
  expect(heard).toEqual(['swept']);
});
