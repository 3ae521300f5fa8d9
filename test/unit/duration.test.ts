import { describe, expect, test } from 'vitest';
import { type Duration, durationMs, durationMsMax, formatDuration, shown } from '../../src/duration.js';

const secondMs = 1_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

test.each<[Duration, number]>([
  [0, 0],
  [-0, 0],
  [250, 250],
  [0.2, 1],
  [1500.001, 1501],
  ['0ms', 0],
  ['250ms', 250],
  ['90s', 90 * secondMs],
  ['5m', 300 * secondMs],
  ['1h30m', 1.5 * hourMs],
  ['1d', dayMs],
  ['2w', 14 * dayMs],
  ['1w1d1h1m1s1ms', 8 * dayMs + hourMs + 61_001],
  ['1.5s', 1_500],
  ['1.1h', 3_960_000], // 1.1 * 3,600,000 is 3,960,000.0000000005
  ['0.0001s', 1],
  ['0.5ms', 1],
  ['007s', 7_000],
  ['36525d', durationMsMax],
  [durationMsMax, durationMsMax],
])('%o is %d ms', (value, ms) => {
  expect(Object.is(durationMs(value, 'in'), ms)).toBe(true);
});

const form = 'in must be a duration such as 250ms, 90s or 1h30m, got ';
const range = 'in must be from 0ms to 36525d, got ';

test.each<[unknown, string]>([
  ['5 apples', `${form}"5 apples"`],
  ['', `${form}""`],
  ['1M', `${form}"1M"`],
  ['1H', `${form}"1H"`],
  ['1h 30m', `${form}"1h 30m"`],
  [' 1h', `${form}" 1h"`],
  ['1h\n', `${form}"1h\\n"`],
  ['30m1h', `${form}"30m1h"`],
  ['1h1h', `${form}"1h1h"`],
  ['-5s', `${form}"-5s"`],
  ['.5s', `${form}".5s"`],
  ['1e3s', `${form}"1e3s"`],
  ['Infinity', `${form}"Infinity"`],
  ['1y', `${form}"1y"`],
  ['x'.repeat(99), `${form}"${'x'.repeat(40)}…"`],
  [Number.NaN, `${form}NaN`],
  [null, `${form}null`],
  [undefined, `${form}undefined`],
  [true, `${form}true`],
  [5n, `${form}5`],
  [{ ms: 5 }, `${form}an object`],
  [['1h'], `${form}an array`],
  ['90', 'in needs a unit, such as 90s or 90ms, got "90"'],
  ['1.5', 'in needs a unit, such as 1.5s or 1.5ms, got "1.5"'],
  [-1, `${range}-1`],
  [-0.5, `${range}-0.5`],
  [Number.POSITIVE_INFINITY, `${range}Infinity`],
  [durationMsMax + 1, `${range}3155760000001`],
  ['36525d1ms', `${range}"36525d1ms"`],
  ['999999999999999w', `${range}"999999999999999w"`],
])('%o is refused', (value, message) => {
  expect(() => durationMs(value as Duration, 'in')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }),
  );
});

describe('a range', () => {
  const lease = { min: secondMs, max: dayMs };

  test.each<[Duration]>([[1_000], ['1s'], ['1d'], [999.5]])('from 1s to 1d takes %j', (value) => {
    expect(durationMs(value, 'lease', lease)).toBeGreaterThanOrEqual(1_000);
  });

  test.each<[Duration, string]>([
    [30, 'lease must be from 1s to 1d, got 30'],
    ['999ms', 'lease must be from 1s to 1d, got "999ms"'],
    ['1d1ms', 'lease must be from 1s to 1d, got "1d1ms"'],
  ])('from 1s to 1d refuses %j', (value, message) => {
    expect(() => durationMs(value, 'lease', lease)).toThrow(message);
  });

  test('with one end has the usual other end', () => {
    expect(() => durationMs(5, 'ttl', { min: 500 })).toThrow('ttl must be from 500ms to 36525d, got 5');
    expect(() => durationMs(-5, 'ttl', { max: 500 })).toThrow('ttl must be from 0ms to 500ms, got -5');
  });
});

test.each([
  [0, '0ms'],
  [250, '250ms'],
  [1_000, '1s'],
  [1_500, '1.5s'],
  [1_001, '1.001s'],
  [60_000, '1m'],
  [60_250, '1m250ms'],
  [1.5 * hourMs, '1h30m'],
  [14 * dayMs, '14d'],
  [dayMs + 1, '1d1ms'],
  [0.4, '0ms'],
  [-1_500, '-1.5s'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
])('%d ms is written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('what formatDuration writes durationMs reads back as the same ms', () => {
  for (let ms = 1; ms < durationMsMax; ms = ms * 1.37 + 1) {
    const whole = Math.floor(ms);
    expect(durationMs(formatDuration(whole), 'in')).toBe(whole);
  }
});

test('a long text is refused at once', () => {
  expect(() => durationMs('1'.repeat(1_000_000), 'in')).toThrow('needs a unit, such as 90s or 90ms');
  expect(() => durationMs(`${'1h'.repeat(500_000)}!`, 'in')).toThrow('must be a duration');
});

test('a refused option is shown on one line, and of things only the kind', () => {
  expect([shown(() => 1), shown(Symbol('secret')), shown('a\nb'), shown({ token: 'secret' })]).toEqual([
    'a function',
    'a symbol',
    '"a\\nb"',
    'an object',
  ]);
});
