import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { type Instant, instantMs, instantMsMax, whenOf } from '../../src/instant.js';

const base = Date.UTC(2027, 0, 2, 3, 4);

test.each<[Instant, number]>([
  [new Date(base), base],
  [runInNewContext(`new Date(${base})`) as Date, base],
  [base, base],
  [base + 0.001, base + 1],
  [100_000_000_000, 100_000_000_000],
  [new Date(1), 1],
  [instantMsMax, instantMsMax],
  ['2027-01-02T03:04Z', base],
  ['2027-01-02 03:04Z', base],
  ['2027-01-02T03:04+00:00', base],
  ['2027-01-02T03:04-00:00', base],
  ['2027-01-02T04:04+01:00', base],
  ['2027-01-02T04:04+0100', base],
  ['2027-01-02T04:04:00.000+01:00', base],
  ['2027-01-01T21:34-05:30', base],
  ['2027-01-02T17:04+14:00', base],
  ['2027-01-02T03:04:05Z', base + 5_000],
  ['2027-01-02T03:04:05.6Z', base + 5_600],
  ['2027-01-02T03:04:05.551Z', base + 5_551],
  ['2027-01-02T03:04:05.551000Z', base + 5_551],
  ['2027-01-02T03:04:05.551001Z', base + 5_552], // never early
  ['2027-01-02T03:04:59.999999999Z', base + 60_000],
  ['2028-02-29T00:00Z', Date.UTC(2028, 1, 29)],
  ['1970-01-01T00:00:00.001Z', 1],
  ['1969-12-31T23:30-01:00', 1_800_000],
  ['9999-12-31T23:59:59.999Z', instantMsMax],
])('%o is %d', (value, ms) => {
  expect(instantMs(value, 'at')).toBe(ms);
});

const offset = 'at must say its offset, such as 2027-01-02T03:04+01:00 or 2027-01-02T03:04Z, got ';
const form = 'at must be a Date, epoch ms or a time such as 2027-01-02T03:04+01:00 or 2027-01-02T03:04Z, got ';
const exists = 'at must be a time that exists, got ';
const range = 'at must lie after 1970-01-01T00:00Z and before the year 10000, got ';

test.each<[unknown, string]>([
  ['2027-01-02T03:04', `${offset}"2027-01-02T03:04"`],
  ['2027-01-02 03:04', `${offset}"2027-01-02 03:04"`],
  ['2027-01-02T03:04:05.678', `${offset}"2027-01-02T03:04:05.678"`],
  ['2027-01-02', `${offset}"2027-01-02"`],
  ['tomorrow', `${form}"tomorrow"`],
  ['', `${form}""`],
  ['1798859040000', `${form}"1798859040000"`],
  ['Sat, 02 Jan 2027 03:04:00 GMT', `${form}"Sat, 02 Jan 2027 03:04:00 GMT"`],
  ['2027-1-2T03:04Z', `${form}"2027-1-2T03:04Z"`],
  ['2027-01-02T03:04Z\n', `${form}"2027-01-02T03:04Z\\n"`],
  ['2027-01-02T03:04+1:00', `${form}"2027-01-02T03:04+1:00"`],
  ['2027-01-02T03:04:05.Z', `${form}"2027-01-02T03:04:05.Z"`],
  ['+12027-01-02T03:04Z', `${form}"+12027-01-02T03:04Z"`],
  [Number.NaN, `${form}NaN`],
  [null, `${form}null`],
  [undefined, `${form}undefined`],
  [{}, `${form}an object`],
  [10n, `${form}10`],
  ['2027-02-30T00:00Z', `${exists}"2027-02-30T00:00Z"`],
  ['2027-02-29T00:00Z', `${exists}"2027-02-29T00:00Z"`],
  ['2027-04-31T00:00Z', `${exists}"2027-04-31T00:00Z"`],
  ['2027-13-01T00:00Z', `${exists}"2027-13-01T00:00Z"`],
  ['2027-00-01T00:00Z', `${exists}"2027-00-01T00:00Z"`],
  ['2027-01-00T00:00Z', `${exists}"2027-01-00T00:00Z"`],
  ['2027-01-02T24:00Z', `${exists}"2027-01-02T24:00Z"`],
  ['2027-01-02T24:01Z', `${exists}"2027-01-02T24:01Z"`],
  ['2027-01-02T03:60Z', `${exists}"2027-01-02T03:60Z"`],
  ['2027-01-02T03:04:60Z', `${exists}"2027-01-02T03:04:60Z"`],
  ['2027-01-02T03:04+99:00', `${exists}"2027-01-02T03:04+99:00"`],
  ['2027-01-02T03:04+15:00', `${exists}"2027-01-02T03:04+15:00"`],
  ['2027-01-02T03:04+01:60', `${exists}"2027-01-02T03:04+01:60"`],
  [new Date(Number.NaN), 'at must be a valid Date, got Invalid Date'],
  [0.5, 'at looks like seconds since 1970: give milliseconds (got 0.5)'],
  [1_798_859_040, 'at looks like seconds since 1970: give milliseconds (got 1798859040)'],
  [99_999_999_999, 'at looks like seconds since 1970: give milliseconds (got 99999999999)'],
  [0, `${range}0`],
  [-1, `${range}-1`],
  [-0.5, `${range}-0.5`],
  [Number.POSITIVE_INFINITY, `${range}Infinity`],
  [instantMsMax + 1, `${range}253402300800000`],
  [new Date(0), `${range}1970-01-01T00:00:00.000Z`],
  [new Date(8.64e15), `${range}+275760-09-13T00:00:00.000Z`],
  ['0070-01-01T00:00Z', `${range}"0070-01-01T00:00Z"`],
  ['1970-01-01T00:30+01:00', `${range}"1970-01-01T00:30+01:00"`],
  ['9999-12-31T23:59-01:00', `${range}"9999-12-31T23:59-01:00"`],
])('%o is refused', (value, message) => {
  expect(() => instantMs(value as Instant, 'at')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }),
  );
});

describe('when a task is due, as the scripts take it', () => {
  test.each<[Parameters<typeof whenOf>[0], string]>([
    [{}, '+0'],
    [{ in: undefined, at: undefined }, '+0'],
    [{ in: 0 }, '+0'],
    [{ in: -0 }, '+0'],
    [{ in: '1h30m' }, '+5400000'],
    [{ in: 0.5 }, '+1'],
    [{ in: '36525d' }, '+3155760000000'],
    [{ at: base }, String(base)],
    [{ at: new Date(base), in: undefined }, String(base)],
    [{ at: '2027-01-02T03:04:00.0001Z' }, String(base + 1)],
  ])('%j is %s', (when, text) => {
    expect(whenOf(when)).toBe(text);
  });

  test.each<[Parameters<typeof whenOf>[0], string]>([
    [{ in: 0, at: base }, 'give either in or at, not both'],
    [{ in: -1 }, 'in must be from 0ms to 36525d, got -1'],
    [{ in: '90' }, 'in needs a unit'],
    [{ in: null as unknown as number }, 'in must be a duration such as 250ms, 90s or 1h30m, got null'],
    [{ at: 0 }, 'at must lie after'],
    [{ at: null as unknown as number }, 'at must be a Date, epoch ms or a time'],
  ])('%o is refused', (when, message) => {
    expect(() => whenOf(when)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
    expect(() => whenOf(when)).toThrow(message);
  });
});
