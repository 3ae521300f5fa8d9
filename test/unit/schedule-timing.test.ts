import { describe, expect, test } from 'vitest';
import { nextNominal, occurrences, previousNominal } from '../../src/schedule/nominal.js';
import type { ScheduleTiming, Timing } from '../../src/schedule/rule.js';
import { resolveTiming } from '../../src/schedule/timing.js';

const gaveUp = 'exclude leaves no occurrence, or none that is found in 20000 steps';
const dayMs = 86_400_000;
const ms = (iso: string): number => Date.parse(iso);
const hour = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16);

function times(input: ScheduleTiming, from: string, max = 4): string[] {
  return occurrences(resolveTiming(input), { fromMs: ms(from), max }).map(hour);
}

const refused: [unknown, string | RegExp][] = [
  [null, 'timing must be an object, got null'],
  ['0 3 * * *', 'timing must be an object, got "0 3 * * *"'],
  [{}, 'timing must have one of cron, every and at, got none'],
  [{ cron: undefined }, 'timing must have one of cron, every and at, got none'],
  [{ cron: '* * * * *', every: '1h' }, 'timing must have one of cron, every and at, got cron and every'],
  [{ every: '1h', at: [] }, 'timing must have one of cron, every and at, got every and at'],
  [
    { cron: '* * * * *', when: 1 },
    'unknown option "when": expected one of cron, tz, gap, fold, start, end, exclude, jitter',
  ],
  [{ every: '1h', tz: 'UTC' }, 'tz belongs to cron and means nothing with every'],
  [{ every: '1h', gap: 'skip' }, 'gap belongs to cron and means nothing with every'],
  [{ at: [1.8e12], fold: 'both' }, 'fold belongs to cron and means nothing with at'],
  [{ cron: '* * * * *', anchor: 1.8e12 }, 'anchor belongs to every and means nothing with cron'],
  [{ cron: 5 }, /^cron must be a pattern such as "0 3 \* \* \*" or .*, got 5$/],
  [{ cron: '' }, /^cron must have five fields, or six with seconds first \(years are not known\), got ""$/],
  [{ cron: '0 0 3 * * * 2027' }, /^cron must have five fields, or six/],
  [{ cron: '* * *' }, /^cron must have five fields/],
  [{ cron: '* '.repeat(200) }, /^cron must be a pattern such as .*, of at most 256 characters$/],
  [{ cron: '60 * * * *' }, /^cron must be a pattern .*, got "60 \* \* \* \*": Invalid value for minute: 60$/],
  [{ cron: '0 22-2 * * *' }, /From value is larger than to value/],
  [{ cron: '@reboot' }, /@reboot is not supported/],
  [{ cron: '0 0 1 JANX *' }, /a month or day name has to stand alone/],
  [{ cron: '0 0 30 2 *' }, 'cron never fires: no time matches "0 0 30 2 *"'],
  [{ cron: '0 0 31 4,6,9,11 *' }, /^cron never fires/],
  [{ cron: '0 0 31W 2 *' }, /^cron never fires/],
  [{ cron: '0 0 1-6 * +MON#2' }, /^cron never fires/],
  [
    { cron: '30 2 * 3 SUN#L', tz: 'Europe/Berlin', gap: 'skip' },
    'cron never fires: the clocks leap over all times of "30 2 * 3 SUN#L"',
  ],
  [
    { cron: '* * * * *', tz: 'Mars/Phobos' },
    'tz must be the IANA name of a zone, such as Europe/Berlin or UTC, got "Mars/Phobos"',
  ],
  [{ cron: '* * * * *', tz: '+05:30' }, /^tz must be/],
  [{ cron: '* * * * *', tz: 'x'.repeat(10_000) }, /^tz must be.{1,120}$/],
  [{ cron: '* * * * *', tz: 1 }, /^tz must be/],
  [{ cron: '* * * * *', gap: 'shut' }, 'gap must be one of shift, skip, got "shut"'],
  [{ cron: '* * * * *', fold: null }, 'fold must be one of first, last, both, got null'],
  [{ every: '99ms' }, 'every must be from 100ms to 36525d, got "99ms"'],
  [{ every: '90' }, /^every needs a unit/],
  [{ every: '1h', anchor: '2027-01-01' }, /^anchor must say its offset/],
  [{ at: [] }, 'at must have from 1 to 1000 times, got 0'],
  [{ at: Array.from({ length: 1_001 }, (_, at) => 1.8e12 + at) }, 'at must have from 1 to 1000 times, got 1001'],
  [{ at: '2027-01-01T00:00Z' }, 'at must be an array of times, got "2027-01-01T00:00Z"'],
  [{ at: ['2027-01-01'] }, /^at must say its offset/],
  [{ cron: '* * * * *', start: 'now' }, /^start must be a Date/],
  [
    { cron: '* * * * *', start: '2027-01-02T00:00Z', end: '2027-01-02T00:00Z' },
    'end must be after start, got 2027-01-02T00:00:00.000Z and a start of 2027-01-02T00:00:00.000Z',
  ],
  [
    { cron: '0 3 * * *', start: '2027-01-02T04:00Z', end: '2027-01-03T03:00Z' },
    'cron has no occurrence from 2027-01-02T04:00:00.000Z before 2027-01-03T03:00:00.000Z',
  ],
  [{ at: ['2027-01-01T00:00Z'], start: '2027-01-02T00:00Z' }, 'at has no occurrence from 2027-01-02T00:00:00.000Z'],
  [{ cron: '0 3 * * *', exclude: '2027-12-24' }, 'exclude must be an array, got "2027-12-24"'],
  [{ cron: '0 3 * * *', exclude: ['christmas'] }, /^exclude must hold dates such as .* got "christmas"$/],
  [{ cron: '0 3 * * *', exclude: ['2027-02-30'] }, 'exclude must hold dates that exist, got "2027-02-30"'],
  [{ cron: '0 3 * * *', exclude: ['2027-12-24T03:00'] }, /^exclude must say its offset/],
  [{ cron: '0 3 * * *', exclude: [5] }, /^exclude must hold dates .* got 5$/],
  [{ cron: '0 3 * * *', exclude: [{ cron: '* * * * *', tz: 'UTC' }] }, /^exclude must hold .* got an object$/],
  [{ cron: '0 3 * * *', exclude: [{ cron: 'x' }] }, /^exclude.cron must have five fields/],
  [{ cron: '0 3 * * *', exclude: Array.from({ length: 1_001 }, () => '2027-01-01') }, /at most 1000 entries, got 1001/],
  [
    { cron: '0 3 * * *', exclude: Array.from({ length: 21 }, () => ({ cron: '* * * * *' })) },
    /at most 20 patterns, got 21/,
  ],
  [{ cron: '0 3 * * *', exclude: [{ cron: '* 3 * * *' }] }, gaveUp],
  [{ cron: '* * * * * *', exclude: [{ cron: '* 0-11 * * *' }, { cron: '* 12-23 * * *' }] }, gaveUp],
  [{ every: '100ms', exclude: [{ cron: '*/2 * * * *' }, { cron: '1-59/2 * * * *' }] }, gaveUp],
  [{ at: ['2027-01-01T00:00Z'], exclude: ['2027-01-01'] }, 'exclude leaves no occurrence'],
  [
    { every: '1m', jitter: '61s' },
    'jitter must be at most 1m, the shortest time from one occurrence to the next, got "61s"',
  ],
  [{ cron: '0,10 3 * * *', jitter: '11m' }, /^jitter must be at most 10m/],
  [{ at: [1.8e12, 1.8e12 + 5_000], jitter: '6s' }, /^jitter must be at most 5s/],
  [{ every: '1m', jitter: -1 }, /^jitter must be from 0ms/],
];

