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

function nested(depth: number, value: unknown): unknown {
  return depth === 0 ? value : { a: nested(depth - 1, value) };
}

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
      'a payload of another kind',
      { ...hourly, task: { payload: 'text' } },
      { ...hourly, task: { payload: ['text'] } },
      [{ field: 'task.payload', from: '"text"', to: '["text"]' }],
    ],
    [
      'parts of a payload, and only those',
      {
        ...hourly,
        task: { payload: { same: { a: 'secret' }, of: { region: 'eu', n: 1 }, gone: null, 'a b': [1, 2] } },
      },
      {
        ...hourly,
        task: { payload: { same: { a: 'secret' }, of: { region: 'us', n: 1 }, new: true, 'a b': [1, 3, 4] } },
      },
      [
        { field: 'task.payload.of.region', from: '"eu"', to: '"us"' },
        { field: 'task.payload.gone', from: 'null' },
        { field: 'task.payload["a b"][1]', from: '2', to: '3' },
        { field: 'task.payload["a b"][2]', to: '4' },
        { field: 'task.payload.new', to: 'true' },
      ],
    ],
    [
      'a long text, from where it differs',
      { ...hourly, task: { payload: { sql: `${'select '.repeat(20)}one ${'x'.repeat(99)}` } } },
      { ...hourly, task: { payload: { sql: `${'select '.repeat(20)}two` } } },
      [
        {
          field: 'task.payload.sql',
          from: `… select select one ${'x'.repeat(41)}…`,
          to: '… select select two"',
        },
      ],
    ],
    [
      'many parts: ten of them, and that there are more',
      { ...hourly, task: { payload: Array.from({ length: 12 }, () => 0) } },
      { ...hourly, task: { payload: Array.from({ length: 12 }, () => 1) } },
      [
        ...Array.from({ length: 10 }, (_, nth) => ({ field: `task.payload[${nth}]`, from: '0', to: '1' })),
        { field: 'task.payload' },
      ],
    ],
    [
      'the order of fields alone, which is nothing to show',
      { ...hourly, task: { payload: { a: 1, b: 2 } } },
      { ...hourly, task: { payload: { b: 2, a: 1 } } },
      [{ field: 'task.payload' }],
    ],
    [
      'a payload that is deeply nested, as one',
      { ...hourly, task: { payload: nested(20, 1) } },
      { ...hourly, task: { payload: nested(20, 2) } },
      [
        {
          field: `task.payload${'.a'.repeat(8)}`,
          from: `…${'{"a":'.repeat(3)}1${'}'.repeat(12)}`,
          to: `…${'{"a":'.repeat(3)}2${'}'.repeat(12)}`,
        },
      ],
    ],
    [
      'names that are those of every object',
      { ...hourly, task: { payload: {} } },
      { ...hourly, task: { payload: { constructor: 1 } } },
      [{ field: 'task.payload.constructor', to: '1' }],
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
