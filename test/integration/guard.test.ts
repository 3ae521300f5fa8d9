/** What a task costs Redis, against recorded ceilings: `npm run bench:guard`, as it is. Counted, not timed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../support/program.js';

interface Ceiling {
  readonly per: string;
  readonly scripts: number;
  readonly inside: number;
  readonly sent: number;
}

const folder = mkdtempSync(join(tmpdir(), 'duestream-guard-'));
const recorded = readFileSync(join(root, 'bench/guard/ceilings.json'), 'utf8');

afterAll(() => rmSync(folder, { recursive: true }));

function guard(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/guard.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** The recorded ceilings, changed, in a file. */
function changed(name: string, change: (ceilings: Record<string, Ceiling>) => void): string {
  const ceilings = JSON.parse(recorded) as Record<string, Ceiling>;
  change(ceilings);
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(ceilings));
  return file;
}

test('no task costs more commands and script calls than was recorded', () => {
  expect(guard()).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('every case is within') });
});

test('what costs more than its ceiling is named, with what was got and the ceiling', () => {
  const file = changed('lower.json', (ceilings) => {
    ceilings['drain, concurrency 10'] = { ...(ceilings['drain, concurrency 10'] as Ceiling), scripts: 0.01 };
    delete ceilings['add one by one'];
    ceilings['gone'] = { per: 'task', scripts: 1, inside: 1, sent: 1 };
  });
  const { status, stderr } = guard('--ceilings', file);
  expect(status).toBe(1);
  expect(stderr.trim().split('\n').toSorted()).toEqual([
    'TOO MUCH  add one by one: there is no ceiling yet; npm run bench:guard -- --record sets it',
    expect.stringMatching(/^TOO MUCH {2}drain, concurrency 10: script calls: got 0\.\d+ a task, the ceiling is 0\.01$/),
    'TOO MUCH  gone: there is a ceiling, but no such case',
  ]);
});

test('recorded anew, the ceilings are a little above what it costs, and an idle pair stays within 10 a second', () => {
  const file = join(folder, 'new.json');
  expect(guard('--record', '--ceilings', file).status).toBe(0);
  const ceilings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Ceiling>;
  expect(Object.keys(ceilings)).toEqual(Object.keys(JSON.parse(recorded) as object));
  expect(ceilings['idle leader and worker']?.sent).toBeLessThanOrEqual(10);
  expect(ceilings['add one by one']?.scripts).toBe(1.05);
});

test.each([
  ['is not there', 'nowhere.json', 'cannot be read: ENOENT'],
  ['is no JSON', 'torn.json', 'is no JSON'],
])('a file of ceilings that %s is told before anything is counted', (_what, name, problem) => {
  const file = join(folder, name);
  writeFileSync(join(folder, 'torn.json'), '{"add');
  expect(guard('--ceilings', file)).toEqual({
    status: 1,
    stdout: '',
    stderr: `bench:guard: --ceilings: ${file} ${problem}\n`,
  });
});

test('a flag it does not know is a usage error, and --help says which there are', () => {
  expect(guard('--fast')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^.*Unknown option '--fast'.*\n$/),
  });
  expect(guard('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--ceilings FILE') });
});