describe('refused', () => {
  test.each(refused)('%j', (input, says) => {
    const started = process.cpuUsage();
    const wanted = typeof says === 'string' ? { message: says } : { message: expect.stringMatching(says) as string };
    expect(() => resolveTiming(input as ScheduleTiming)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', ...wanted }) as Error,
    );
    const { user } = process.cpuUsage(started);
    expect(user).toBeLessThan(2_000_000); // a refusal takes no seconds
  });

  test('each on one line, and a short one', () => {
    for (const [input] of refused) {
      expect(messageOf(input)).toMatch(/^.{10,400}$/);
    }
    expect(messageOf({ cron: `${'9'.repeat(200)} * * * *` })).toMatch(/^.{10,400}$/);
    expect(messageOf({ ['x'.repeat(9_999)]: 1, every: 100 })).toMatch(/^.{10,400}$/);
  });
});

function messageOf(input: unknown): string {
  try {
    resolveTiming(input as ScheduleTiming);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a resolved timing', () => {
  test('has every default written out, and is JSON as it is', () => {
    const timing = resolveTiming({ cron: ' 0  3 * * mon ', tz: 'europe/berlin' });
    expect(JSON.stringify(timing)).toBe(
      '{"rule":{"kind":"cron","cron":"0 3 * * MON","tz":"Europe/Berlin","gap":"shift","fold":"first"},' +
        '"startMs":null,"endMs":null,"exclude":{"dates":[],"timesMs":[],"crons":[]},"jitterMs":0}',
    );
    const read = JSON.parse(JSON.stringify(timing)) as Timing;
    expect(nextNominal(read, ms('2027-01-01T00:00Z'))).toBe(nextNominal(timing, ms('2027-01-01T00:00Z')));
  });

  test('is frozen, all of it', () => {
    const timing = resolveTiming({ at: [1.8e12], exclude: ['2027-12-24'] });
    const parts = [timing, timing.rule, timing.exclude, ...Object.values(timing.exclude)];
    expect(parts.every(Object.isFrozen)).toBe(true);
  });

  test.each<[ScheduleTiming, ScheduleTiming]>([
    [{ every: '1h' }, { every: 3_600_000, anchor: '2027-01-01T05:00Z', jitter: 0 }],
    [{ cron: '0 0 ? * mon' }, { gap: 'shift', fold: 'first', tz: 'UTC', cron: '0 0 * * MON' }],
    [{ cron: '@HOURLY' }, { cron: '@hourly', gap: 'skip', fold: 'both' }],
    [{ at: [1.9e12, 1.8e12, 1.8e12] }, { at: [new Date(1.8e12), 1.9e12] }],
    [
      { every: '1d', exclude: ['2027-12-25', '2027-12-24', { cron: '* * * * sat' }] },
      { exclude: [{ cron: '* * * * SAT' }, '2027-12-24', '2027-12-25', '2027-12-25'], every: '24h', start: undefined },
    ],
  ])('%j is the same text as another way to say it', (one, other) => {
    expect(JSON.stringify(resolveTiming(one))).toBe(JSON.stringify(resolveTiming(other)));
  });

  test.each([
    ['* * * * *', 'skip', 'both'],
    ['0 */2 * * *', 'skip', 'both'],
    ['0 0 * * * *', 'skip', 'both'],
    ['@hourly', 'skip', 'both'],
    ['*/5 2 * * *', 'shift', 'first'],
    ['0 0-23 * * *', 'shift', 'first'],
    ['0 30 2 * * *', 'shift', 'first'],
    ['@daily', 'shift', 'first'],
  ])('%s: a gap means %s, a fold means %s', (cron, gap, fold) => {
    expect(resolveTiming({ cron }).rule).toMatchObject({ gap, fold });
  });
});

