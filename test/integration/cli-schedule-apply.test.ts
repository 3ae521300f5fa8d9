import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AppliedSchedule, ScheduleInfo, ScheduleSummary } from '../../src/index.js';
import { DoorLine } from '../support/at-the-door.js';
import type { Result } from '../support/cli.js';

/** `schedule apply`: a file says which schedules there are. */
const cli = new DoorLine();
vi.setConfig({ testTimeout: 120_000 }); // a dozen processes one after the other, on a machine that has other work

beforeAll(() => cli.startRedis());
beforeEach(() => cli.send('FLUSHALL'));
afterAll(() => cli.close());

const nightly = `
  nightly:
    cron: 0 3 * * *
    tz: Europe/Berlin
    catchUp: { all: 5 }
    task: { name: report, payload: { to: secret@example.com } }
`;
const poll = `
  poll:
    every: 90s
    overlap: skip
    task: { name: fetch }
`;
const fileOf = (...schedules: string[]): string => `schedules:${schedules.join('')}`;

async function apply(text: string, ...flags: string[]): Promise<Result> {
  writeFileSync(join(cli.folder, 'schedules.yaml'), text);
  return cli.run(['schedule', 'apply', 'mail', 'schedules.yaml', ...flags]);
}

const isNew = 'duestream: the queue "mail" is new: nobody has used it before\n';
const applied = async (text: string, ...flags: string[]): Promise<AppliedSchedule[]> => {
  const { code, stdout, stderr } = await apply(text, '--json', ...flags);
  expect([code, stderr.replace(isNew, '')]).toEqual([0, '']);
  return JSON.parse(stdout) as AppliedSchedule[];
};
const show = (name: string): Promise<ScheduleInfo> => cli.json(['schedule', 'show', 'mail', name]);
const namesNow = async (): Promise<string[]> =>
  (await cli.json<ScheduleSummary[]>(['schedule', 'list', 'mail'])).map(({ name }) => name);

test('what is new is created, and what is the same stays as it is', async () => {
  const first = await apply(fileOf(nightly, poll));
  expect(first).toMatchObject({ code: 0, stderr: isNew });
  expect(first.stdout).toMatch(
    /^\+ +nightly +0 3 \* \* \* Europe\/Berlin, next \S+Z\n\+ +poll +every 1m30s, next \S+Z\n2 created\n$/,
  );
  expect(await show('nightly')).toMatchObject({
    version: 1,
    policy: { catchUp: { all: 5 } },
    task: { name: 'report' },
  });
  expect(await apply(fileOf(nightly, poll))).toEqual({ code: 0, stdout: '2 unchanged\n', stderr: '' });
  expect(await show('nightly')).toMatchObject({ version: 1 });
});

test('what differs is shown, of a payload the parts that do, and gets the next version', async () => {
  await apply(fileOf(nightly, poll));
  const other = nightly.replace('0 3', '0 4').replace('secret@', 'other@').replace('report,', 'report, timeout: 30s,');
  const { stdout } = await apply(fileOf(other, poll));
  expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['~', 'nightly', expect.stringMatching(/^version 2, next \S+Z$/) as string],
    ['cron', '0 3 * * * → 0 4 * * *'],
    ['task.payload.to', '"secret@example.com" → "other@example.com"'],
    ['task.timeout', 'none → 30s'],
    ['1 changed, 1 unchanged'],
    [''],
  ]);
  expect(await show('nightly')).toMatchObject({
    version: 2,
    task: { payload: { to: 'other@example.com' }, timeoutMs: 30_000 },
  });
  expect(await show('poll')).toMatchObject({ version: 1 });
  expect(await applied(fileOf(nightly), '--dry-run')).toEqual([
    {
      name: 'nightly',
      status: 'changed',
      version: 3,
      rule: '0 3 * * * Europe/Berlin',
      next: expect.any(Number) as number,
      changes: [
        { field: 'cron', from: '0 4 * * *', to: '0 3 * * *' },
        { field: 'task.payload.to', from: '"other@example.com"', to: '"secret@example.com"' },
        { field: 'task.timeout', from: '30s' },
      ],
    },
  ]);
});

