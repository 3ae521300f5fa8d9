import { afterAll, describe, expect, test } from 'vitest';
import { DoorLine } from '../support/at-the-door.js';

/** `schedule preview` needs no Redis: none is started, and the URL leads nowhere. */
const cli = new DoorLine();
afterAll(() => cli.close());

const berlin = ['--cron', '30 2 * * *', '--tz', 'Europe/Berlin', '--from', '2027-03-27T00:00Z'];

test('a preview is a table', async () => {
  const { code, stdout, stderr } = await cli.run([
    'schedule',
    'preview',
    ...berlin,
    '--next',
    '2',
    '--exclude',
    '2027-03-29',
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['AT', 'LOCAL', 'NOTE'],
    ['2027-03-27T01:30:00.000Z', '2027-03-27T02:30:00+01:00'],
    ['2027-03-28T01:00:00.000Z', '2027-03-28T03:00:00+02:00', '2027-03-28 02:30:00 does not exist, shifted'],
    [''],
  ]);
});

test('or one document', async () => {
  const flags = ['--gap', 'skip', '--fold', 'both', '--jitter', '5m', '--name', 'report', '--next', '2'];
  expect(await cli.json(['schedule', 'preview', ...berlin, ...flags])).toEqual([
    {
      at: '2027-03-27T01:30:00.000Z',
      local: '2027-03-27T02:30:00+01:00',
      due: expect.any(String),
      note: expect.any(String),
    },
    {
      at: '2027-03-28T01:00:00.000Z',
      local: '2027-03-28T03:00:00+02:00',
      note: '2027-03-28 02:30:00 does not exist, skipped',
      skipped: true,
    },
    {
      at: '2027-03-29T00:30:00.000Z',
      local: '2027-03-29T02:30:00+02:00',
      due: expect.any(String),
      note: expect.any(String),
    },
  ]);
});

test.each<[string, string[], string[]]>([
  [
    'an interval',
    [
      '--every',
      '90m',
      '--anchor',
      '2027-01-01T09:00+01:00',
      '--from',
      '2027-01-01T08:00Z',
      '--to',
      '2027-01-01T10:00Z',
    ],
    ['2027-01-01T08:00:00.000Z', '2027-01-01T09:30:00.000Z'],
  ],
  [
    'single times',
    ['--at', '2027-01-02T00:00Z', '--at', '2027-01-01T00:00Z', '--from', '2026-01-01T00:00Z'],
    ['2027-01-01T00:00:00.000Z', '2027-01-02T00:00:00.000Z'],
  ],
  [
    'a start, an end and exclusions',
    '--cron=0 3 * * *|--start=2027-01-01T00:00Z|--end=2027-01-06T00:00Z|--from=2026-01-01T00:00Z'
      .concat('|--exclude=2027-01-02|--exclude=2027-01-03|--exclude-cron=* * 4 * *')
      .split('|'),
    ['2027-01-01T03:00:00.000Z', '2027-01-05T03:00:00.000Z'],
  ],
])('%s', async (_what, flags, expected) => {
  const entries = await cli.json<{ at: string; skipped?: boolean }[]>(['schedule', 'preview', ...flags]);
  expect(entries.filter(({ skipped = false }) => !skipped).map(({ at }) => at)).toEqual(expected);
});

describe('a wrong command line is one line and exit code 2', () => {
  test.each<[string[], RegExp]>([
    [[], /^duestream: give --cron, --every or --at: when it shall run$/],
    [['--cron', '0 3 * * *', '--every', '1h'], /must have one of cron, every and at, got cron and every$/],
    [['--cron', '61 3 * * *'], /^duestream: --cron must be a pattern .*Invalid value for minute: 61$/],
    [['--cron', '0 0 30 2 *'], /^duestream: --cron never fires/],
    [['--every', '10s', '--tz', 'UTC'], /^duestream: --tz belongs to cron and means nothing with every$/],
    [['--every', '10s', '--next', '1001'], /^duestream: --next must be a whole number from 1 to 1000/],
    [
      ['--every', '10s', '--redis', 'redis://x'],
      /^duestream: unknown flag --redis; see duestream schedule preview --help$/,
    ],
    [['--cron', '0 3 * * *', '--cron', '0 4 * * *'], /^duestream: give --cron only once$/],
  ])('%j', async (flags, says) => {
    const { code, stdout, stderr } = await cli.run(['schedule', 'preview', ...flags]);
    expect(stderr.trimEnd()).toMatch(says);
    expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1]);
  });
});