describe('every', () => {
  test('counts from 1970, or from its anchor both ways', () => {
    expect(times({ every: '8h' }, '2027-01-01T00:00Z', 3)).toEqual([
      '2027-01-01T00:00',
      '2027-01-01T08:00',
      '2027-01-01T16:00',
    ]);
    const anchored = { every: '8h', anchor: '2030-01-01T01:00Z' } as const;
    expect(times(anchored, '2027-01-01T00:00Z', 2)).toEqual(['2027-01-01T01:00', '2027-01-01T09:00']);
  });

  test('is exact in ms, far away too', () => {
    const timing = resolveTiming({ every: '100ms', anchor: 1.8e12 + 7 });
    expect(occurrences(timing, { fromMs: 1.8e12 + 8, max: 2 })).toEqual([1.8e12 + 107, 1.8e12 + 207]);
    const late = ms('9999-12-31T23:59:59.900Z');
    expect(nextNominal(timing, late)).toBe(late + 7);
    expect(nextNominal(timing, late + 7)).toBeNull();
    expect(nextNominal(timing, Infinity)).toBeNull();
  });
});

test('at has its times in order, and then no more', () => {
  const timing = resolveTiming({ at: ['2027-03-01T00:00Z', '2027-01-01T00:00Z'] });
  expect(occurrences(timing, { fromMs: 0, max: 9 }).map(hour)).toEqual(['2027-01-01T00:00', '2027-03-01T00:00']);
  expect(nextNominal(timing, ms('2027-03-01T00:00Z'))).toBeNull();
});

