import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultName } from '../../src/cli/demo/fault.js';
import type { Report } from '../../src/cli/demo/verdict.js';
import { type Command, CommandLine } from '../support/cli.js';

/** The demo in a short form: that it shows kept promises as kept and broken ones as broken, and leaves nothing behind. */
const cli = new CommandLine();
const folder = join(cli.folder, 'temporary');
/** It starts its own Redis then. */
const alone = { env: { DUESTREAM_REDIS_URL: '', TMPDIR: folder } };
const short = ['--seconds', '3', '--tasks', '300', '--json'];

beforeAll(async () => {
  mkdirSync(folder);
  await cli.startRedis();
  await cli.send('SET', 'somebody', 'else');
});
afterAll(() => cli.close());

/** All that it says it started. */
function pidsOf({ stderr }: { stderr: string }): number[] {
  const [, line = ''] = /on stage: (.*)/.exec(stderr) ?? [];
  return Array.from(line.matchAll(/pid (\d+)/g), ([, pid]) => Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits for the play to have begun. */
async function begun(command: Command): Promise<number[]> {
  await command.says(/on stage: .*\n/);
  return pidsOf(command);
}

test('the demo plays on a Redis of its own, keeps every promise, and leaves no process and no file', async () => {
  const ended = await cli.run(['demo', '--seconds', '6', '--tasks', '600', '--json'], alone);
  expect(ended.stderr).toMatch(/^ +0\.0 s {2}on a Redis of its own, pid \d+, under the prefix duestream-demo-/);
  expect(ended.stderr).toContain('SIGKILL to leader-');
  const report = JSON.parse(ended.stdout) as Report;
  expect(report).toMatchObject({
    held: true,
    broken: [],
    tasks: { added: 600, delayed: 300, completed: 600 },
    lost: { count: 0 },
    early: { count: 0 },
    duplicates: { unexplained: 0 },
    retried: 6,
    lateness: { all: { count: 606 } },
  });
  expect(report.early.withinMs).toBeGreaterThan(0);
  expect(ended.code).toBe(0);
  expect(pidsOf(ended)).toHaveLength(6);
  expect(pidsOf(ended).filter(isRunning)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

describe('a promise broken on purpose', () => {
  const faults: readonly [FaultName, Partial<Record<keyof Report, unknown>>][] = [
    ['lose', { lost: { count: 3, started: 0 }, tasks: { added: 300, completed: 297 } }],
    ['early', { early: { count: 3 }, lost: { count: 0 }, tasks: { added: 300, completed: 300 } }],
    ['duplicate', { duplicates: { unexplained: 3 }, completedTwice: 3, lost: { count: 0 } }],
  ];

  test.concurrent.each(faults)('%s is found out, with exit code 1', async (fault, shown) => {
    const { code, stdout, stderr } = await cli.run(['demo', '--fault', fault, ...short]);
    expect(stderr).toMatch(/^ +0\.0 s {2}on Redis at \S+redis\.sock, under the prefix duestream-demo-/);
    expect(stderr).toContain('fault: task-');
    expect(JSON.parse(stdout)).toMatchObject({ held: false, ...shown });
    expect(code).toBe(1);
  });
});

test('on a Redis that is there it left only what it found', async () => {
  expect(await cli.send('KEYS', '*')).toEqual(['somebody']);
});

test('Ctrl-C ends all of it, with exit code 130', async () => {
  const command = cli.start(['demo', '--json'], alone);
  const pids = await begun(command);
  expect(pids.filter(isRunning)).toHaveLength(6);
  command.kill('SIGINT');
  const { code, stdout } = await command.ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(pids.filter(isRunning)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test('a process that ends by itself ends the demo, with its name and exit code 1', async () => {
  const command = cli.start(['demo', '--json']);
  const pids = await begun(command);
  process.kill(pids[2] ?? 0, 'SIGTERM');
  const { code, stdout, stderr } = await command.ended;
  expect(stderr).toMatch(/duestream: worker-1: its process ended by itself \(SIGTERM\)\n$/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(pids.filter(isRunning)).toEqual([]);
  expect(await cli.send('KEYS', '*')).toEqual(['somebody']);
});

test('a demo that is killed leaves no process and no key', async () => {
  const command = cli.start(['demo', '--json']);
  const pids = await begun(command);
  command.kill('SIGKILL');
  await command.ended;
  await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  expect(await cli.send('KEYS', '*')).toEqual(['somebody']);
});

test('without a redis-server on the PATH it says what to install', async () => {
  const { code, stderr } = await cli.run(['demo'], { env: { ...alone.env, PATH: folder } });
  expect(stderr).toMatch(/^duestream: no redis-server .* Install one: .*--redis redis:\/\/127\.0\.0\.1:6379\n$/);
  expect(code).toBe(1);
});

test('a Redis that does not answer is exit code 69', async () => {
  const { code, stderr } = await cli.run(['demo', '--redis', `unix://${join(folder, 'nobody.sock')}`]);
  expect(stderr).toContain('could not be reached');
  expect(code).toBe(69);
});
