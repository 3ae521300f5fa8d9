import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BackoffFunction, defaultBackoff } from '../../src/backoff.js';
import {
  describeError,
  describeFailure,
  type Outcome,
  type Settlement,
  settle,
} from '../../src/consumer/settlement.js';
import { RejectTask } from '../../src/errors.js';

const backoff = { type: 'fixed', delayMs: 7, maxMs: 7 } as const;
const random = (): number => 0.5;
const threw = (error: unknown): Outcome => ({ kind: 'threw', error });
const timedOut: Outcome = { kind: 'timed_out', afterMs: 30_000 };

class Refund extends RejectTask {}
const renamed = Object.assign(new RejectTask('no'), { name: 'Refund' });
/** As another copy of the library would throw it. */
const foreignReject = Object.assign(new Error('no'), { name: 'RejectTask' });

const complete: Settlement = { kind: 'complete' };
const retry: Settlement = { kind: 'retry', delayMs: 7 };
const rejected: Settlement = { kind: 'bury', reason: 'rejected' };
const exhausted: Settlement = { kind: 'bury', reason: 'max_attempts' };

test.each<[string, { outcome: Outcome; attempt: number; settlement: Settlement }]>([
  ['a return completes', { outcome: { kind: 'returned' }, attempt: 1, settlement: complete }],
  ['a return on the last attempt completes', { outcome: { kind: 'returned' }, attempt: 3, settlement: complete }],
  ['a return past a lowered limit completes', { outcome: { kind: 'returned' }, attempt: 9, settlement: complete }],
  ['a throw is retried', { outcome: threw(new Error('x')), attempt: 1, settlement: retry }],
  ['a throw on the last but one attempt is retried', { outcome: threw(new Error('x')), attempt: 2, settlement: retry }],
  ['a throw on the last attempt buries', { outcome: threw(new Error('x')), attempt: 3, settlement: exhausted }],
  ['a throw past a lowered limit buries', { outcome: threw(new Error('x')), attempt: 9, settlement: exhausted }],
  ['a throw of undefined is a failure', { outcome: threw(undefined), attempt: 1, settlement: retry }],
  ['a timeout is retried', { outcome: timedOut, attempt: 1, settlement: retry }],
  ['a timeout on the last attempt buries', { outcome: timedOut, attempt: 3, settlement: exhausted }],
  ['RejectTask is never retried', { outcome: threw(new RejectTask('no')), attempt: 1, settlement: rejected }],
  [
    'RejectTask on the last attempt is rejected, not exhausted',
    { outcome: threw(new RejectTask('no')), attempt: 3, settlement: rejected },
  ],
  ['a subclass of RejectTask is rejected', { outcome: threw(new Refund('no')), attempt: 1, settlement: rejected }],
  ['a RejectTask with a name of its own is rejected', { outcome: threw(renamed), attempt: 1, settlement: rejected }],
  [
    'RejectTask of another copy of the library is rejected',
    { outcome: threw(foreignReject), attempt: 1, settlement: rejected },
  ],
  [
    'a thrown object that only calls itself RejectTask is retried',
    { outcome: threw({ name: 'RejectTask' }), attempt: 1, settlement: retry },
  ],
])('%s', (_, { outcome, attempt, settlement }) => {
  expect(settle(outcome, { attempt, policy: { attemptsMax: 3, backoff }, random })).toEqual(settlement);
});

test('the backoff policy draws from the random it is given', () => {
  const policy = { attemptsMax: 5, backoff: defaultBackoff };
  expect(settle(timedOut, { attempt: 3, policy, random: () => 0.25 })).toEqual({ kind: 'retry', delayMs: 1_000 });
});