test('start is in, end is out', () => {
  const timing = { every: '1h', start: '2027-01-01T02:00Z', end: '2027-01-01T04:00Z' } as const;
  expect(times(timing, '2026-01-01T00:00Z')).toEqual(['2027-01-01T02:00', '2027-01-01T03:00']);
  const daily = { cron: '0 2 * * *', start: '2027-01-01T02:00:00.001Z', end: '2027-01-03T02:00:00.001Z' } as const;
  expect(times(daily, '2026-01-01T00:00Z')).toEqual(['2027-01-02T02:00', '2027-01-03T02:00']);
});

test.each<[string, ScheduleTiming, string, string[]]>([
  ['a leap day', { cron: '0 0 29 2 *' }, '2096-03-01T00:00Z', ['2104-02-29T00:00', '2108-02-29T00:00']],
  [
    'a leap day that is a Monday',
    { cron: '0 0 29 2 +MON' },
    '2027-01-01T00:00Z',
    ['2044-02-29T00:00', '2072-02-29T00:00'],
  ],
  ['the last working day', { cron: '0 0 LW * *' }, '2027-02-01T00:00Z', ['2027-02-26T00:00', '2027-03-31T00:00']],
  ['the second Friday', { cron: '0 0 * * FRI#2' }, '2027-01-01T00:00Z', ['2027-01-08T00:00', '2027-02-12T00:00']],
])('%s', (_what, input, from, expected) => {
  expect(times(input, from, 2)).toEqual(expected);
});

describe('exclusions', () => {
  test.each<[string, ScheduleTiming['exclude'], string[]]>([
    ['a date', ['2027-12-24'], ['2027-12-23T02:00', '2027-12-25T02:00', '2027-12-26T02:00']],
    [
      'a date in the zone of the rule, not in UTC',
      ['2027-12-25'],
      ['2027-12-23T02:00', '2027-12-24T02:00', '2027-12-26T02:00'],
    ],
    ['a single time', ['2027-12-24T03:00+01:00'], ['2027-12-23T02:00', '2027-12-25T02:00', '2027-12-26T02:00']],
    [
      'another time of that day',
      ['2027-12-24T03:01+01:00'],
      ['2027-12-23T02:00', '2027-12-24T02:00', '2027-12-25T02:00'],
    ],
    ['a pattern', [{ cron: '* * * * SAT,SUN' }], ['2027-12-23T02:00', '2027-12-24T02:00', '2027-12-27T02:00']],
    [
      'all of them',
      ['2027-12-23', { cron: '* * 24-26 12 *' }],
      ['2027-12-27T02:00', '2027-12-28T02:00', '2027-12-29T02:00'],
    ],
  ])('%s', (_what, exclude, expected) => {
    expect(times({ cron: '0 3 * * *', tz: 'Europe/Berlin', exclude }, '2027-12-23T00:00Z', 3)).toEqual(expected);
  });

  test('a pattern of five fields leaves out the whole minute, one of six that second', () => {
    const left = (cron: string): number =>
      occurrences(resolveTiming({ cron: '*/20 * * * * *', exclude: [{ cron }] }), {
        fromMs: ms('2027-01-01T00:00Z'),
        toMs: ms('2027-01-01T00:02Z'),
        max: 99,
      }).length;
    expect(left('0 * * * *')).toBe(3);
    expect(left('0 0 * * * *')).toBe(5);
  });

  test('the date of a time in a gap is the one it would have had', () => {
    const timing: ScheduleTiming = { cron: '0 12 * * *', tz: 'Pacific/Apia', start: '2011-12-29T00:00Z' };
    expect(times(timing, '2011-12-29T00:00Z', 3)).toEqual(['2011-12-29T22:00', '2011-12-30T10:00', '2011-12-30T22:00']);
    expect(times({ ...timing, exclude: ['2011-12-30'] }, '2011-12-29T00:00Z', 2)).toEqual([
      '2011-12-29T22:00',
      '2011-12-30T22:00',
    ]);
  });

  test('of every and at are dates in UTC', () => {
    expect(times({ every: '12h', exclude: ['2027-01-01'] }, '2026-12-31T12:00Z', 2)).toEqual([
      '2026-12-31T12:00',
      '2027-01-02T00:00',
    ]);
  });

  test.each<[string, ScheduleTiming]>([
    ['three years of days', { cron: '* * * * * *', exclude: Array.from({ length: 1_000 }, (_, at) => day(at)) }],
    ['all but an hour', { cron: '* * * * * *', exclude: [{ cron: '* 0-22 * * *' }] }],
    ['all but a minute', { every: '100ms', exclude: [{ cron: '0-58 * * * *' }] }],
    ['all but leap days', { cron: '0-58 0-22 * * *', exclude: [{ cron: '* * 1-28 * *' }, { cron: '* * * 1,3-12 *' }] }],
  ])('that leave little make no search long: %s', (_what, input) => {
    const timing = resolveTiming(input);
    const started = process.cpuUsage();
    expect(nextNominal(timing, ms('2027-01-01T00:00Z') - 1)).toBeGreaterThan(ms('2027-01-01T00:00Z'));
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  });
});

