import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ScheduleInfo, ScheduleSummary } from '../../src/index.js';
import { DoorLine } from '../support/at-the-door.js';
import type { Result } from '../support/cli.js';
import { until } from '../support/redis.js';

/** The verbs of `schedule` that talk to Redis: what they do to it, and what they print. */
const cli = new DoorLine();
vi.setConfig({ testTimeout: 120_000 }); // a dozen processes one after the other, on a machine that has other work

beforeAll(async () => {
  writeFileSync(join(cli.folder, 'report.mjs'), 'export default { report: () => {} };');
  await cli.startRedis();
});
beforeEach(() => cli.send('FLUSHALL'));
afterAll(() => cli.close());

const berlin = ['--cron', '0 3 * * *', '--tz', 'Europe/Berlin'];
const createArgs = (...more: string[]): string[] => ['schedule', 'create', 'mail', 'nightly', 'report', ...more];
const past = ['--every', '1h', '--end', '2020-01-01T00:00Z'];
const create = (...more: string[]): Promise<{ name: string; status: string; next: number | null }> =>
  cli.json(createArgs(...more));
const show = (name = 'nightly'): Promise<ScheduleInfo> => cli.json(['schedule', 'show', 'mail', name]);

describe('schedule create', () => {
  test('says what became of it, and when it comes next', async () => {
    const made = await create(...berlin);
    expect(made).toEqual({ name: 'nightly', status: 'created', next: expect.any(Number) as number });
    const next = new Date(made.next as number).toISOString();
    expect(await cli.run(createArgs(...berlin))).toEqual({
      code: 0,
      stdout: `nightly unchanged, next ${next}\n`,
      stderr: '',
    });
    expect(await create(...berlin, '--version', '3', '--limit', '9')).toMatchObject({ status: 'changed' });
    const older = await cli.run(createArgs('--every', '1h', '--version', '2'));
    expect(older).toMatchObject({
      code: 0,
      stdout: `nightly older: a higher version stands, and was left as it is; next ${next}\n`,
    });
    expect(await show()).toMatchObject({ version: 3, policy: { limit: 9 } });
  });

  test('of the same version with other contents is a conflict; with --replace it takes the next', async () => {
    await create(...berlin, '--version', '4');
    const conflict = await cli.run(createArgs('--every', '1h', '--version', '4'));
    expect(conflict).toMatchObject({ code: 4, stdout: '' });
    expect(conflict.stderr).toMatch(
      /^duestream: the schedule nightly stands with version 4 .*: give the change a higher version, with --version or --replace\n$/,
    );
    const { stdout } = await cli.run(createArgs('--every', '1h', '--replace'));
    expect(stdout).toMatch(/^nightly changed, next \S+Z\n +cron +0 3 \* \* \* → none\n/);
    expect(await create('--every', '1h', '--replace')).toMatchObject({ status: 'unchanged' });
    expect(await show()).toMatchObject({ version: 5, rule: 'every 1h' });
    await cli.json(['schedule', 'delete', 'mail', 'nightly']);
    expect(await create('--every', '1h', '--replace')).toMatchObject({ status: 'created' });
  });

  test('takes all there is to a rule, a policy and a task', async () => {
    const rule = [
      ...berlin,
      '--gap',
      'skip',
      '--fold',
      'last',
      '--start',
      '2027-01-01T00:00Z',
      '--end',
      '2031-01-01T00:00Z',
    ];
    const more = ['--exclude', '2027-12-24', '--exclude-cron', '* * * * SAT', '--jitter', '5m'];
    const policy = [
      '--catch-up',
      'all:7',
      '--window',
      '1h',
      '--overlap',
      'buffer-all:3',
      '--limit',
      '9',
      '--pause-after',
      '2',
    ];
    const task = [
      '--key',
      'k',
      '--max-attempts',
      '2',
      '--backoff',
      'fixed:10s',
      '--timeout',
      '30s',
      '--expires-in',
      '1d',
    ];
    await create('{"a":[1]}', ...rule, ...more, ...policy, ...task);
    expect(await show()).toMatchObject({
      timing: {
        rule: { cron: '0 3 * * *', tz: 'Europe/Berlin', gap: 'skip', fold: 'last' },
        startMs: Date.UTC(2027, 0),
        endMs: Date.UTC(2031, 0),
        exclude: { dates: ['2027-12-24'], crons: ['* * * * SAT'] },
        jitterMs: 300_000,
      },
      policy: { catchUp: { all: 7 }, windowMs: 3_600_000, overlap: { bufferAll: 3 }, limit: 9, pauseAfter: 2 },
      task: {
        name: 'report',
        payload: { a: [1] },
        key: 'k',
        maxAttempts: 2,
        backoff: { type: 'fixed', delayMs: 10_000 },
        timeoutMs: 30_000,
        expiresInMs: 86_400_000,
      },
    });
  });

  test.each([
    ['--catch-up', 'all', { catchUp: { all: 1_000 } }],
    ['--catch-up', 'skip', { catchUp: 'skip' }],
    ['--overlap', 'buffer-all', { overlap: { bufferAll: 1_000 } }],
    ['--overlap', 'buffer-one', { overlap: 'bufferOne' }],
    ['--overlap', 'cancel-other', { overlap: 'cancelOther' }],
  ])('%s %s', async (flag, value, policy) => {
    await create('--every', '1h', flag, value);
    expect((await show()).policy).toMatchObject(policy);
  });

  test('takes its payload from stdin, too', async () => {
    const { code, stderr } = await cli.run(createArgs('-', '--every', '1h'), { stdin: '{"from":"stdin"}\n' });
    expect(code).toBe(0);
    expect(stderr).toBe('duestream: the queue "mail" is new: nobody has used it before\n');
    expect(await show()).toMatchObject({ task: { payload: { from: 'stdin' } } });
  });

  test('takes one whose end is past, and says that it fires nothing: where it is made, not where it stands', async () => {
    const [first, again] = [await cli.run(createArgs(...past)), await cli.run(createArgs(...past))];
    expect(first).toMatchObject({ code: 0, stdout: 'nightly created, no time is left\n' });
    expect(first.stderr).toMatch(/^duestream: nightly will fire nothing: all its times are past$/m);
    expect(again).toEqual({ code: 0, stdout: 'nightly unchanged, no time is left\n', stderr: '' });
  });

  test('--version is that of the schedule here, and of the program elsewhere', async () => {
    expect((await cli.run(['schedule', 'list', '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await cli.run(createArgs('--every', '1h', '--version=7'))).stdout).toMatch(/^nightly created/);
    expect(await show()).toMatchObject({ version: 7 });
  });
});

describe('schedule list', () => {
  test('has all there are, of all partitions and pages', async () => {
    await cli.json(['queue', 'create', 'mail', '--partitions', '3']);
    const names = Array.from({ length: 2_500 }, (_, at) => `s${String(at).padStart(4, '0')}`);
    const schedules = Object.fromEntries(names.map((name) => [name, { every: '1h', task: { name: 'report' } }]));
    writeFileSync(join(cli.folder, 'many.json'), JSON.stringify({ schedules }));
    expect((await cli.run(['schedule', 'apply', 'mail', 'many.json'])).stdout.endsWith('\n2500 created\n')).toBe(true);
    const all = await cli.json<ScheduleSummary[]>(['schedule', 'list', 'mail']);
    expect(all.map(({ name }) => name)).toEqual(names);
  });

  test('is a table', async () => {
    expect((await cli.run(['schedule', 'list', 'mail'])).stdout).toBe('mail has no schedules\n');
    const { next } = await create(...berlin);
    await cli.json(['schedule', 'create', 'mail', 'poll', 'report', '--every', '90s']);
    await cli.json(['schedule', 'pause', 'mail', 'poll']);
    const { stdout } = await cli.run(['schedule', 'list', 'mail']);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'STATE', 'RULE', 'NEXT', 'LAST', 'COUNT'],
      ['nightly', 'active', '0 3 * * * Europe/Berlin', new Date(next as number).toISOString(), '-', '0'],
      ['poll', 'paused', 'every 1m30s', '-', '-', '0'],
      [''],
    ]);
  });
});

test('schedule show has the times in UTC and in the zone of the rule', async () => {
  await create('{"to":"a@b.c"}', ...berlin, '--start', '2099-03-29T00:00Z');
  await cli.json(['schedule', 'pause', 'mail', 'nightly', '--note', 'the warehouse moves']);
  const { stdout, code } = await cli.run(['schedule', 'show', 'mail', 'nightly']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^paused +since \S+Z: the warehouse moves$/m);
  expect(stdout).toMatch(/^rule +0 3 \* \* \* Europe\/Berlin$/m);
  expect(stdout).toMatch(/^payload +\{"to":"a@b.c"\}$/m);
  expect(stdout).toMatch(/^NEXT, IF RESUMED +Europe\/Berlin\n2099-03-29T01:00:00.000Z +2099-03-29T03:00:00\+02:00$/m);
});

test('pause, resume, trigger and delete say what they did', async () => {
  const { next } = await create('--every', '1h');
  const run = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli.run([
      'schedule',
      argv[0] as string,
      'mail',
      'nightly',
      ...argv.slice(1),
    ]);
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };
  expect(await run('pause', '--note', 'one')).toBe('nightly paused\n');
  expect(JSON.parse(await run('pause', '--json', '--note', 'two'))).toMatchObject({
    state: 'paused',
    paused: { note: 'two' },
  });
  expect(await run('pause')).toMatch(/^nightly was paused already, since \S+Z: two\n$/);
  const coming = `next ${new Date(next as number).toISOString()}\n`;
  expect(await run('resume')).toBe(`nightly resumed, ${coming}`);
  expect(await run('resume')).toBe(`nightly was not paused, ${coming}`);
  expect((await cli.run(['stats', 'mail'])).stdout).toContain(`\n\nmail: 1 schedule, ${coming}`);
  expect(await run('trigger')).toMatch(/^nightly@\d{4}-\d\d-\d\dT[\d:.]+Z![\w-]{16} ready\n$/);
  expect(await cli.json(['stats', 'mail'])).toMatchObject({ ready: 1 });
  expect(await run('delete')).toBe('nightly deleted\n');
  expect(await cli.json(['schedule', 'list', 'mail'])).toEqual([]);
  expect(await cli.json(['stats', 'mail'])).toMatchObject({ ready: 1 });
});

