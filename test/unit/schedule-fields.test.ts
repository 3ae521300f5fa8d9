import { describe, expect, test } from 'vitest';
import { type ScheduledTask, type ScheduleOptions, toDefinition } from '../../src/producer/new-schedule.js';
import { type FieldChange, fieldChanges } from '../../src/producer/schedule-fields.js';
import { defaultLimits } from '../../src/task.js';

interface Given {
  options: ScheduleOptions;
  task?: Partial<ScheduledTask>;
}

async function changes(from: Given, to: Given): Promise<FieldChange[]> {
  const [one, other] = await Promise.all(
    [from, to].map(({ options, task }) =>
      toDefinition('s', { options, task: { name: 'job', ...task } }, defaultLimits),
    ),
  );
  return fieldChanges(one as never, other as never);
}

const hourly: Given = { options: { every: '1h' } };
const nightly: Given = { options: { cron: '0 3 * * *' } };
const times = (count: number, at: number): string[] =>
  Array.from({ length: count }, (_, nth) => new Date(Date.UTC(2027, at, 1 + nth)).toISOString());

describe('the fields in which two schedules differ', () => {
  test.each<[what: string, from: Given, to: Given, expected: FieldChange[]]>([
    ['none', hourly, hourly, []],
    ['a default that is written out is none', hourly, { options: { every: 3_600_000, catchUp: 'one' } }, []],
    ['no version', hourly, { options: { every: '1h', version: 2 } }, []],
    [
      'another rule',
      hourly,
      nightly,
      [
        { field: 'every', from: '1h' },
        { field: 'cron', to: '0 3 * * *' },
        { field: 'tz', to: 'UTC' },
        { field: 'gap', to: 'shift' },
        { field: 'fold', to: 'first' },
      ],
    ],
    [
      'what stands about a rule',
      hourly,
      {
        options: {
          every: '1h',
          anchor: '2027-01-01T00:10Z',
          start: '2027-01-01T00:00Z',
          end: '2028-01-01T00:00Z',
          exclude: ['2027-12-24', { cron: '* * * * SAT' }],
          jitter: '5m',
        },
      },
      [
        { field: 'anchor', to: '1970-01-01T00:10:00.000Z' },
        { field: 'start', to: '2027-01-01T00:00:00.000Z' },
        { field: 'end', to: '2028-01-01T00:00:00.000Z' },
        { field: 'exclude', to: '2027-12-24, * * * * SAT' },
        { field: 'jitter', to: '5m' },
      ],
    ],
    [
      'a policy',
      hourly,
      {
        options: { every: '1h', catchUp: { all: 5 }, overlap: { bufferAll: 2 }, window: '1h', limit: 9, pauseAfter: 3 },
      },
      [
        { field: 'catchUp', from: 'one', to: 'all: 5' },
        { field: 'overlap', from: 'allow', to: 'bufferAll: 2' },
        { field: 'window', to: '1h' },
        { field: 'limit', to: '9' },
        { field: 'pauseAfter', to: '3' },
      ],
    ],
    [
      'a task',
      hourly,
      {
        ...hourly,
        task: {
          name: 'other',
          key: 'k',
          maxAttempts: 2,
          timeout: '30s',
          expiresIn: '1d',
          backoff: { type: 'fixed', delay: '10s' },
        },
      },
      [
        { field: 'task.name', from: 'job', to: 'other' },
        { field: 'task.key', from: 's', to: 'k' },
        { field: 'task.maxAttempts', to: '2' },
        { field: 'task.backoff', to: 'fixed 10s, up to 10s' },
        { field: 'task.timeout', to: '30s' },
        { field: 'task.expiresIn', to: '1d' },
      ],
    ],
    [
      'a payload, of which nothing is shown',
      { ...hourly, task: { payload: 'secret' } },
      { ...hourly, task: { payload: ['secret'] } },
      [{ field: 'task.payload' }],
    ],
    [
      'a long list',
      { options: { at: times(4, 0) } },
      { options: { at: times(5, 0) } },
      [
        {
          field: 'at',
          from: '2027-01-01T00:00:00.000Z and 3 more, the last 2027-01-04T00:00:00.000Z',
          to: '2027-01-01T00:00:00.000Z and 4 more, the last 2027-01-05T00:00:00.000Z',
        },
      ],
    ],
    [
      'two long lists that read the same',
      { options: { at: [...times(2, 0), ...times(2, 4)] } },
      { options: { at: [...times(1, 0), ...times(1, 2), ...times(2, 4)] } },
      [{ field: 'at' }],
    ],
  ])('%s', async (_what, from, to, expected) => {
    expect(await changes(from, to)).toEqual(expected);
  });
});