function day(number: number): string {
  return new Date(ms('2027-01-01T00:00Z') + number * dayMs).toISOString().slice(0, 10);
}

test.each<[string, ScheduleTiming]>([
  ['cron', { cron: '30 2 * * *', tz: 'Europe/Berlin' }],
  ['cron, twice in a fold', { cron: '*/7 * * * *', tz: 'Europe/Berlin' }],
  ['every', { every: '7m', exclude: ['2027-10-31'] }],
  ['at', { at: ['2027-10-30T23:00Z', '2027-10-31T00:30Z'] }],
  ['with a start', { cron: '0 * * * *', start: '2027-10-31T00:00Z' }],
])('the previous time of %s is the one before the next', (_what, input) => {
  const timing = resolveTiming(input);
  const all = occurrences(timing, { fromMs: ms('2027-10-28T00:00Z'), toMs: ms('2027-11-02T00:00Z'), max: 200 });
  all.slice(1).forEach((atMs, at) => {
    expect(previousNominal(timing, atMs)).toBe(all[at]);
    expect(previousNominal(timing, atMs + 1)).toBe(atMs);
  });
  expect(all.length).toBeGreaterThan(1);
});

test('before the first there is no previous time', () => {
  expect(previousNominal(resolveTiming({ at: [1.8e12] }), 1.8e12)).toBeNull();
  expect(previousNominal(resolveTiming({ every: '1h', start: 1.8e12 }), 1.8e12)).toBeNull();
});

describe('what is left out in short pieces, for long', () => {
  test.each([
    [
      'seconds of six hours',
      '* * * * * *',
      ['0-29 * 2-7 * * *', '30-59 * 2-7 * * *'],
      '2027-01-01T01:59:59Z',
      '2027-01-01T08:00Z',
    ],
    [
      'minutes of two months',
      '* 9-17 * * *',
      ['0-29 * * 7,8 *', '30-59 * * 7,8 *'],
      '2027-06-30T17:59Z',
      '2027-09-01T09:00Z',
    ],
    ['hours', '* * * * *', ['* 0-20 * 3 *', '* 21-23 * 3 *'], '2027-02-28T23:59Z', '2027-04-01T00:00Z'],
    ['days', '0 * * * *', ['* * 1-30 5 *', '* * 31 5 *'], '2027-04-30T23:00Z', '2027-06-01T00:00Z'],
  ])('is leapt over: %s', (_what, cron, excluded, from, to) => {
    const timing = resolveTiming({ cron, exclude: excluded.map((pattern) => ({ cron: pattern })) });
    expect(nextNominal(timing, Date.parse(from))).toBe(Date.parse(to));
  });

  test.each([
    ['10s', '*/10 * * * * MON-FRI', '2027-01-03T23:59:50Z', '2027-01-09T00:00Z'],
    ['5m', '*/5 * * 3-12 *', '2027-02-28T23:55Z', '2028-01-01T00:00Z'],
    ['2s', '*/2 * 1-23 * * *', '2027-01-01T00:59:58Z', '2027-01-02T00:00Z'],
    ['90m', '0,30 * * 1-11 *', '2027-01-01T00:00Z', '2027-12-01T00:00Z'],
  ])('of a distance: every %s without %s', (every, cron, from, to) => {
    const timing = resolveTiming({ every, exclude: [{ cron }] });
    expect(nextNominal(timing, Date.parse(from))).toBe(Date.parse(to));
  });

  test('and where that takes too many steps it is said, and not taken for the end', () => {
    const exclude = ['0-58/2 * * 1-11 *', '1-59/2 * * 1-11 *'].map((cron) => ({ cron }));
    const timing = resolveTiming({ every: '100ms', start: '2027-12-01T00:00Z', exclude });
    expect(nextNominal(timing, Date.parse('2027-12-31T23:59:59.800Z'))).toBe(Date.parse('2027-12-31T23:59:59.900Z'));
    expect(() => nextNominal(timing, Date.parse('2027-12-31T23:59:59.900Z'))).toThrow(gaveUp);
  });
});