test('--prune deletes what is not in the file; without it that stays', async () => {
  await apply(fileOf(nightly, poll));
  expect((await apply(fileOf(nightly))).stdout).toBe('1 unchanged\n');
  expect(await namesNow()).toEqual(['nightly', 'poll']);
  const dry = await apply(fileOf(nightly), '--prune', '--dry-run');
  expect(dry).toMatchObject({
    code: 0,
    stdout: '-  poll  every 1m30s\ndry run, nothing is written: 1 deleted, 1 unchanged\n',
  });
  expect(await namesNow()).toEqual(['nightly', 'poll']);
  expect((await apply(fileOf(nightly), '--prune')).stdout).toBe('-  poll  every 1m30s\n1 deleted, 1 unchanged\n');
  expect(await namesNow()).toEqual(['nightly']);
  expect((await apply('schedules: {}', '--prune')).stdout).toMatch(/1 deleted\n$/);
});

test('--dry-run writes nothing, not even that there is such a queue', async () => {
  const { code, stdout } = await apply(fileOf(nightly, poll), '--dry-run', '--prune');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\+ +nightly .*\n\+ +poll .*\ndry run, nothing is written: 2 created\n$/);
  expect(await cli.send('DBSIZE')).toBe(0);
});

test('a version of its own is heeded', async () => {
  await apply(fileOf(`${poll}    version: 5`));
  const older = await apply(fileOf(`${poll.replace('90s', '10s')}    version: 4`, nightly));
  expect(older).toMatchObject({
    code: 4,
    stderr: 'duestream: not applied, for a higher version stands: poll\n',
  });
  expect(older.stdout).toMatch(
    /^! +poll +a higher version stands, 5: left as it is\n\+ +nightly .*\n1 created, 1 older\n$/,
  );
  const conflict = await apply(fileOf(nightly.replace('0 3', '0 9'), `${poll.replace('90s', '10s')}    version: 5`));
  expect(conflict).toMatchObject({ code: 4, stdout: '' });
  expect(conflict.stderr).toMatch(/^duestream: the schedule poll stands with version 5 and other contents: [^\n]+\n$/);
  expect(await show('nightly')).toMatchObject({ rule: '0 3 * * * Europe/Berlin' });
});

test('JSON, and stdin of either kind, are files too', async () => {
  const json = JSON.stringify(
    { schedules: { poll: { every: '90s', overlap: 'skip', task: { name: 'fetch' } } } },
    null,
    '\t',
  );
  writeFileSync(join(cli.folder, 'schedules.json'), json);
  expect((await cli.run(['schedule', 'apply', 'mail', 'schedules.json'])).stdout).toMatch(/1 created\n$/);
  for (const stdin of [json, fileOf(poll), `\ufeff${fileOf(poll)}`]) {
    expect(await cli.run(['schedule', 'apply', 'mail', '-'], { stdin })).toMatchObject({
      code: 0,
      stdout: '1 unchanged\n',
    });
  }
});

test('an anchor and its aliases are taken, with all JSON that YAML can say', async () => {
  const text = `
schedules:
  one: { every: 1h, task: &task { name: fetch, payload: [1, 2.5, true, null, "x", { n: 0x10 }] } }
  two: { every: 2h, task: *task }
  "*/5": { cron: "*/5 * * * *", exclude: [2027-12-24, { cron: "* 3 * * *" }], task: *task }
  at: { at: [2099-01-01T09:00Z], task: *task }
`;
  expect((await applied(text)).map(({ status }) => status)).toEqual(['created', 'created', 'created', 'created']);
  expect(await show('two')).toMatchObject({ task: { payload: [1, 2.5, true, null, 'x', { n: 16 }] } });
  expect(await show('*/5')).toMatchObject({ timing: { exclude: { dates: ['2027-12-24'], crons: ['* 3 * * *'] } } });
});