test('resume says that there is something to catch up with; pause, that there is nothing to come', async () => {
  const { next: first } = await create('--every', '100ms', '--catch-up', 'all:5');
  await cli.json(['schedule', 'pause', 'mail', 'nightly']);
  await until(() => Date.now() > (first as number), 'its first time to come');
  const { stdout } = await cli.run(['schedule', 'resume', 'mail', 'nightly']);
  const [, next = '', since = ''] =
    /^nightly resumed, next (\S+Z); what came since (\S+Z) is dealt with first, catch up: all:5\n$/.exec(stdout) ?? [];
  expect(Date.parse(next)).toBeGreaterThan(Date.parse(since));
  await create(...past, '--replace');
  const paused = await cli.run(['schedule', 'pause', 'mail', 'nightly']);
  expect(paused.stdout).toBe('nightly paused; it was finished, no time is left\n');
});

test('a schedule that is not there is exit code 3, and one line', async () => {
  await create('--every', '1h');
  for (const verb of ['show', 'pause', 'resume', 'trigger', 'backfill', 'delete']) {
    const more = verb === 'backfill' ? ['--from', '2026-01-01T00:00Z'] : [];
    const { code, stdout, stderr } = await cli.run(['schedule', verb, 'mail', 'nihgtly', ...more]);
    expect([verb, code, stdout]).toEqual([verb, 3, '']);
    expect(stderr).toMatch(/^duestream: [^\n]*no schedule nihgtly[^\n]*\n$/);
  }
  expect((await cli.run(['schedule', 'show', 'mail', 'nihgtly', '--json'])).stdout).toBe('null\n');
});