describe('a backoff function', () => {
  const settleBy = (answer: BackoffFunction, outcome: Outcome = threw('x')): Settlement =>
    settle(outcome, { attempt: 2, policy: { attemptsMax: 5, backoff: answer }, random });

  test('gets attempt and error, and its duration is taken', () => {
    const seen: unknown[] = [];
    const error = new Error('x');
    const settlement = settleBy((...given) => {
      seen.push(...given);
      return '1h30m';
    }, threw(error));
    expect(settlement).toEqual({ kind: 'retry', delayMs: 5_400_000 });
    expect(seen).toEqual([2, error]);
  });

  test('gets a TimeoutError after a timeout', () => {
    let seen: unknown;
    settleBy((_, error) => {
      seen = error;
      return 0;
    }, timedOut);
    expect(seen).toMatchObject({ name: 'TimeoutError', message: 'timed out after 30s' });
  });

  test('is not asked when nothing is retried', () => {
    const mute: BackoffFunction = () => expect.unreachable();
    const policy = { attemptsMax: 2, backoff: mute };
    expect(settle(timedOut, { attempt: 2, policy, random })).toEqual(exhausted);
    expect(settle(threw(new RejectTask('no')), { attempt: 1, policy, random })).toEqual(rejected);
    expect(settle({ kind: 'returned' }, { attempt: 1, policy, random })).toEqual(complete);
  });

  const what = 'what the backoff function returns must be';
  test.each<[string, BackoffFunction, string]>([
    [
      'throws',
      () => {
        throw new TypeError('oops');
      },
      'TypeError: oops',
    ],
    ['returns NaN', () => Number.NaN, `${what} a duration such as 250ms, 90s or 1h30m, got NaN`],
    [
      'returns nothing',
      (() => undefined) as unknown as BackoffFunction,
      `${what} a duration such as 250ms, 90s or 1h30m, got undefined`,
    ],
    ['returns a negative', () => -5, `${what} from 0ms to 36525d, got -5`],
    [
      'returns a promise',
      (async () => 5) as unknown as BackoffFunction,
      `${what} a duration such as 250ms, 90s or 1h30m, got an object`,
    ],
  ])('that %s falls back to the default backoff and says so', (_, answer, words) => {
    expect(settleBy(answer)).toEqual({ kind: 'retry', delayMs: 1_000, backoffFault: expect.stringContaining(words) });
  });

  describe('that returns a rejecting promise', () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    beforeEach(() => void process.on('unhandledRejection', note));
    afterEach(() => void process.off('unhandledRejection', note));

    test('does not end the process', async () => {
      settleBy((async () => Promise.reject(new Error('late'))) as unknown as BackoffFunction);
      await setImmediate(); // unhandled rejections are reported before the next turn of the event loop
      expect(unhandled).toEqual([]);
    });
  });
});

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const trap = {
  get message(): never {
    throw new Error('trap');
  },
};

test.each<[string, unknown, string]>([
  ['an error', new Error('no route'), 'no route'],
  ['an error of a kind', new TypeError('x is not a function'), 'TypeError: x is not a function'],
  ['RejectTask', new RejectTask('unknown user'), 'RejectTask: unknown user'],
  ['an error without a message', new RangeError(), 'RangeError'],
  ['a bare error', new Error(), 'Error'],
  [
    'an error with only a code',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'AggregateError: ECONNREFUSED',
  ],
  ['several lines', new Error('a\r\n\tb\u0000\u001b[31mc\u2028d '), 'a b [31mc d'],
  ['a string', ' no\nroute ', 'no route'],
  ['an empty string', '', 'an empty message was thrown'],
  ['undefined', undefined, 'undefined was thrown'],
  ['null', null, 'null was thrown'],
  ['a number', 5, '5 was thrown'],
  ['a symbol', Symbol('x'), 'Symbol(x) was thrown'],
  ['a function', () => 1, 'a function was thrown'],
  ['an object with a message', { name: 'Ada', message: 'no route', card: '4111' }, 'no route'],
  ['an object without one', { card: '4111' }, 'an object without a message was thrown'],
  ['an object whose message is none', { message: { card: '4111' } }, 'an object without a message was thrown'],
  ['an object without a prototype', Object.create(null), 'an object without a message was thrown'],
  ['a throwing getter', trap, 'an object without a message was thrown'],
  ['a revoked proxy', revoked.proxy, 'an object without a message was thrown'],
  [
    'an error whose message throws',
    Object.defineProperties(new TypeError('x'), Object.getOwnPropertyDescriptors(trap)),
    'TypeError',
  ],
  ['499 + 1 characters', 'x'.repeat(500), 'x'.repeat(500)],
  ['more than 500', 'x'.repeat(501), `${'x'.repeat(499)}…`],
  ['an emoji on the edge', `${'x'.repeat(498)}😀yz`, `${'x'.repeat(498)}…`],
  ['white space for pages', `a${' '.repeat(5_000)}b`, 'a…'],
])('%s is described', (_, thrown, description) => {
  expect(describeError(thrown)).toBe(description);
  expect(() => settle(threw(thrown), { attempt: 1, policy: { attemptsMax: 3, backoff }, random })).not.toThrow();
});

test('a megabyte of message is cut to 500 characters', () => {
  expect(describeError(new Error('ab '.repeat(1_000_000)))).toHaveLength(500);
});

test('a failure is described by its error or its time', () => {
  expect(describeFailure({ kind: 'threw', error: new Error('x') })).toBe('x');
  expect(describeFailure({ kind: 'timed_out', afterMs: 90_000 })).toBe('timed out after 1m30s');
});
