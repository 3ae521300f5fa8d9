import { expect, test } from 'vitest';
import { type PreviewOptions, previewSchedule, type ScheduleTiming } from '../../src/index.js';

const berlin = { tz: 'Europe/Berlin' } as const;

/** A line for each entry: the local time, a minus where it does not run, and the notes. */
function lines(timing: ScheduleTiming, options: PreviewOptions): string[] {
  return previewSchedule(timing, options).map(({ local, skipped, notes }) =>
    [local, ...(skipped ? ['-'] : []), ...notes].join(' | '),
  );
}

test.each<[string, ScheduleTiming, PreviewOptions, string[]]>([
  [
    'a time in a gap is shifted to its end',
    { cron: '30 2 * * *', ...berlin },
    { from: '2027-03-28T00:00Z', count: 2 },
    ['2027-03-28T03:00:00+02:00 | 2027-03-28 02:30:00 does not exist, shifted', '2027-03-29T02:30:00+02:00'],
  ],
  [
    'or skipped',
    { cron: '30 2 * * *', ...berlin, gap: 'skip' },
    { from: '2027-03-28T00:00Z', count: 1 },
    ['2027-03-28T03:00:00+02:00 | - | 2027-03-28 02:30:00 does not exist, skipped', '2027-03-29T02:30:00+02:00'],
  ],
  [
    'or falls on one that is there anyway',
    { cron: '*/30 2,3 * * *', ...berlin },
    { from: '2027-03-28T00:00Z', count: 2 },
    [
      '2027-03-28T03:00:00+02:00 | stands for 2027-03-28 02:00:00 and 1 more too, which do not exist',
      '2027-03-28T03:30:00+02:00',
    ],
  ],
  [
    'elapsed time leaps over a gap',
    { cron: '*/30 * * * *', ...berlin },
    { from: '2027-03-28T00:30Z', count: 2 },
    [
      '2027-03-28T01:30:00+01:00',
      '2027-03-28T03:00:00+02:00 | 2027-03-28 02:00:00 and 1 more, before it, do not exist and are skipped',
    ],
  ],
  [
    'of a time that comes twice, the first',
    { cron: '30 2 * * *', ...berlin },
    { from: '2027-10-31T00:00Z', count: 2 },
    [
      '2027-10-31T02:30:00+02:00 | first of a repeated time',
      '2027-10-31T02:30:00+01:00 | - | second of a repeated time, skipped',
      '2027-11-01T02:30:00+01:00',
    ],
  ],
  [
    'or the last',
    { cron: '30 2 * * *', ...berlin, fold: 'last' },
    { from: '2027-10-31T00:00Z', count: 1 },
    [
      '2027-10-31T02:30:00+02:00 | - | first of a repeated time, skipped',
      '2027-10-31T02:30:00+01:00 | second of a repeated time',
    ],
  ],
  [
    'elapsed time runs both',
    { cron: '0 * * * *', ...berlin },
    { from: '2027-10-31T00:00Z', count: 3 },
    [
      '2027-10-31T02:00:00+02:00 | first of a repeated time',
      '2027-10-31T02:00:00+01:00 | second of a repeated time',
      '2027-10-31T03:00:00+01:00',
    ],
  ],
  [
    'what is excluded is shown',
    { cron: '0 3 * * *', exclude: ['2027-12-24'] },
    { from: '2027-12-23T00:00Z', count: 2 },
    ['2027-12-23T03:00:00+00:00', '2027-12-24T03:00:00+00:00 | - | excluded', '2027-12-25T03:00:00+00:00'],
  ],
  [
    'but not each of many',
    { every: '500ms', exclude: ['2027-12-24'] },
    { from: '2027-12-24T00:00Z', count: 1 },
    [
      '2027-12-24T00:00:00+00:00 | - | excluded',
      '2027-12-24T00:00:00.500+00:00 | - | excluded',
      '2027-12-24T00:00:01+00:00 | - | excluded',
      '2027-12-24T00:00:01.500+00:00 | - | excluded',
      '2027-12-24T00:00:02+00:00 | - | excluded | as are those after it, up to the next that is shown',
      '2027-12-25T00:00:00+00:00',
    ],
  ],
  [
    'five in a row are all there are',
    { every: '1d', exclude: [{ cron: '* * 1-5 * *' }] },
    { from: '2027-01-01T00:00Z', count: 1 },
    [...[1, 2, 3, 4, 5].map((day) => `2027-01-0${day}T00:00:00+00:00 | - | excluded`), '2027-01-06T00:00:00+00:00'],
  ],
  [
    'an excluded time in a gap is not shifted',
    { cron: '30 2 * * *', ...berlin, exclude: ['2027-03-28'] },
    { from: '2027-03-28T00:00Z', to: '2027-03-29T00:00Z' },
    ['2027-03-28T03:00:00+02:00 | - | excluded'],
  ],
  [
    'jitter without a name is not guessed',
    { every: '1h', jitter: '5m' },
    { from: '2027-01-01T00:00Z', count: 1 },
    ['2027-01-01T00:00:00+00:00 | jitter of less than 5m, by the name of the schedule'],
  ],
  ['nothing after the end', { at: ['2027-01-01T00:00Z'] }, { from: '2027-01-02T00:00Z' }, []],
  [
    'a zone west of UTC, of half an hour',
    { cron: '0 3 * * *', tz: 'America/St_Johns' },
    { from: '2027-01-01T00:00Z', count: 1 },
    ['2027-01-01T03:00:00-03:30'],
  ],
])('%s', (_what, timing, options, expected) => {
  expect(lines(timing, options)).toEqual(expected);
});

test('jitter is in the due time, and in a note', () => {
  const [entry] = previewSchedule({ every: '1h', jitter: '5m' }, { from: 1_800_000_000_000, name: 'report' });
  expect(entry).toEqual({
    nominal: 1_800_000_000_000,
    due: 1_800_000_014_864,
    local: '2027-01-15T08:00:00+00:00',
    notes: ['jitter +14.864s'],
    skipped: false,
  });
});

test('by default it shows ten, from now on', () => {
  const entries = previewSchedule({ every: '1h' });
  expect(entries).toHaveLength(10);
  expect(Math.abs((entries[0]?.nominal ?? 0) - Date.now())).toBeLessThan(3_700_000);
});

test('a thousand of the longest take no seconds', () => {
  const started = process.cpuUsage();
  const timing = { cron: '0 0 29 2 +1', ...berlin, exclude: [{ cron: '* * * * MON' }, '2044-02-29'] } as const;
  expect(() => previewSchedule(timing)).toThrow('exclude leaves no occurrence');
  expect(previewSchedule({ cron: '*/7 * * * *', ...berlin, jitter: '1m' }, { count: 1_000, name: 'x' })).toHaveLength(
    1_000,
  );
  expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
});

test.each<[unknown, string]>([
  [null, 'options must be an object, got null'],
  [{ next: 5 }, 'unknown option "next": expected one of from, to, count, name'],
  [{ count: 0 }, 'count must be a whole number from 1 to 1000, got 0'],
  [{ count: 1_001 }, 'count must be a whole number from 1 to 1000, got 1001'],
  [{ from: 'now' }, 'from must be a Date, epoch ms or a time such as'],
  [{ from: 1.8e12, to: 1.8e12 }, 'to must be after from, got 1800000000000'],
  [{ name: 5 }, 'name must be a text, got 5'],
])('%j is refused', (options, says) => {
  expect(() => previewSchedule({ every: '1h' }, options as PreviewOptions)).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining(says) as string,
    }) as Error,
  );
});