describe('schedule backfill', () => {
  const hours = (count: number): string => new Date(Date.now() - count * 3_600_000).toISOString();

  test('says what it will add; with --wait it is done when it ends', async () => {
    await create('--every', '1h');
    const worker = cli.start(['worker', 'mail', '--handlers', 'report.mjs', '--verbose']);
    await worker.says(/worker started/);
    const dry = await cli.run(['schedule', 'backfill', 'mail', 'nightly', '--from', hours(30), '--dry-run']);
    expect(dry.stdout).toMatch(/^nightly: a backfill of \S+Z up to \S+Z would add 30, in about 1s\n$/);
    const { code, stdout } = await cli.run(['schedule', 'backfill', 'mail', 'nightly', '--from', hours(30), '--wait']);
    expect(stdout).toMatch(
      /^nightly: backfill of \S+Z up to \S+Z: 0 added, come to \S+Z\nnightly: backfill done, 30 added\n$/,
    );
    expect(code).toBe(0);
    expect((await cli.run(['schedule', 'show', 'mail', 'nightly'])).stdout).toMatch(
      /^backfilled +\S+Z up to \S+Z: 30 added$/m,
    );
    await expect
      .poll(() => worker.stderr.match(/report nightly@/g)?.length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(30);
    const again = await cli.json<ScheduleInfo>([
      'schedule',
      'backfill',
      'mail',
      'nightly',
      '--from',
      hours(30),
      '--wait',
    ]);
    expect(again).toMatchObject({ backfill: null, lastBackfill: { added: 0 } });
    expect(new Set(worker.stderr.match(/nightly@\S+/g)).size).toBe(30);
    worker.kill('SIGTERM');
    await worker.ended;
  });

  test('where nobody leads it says so, and a signal ends the wait alone', async () => {
    await create('--every', '1h');
    const waiting = cli.start(['schedule', 'backfill', 'mail', 'nightly', '--from', hours(3), '--wait']);
    await waiting.says(/nobody leads mail: start a worker or a leader/);
    waiting.kill('SIGINT');
    expect((await waiting.ended).code).toBe(130);
    const twice = await cli.run(['schedule', 'backfill', 'mail', 'nightly', '--from', hours(3)]);
    expect(twice).toMatchObject({ code: 4, stderr: 'duestream: nightly is being backfilled already\n' });
    expect((await cli.run(['schedule', 'show', 'mail', 'nightly'])).stdout).toMatch(
      /^backfill +\S+ up to \S+: 0 added/m,
    );
    const stop = (): Promise<Result> => cli.run(['schedule', 'backfill', 'mail', 'nightly', '--stop']);
    const other = cli.start(['schedule', 'backfill', 'mail', 'nightly', '--stop', '--wait']);
    expect(await other.ended).toMatchObject({ code: 2, stderr: 'duestream: --stop goes with no --wait\n' });
    expect((await stop()).stdout).toMatch(/^nightly: backfill of \S+Z up to \S+Z: 0 added, stopped at \S+Z\n$/);
    expect((await stop()).stdout).toBe('nightly was not being backfilled\n');
    const stopped = cli.start(['schedule', 'backfill', 'mail', 'nightly', '--from', hours(3), '--wait']);
    await stopped.says(/nobody leads mail/);
    await stop();
    const { code, stderr } = await stopped.ended;
    expect(code).toBe(4);
    expect(stderr).toMatch(/^duestream: the backfill of nightly was stopped at \S+Z: 0 added$/m);
  });
});