describe('a file that is wrong is one line and exit code 2, and nothing is written', () => {
  const bad = (text: string): string => fileOf(nightly, text);
  const deep = `schedules: ${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  test.each<[what: string, text: string, says: RegExp]>([
    [
      'a bad pattern',
      bad(poll.replace('every: 90s', 'cron: 61 3 * * *')),
      /the schedule "poll": cron must be a pattern/,
    ],
    [
      'an unknown option',
      bad(poll.replace('overlap', 'overlaps')),
      /the schedule "poll": unknown option "overlaps" .*overlap/,
    ],
    [
      'an unknown option of the task',
      bad(poll.replace('{ name', '{ nmae')),
      /the schedule "poll": unknown task option "nmae"/,
    ],
    ['no task', bad('  poll: { every: 1h }'), /the schedule "poll": a schedule needs its task/],
    ['the options of a task, and no task', bad('  poll: { every: 1h, name: poll }'), /a schedule needs its task/],
    ['no object', bad('  poll: 1h'), /the schedule "poll": must be an object/],
    [
      'a time without an offset',
      bad('  poll: { every: 1h, start: 2027-01-01, task: { name: a } }'),
      /"poll": start must say its offset/,
    ],
    [
      'a name that is too long',
      fileOf(`\n  ${'x'.repeat(250)}: { every: 1h, task: { name: a } }`),
      /name must be at most \d+ bytes/,
    ],
    ['no YAML', `${fileOf(nightly)}  poll: [1, secret`, /schedules.yaml is not YAML: line \d+, /],
    [
      'a pattern without quotes',
      bad('  poll: \n    cron: * * * * *\n    task: { name: a }'),
      /line 8, .*; a pattern that begins with \* needs quotes/,
    ],
    ['another pattern without quotes', bad('  poll: \n    cron: */5 * * * *\n    task: { name: a }'), /needs quotes/],
    ['a name twice', fileOf(poll, poll), /is not YAML: line 7, Map keys must be unique/],
    ['a tag', bad('  poll: !secret { every: 1h }'), /is not YAML: line 7, Unresolved tag\n$/],
    ['two documents', `${fileOf(nightly)}---\n${fileOf(poll)}`, /has more than one document: make files of them\n$/],
    ['no anchor', bad('  poll: *nowhere'), /is not YAML: an alias/],
    ['itself in itself', 'schedules: &all { poll: *all }', /nested more than 100 deep, or leads back into itself/],
    ['a tower', deep, /nested more than 100 deep/],
    ['too many aliases', bomb(), /is not YAML: an alias .* or too many of them/],
    [
      'a number of too many digits',
      bad('  poll: { every: 1h, task: { name: a, payload: 12345678901234567890 } }'),
      /a number with more digits/,
    ],
    [
      'what JSON has not',
      bad('  poll: { every: 1h, task: { name: a, payload: .nan } }'),
      /the schedule "poll": payload/,
    ],
    ['nothing', '', /has no schedules: expected "schedules" at its top/],
    ['no schedules', 'schedules:', /has no schedules: .*write "schedules: \{\}"/],
    ['a list', 'schedules: []', /has no schedules/],
    ['something else at its top', `${fileOf(nightly)}version: 2`, /unknown field "version": expected "schedules"/],
  ])('%s', async (_what, text, says) => {
    const { code, stdout, stderr } = await apply(text);
    expect(stderr).toMatch(/^duestream: [^\n]+\n$/);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('secret');
    expect([code, stdout]).toEqual([2, '']);
    expect(await cli.send('DBSIZE')).toBe(0);
  });

  test('several that are wrong are a line each', async () => {
    const wrong = ['  poll: { every: 15, task: { name: a } }\n', '  other: { every: 1h, task: { nmae: secret } }\n'];
    const { code, stdout, stderr } = await apply(fileOf(nightly, ...wrong));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toEqual([
      'duestream: the schedule "poll": every needs a unit, such as 15s or 15ms, got "15"',
      expect.stringMatching(/^duestream: the schedule "other": unknown task option "nmae"/) as string,
      'duestream: 2 of 3 schedules are refused, and nothing was written',
      '',
    ]);
    expect(stderr).not.toContain('secret');
    expect(await cli.send('DBSIZE')).toBe(0);
  });

  test('JSON with an error says its line', async () => {
    writeFileSync(join(cli.folder, 'bad.json'), '{ "schedules": {\n  "a": {\n    "every": secret\n} } }');
    const { code, stderr } = await cli.run(['schedule', 'apply', 'mail', 'bad.json']);
    expect([code, stderr]).toEqual([2, 'duestream: bad.json is not JSON: line 3\n']);
    writeFileSync(join(cli.folder, 'cut.json'), '{ "schedules": {\n');
    expect((await cli.run(['schedule', 'apply', 'mail', 'cut.json'])).stderr).toBe(
      'duestream: cut.json is not JSON: line 2\n',
    );
  });
});

/** Each line holds the one before it nine times. */
function bomb(): string {
  const lines = Array.from(
    { length: 9 },
    (_, at) => `  a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(', ')}]`,
  );
  return `schedules:\n  a0: &a0 [x]\n${lines.join('\n')}\n`;
}
