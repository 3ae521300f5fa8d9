/** The benchmark runs, and its documents have the shape that others read. What it measures is not looked at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function bench(...args: string[]): Promise<Ended> {
  return node('bench/bench.mjs', ...args);
}

async function node(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text));
  [ended.code] = (await once(child, 'close')) as [number | null];
  return ended;
}

/** With the sizes that are left of a scale of almost nothing. */
const tiny = ['--quick', '--scale', '0.000001', '--repetitions', '1', '--systems', 'duestream,bare'];
const cases = ['one by one', 'one worker, concurrency 100', 'due now', 'at one instant'];

test('each measure gives figures of each system, in one document', async () => {
  const out = await mkdtemp(join(tmpdir(), 'duestream-bench-'));
  onTestFinished(() => rm(out, { recursive: true }));
  const { code, stdout, stderr } = await bench(...tiny, ...cases.flatMap((name) => ['--only', name]), '--out', out);
  expect({ code, stderr }).toMatchObject({ code: 0 });

  const { made, figures } = JSON.parse(await readFile(join(out, 'quick-none.json'), 'utf8')) as Document;
  expect(made).toMatchObject({ persistence: 'none', repetitions: 1, quick: true, scale: 0.000001, failed: 0 });
  expect(stderr).toMatch(/on Redis \S+ at redis:\/\/127\.0\.0\.1:\d+, persistence none/);
  expect(Object.keys(made.machine)).toEqual(['cpu', 'cores', 'memoryGiB', 'kernel']);
  expect(made.versions).toMatchObject({ duestream: expect.any(String), redis: expect.any(String) });
  for (const system of ['duestream', 'bare']) expect(shapesOf(figures, system)).toEqual(shapes);
  for (const { values } of figures) expect(values).toEqual([expect.any(Number)]);
  for (const name of cases) expect(stdout).toContain(name);
});

interface Figure {
  measure: string;
  case: string;
  system: string;
  unit: string;
  better: string;
  values: number[];
}

interface Document {
  made: { machine: object; versions: object };
  figures: Figure[];
}

const shapes = [
  'add: one by one, tasks/s, more',
  'drain: one worker, concurrency 100, tasks/s, more',
  'cost: Redis CPU per task drained, µs, less',
  'cost: Node CPU per task drained, µs, less',
  'latency: due now, idle, p50, ms, less',
  'latency: due now, idle, p99, ms, less',
  'lateness: 100 at one instant, first, ms, less',
  'lateness: 100 at one instant, p50, ms, less',
  'lateness: 100 at one instant, last, ms, less',
];

function shapesOf(figures: readonly Figure[], system: string): string[] {
  return figures
    .filter((figure) => figure.system === system)
    .map((figure) => `${figure.measure}: ${figure.case}, ${figure.unit}, ${figure.better}`);
}

test('each process of a run leaves a profile where Node is asked for one', async () => {
  const out = await mkdtemp(join(tmpdir(), 'duestream-bench-'));
  onTestFinished(() => rm(out, { recursive: true }));
  const one = ['--systems', 'duestream', '--only', 'one worker, concurrency 100', '--out', out];
  const { code, stderr } = await node('--cpu-prof', `--cpu-prof-dir=${out}`, 'bench/bench.mjs', ...tiny, ...one);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const profiles = (await readdir(out)).filter((name) => name.endsWith('.cpuprofile'));
  expect(profiles).toHaveLength(3); // of the benchmark, the producer and the worker
});

test('a signal ends it in the middle of a run', async () => {
  const child = spawn(process.execPath, ['bench/bench.mjs', '--systems', 'duestream'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stderr, 'data'); // its Redis is up
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([143, null]);
});

test.each([
  ['a measure it does not know', ['--measures', 'speed'], '--measures: expected some of add, drain'],
  ['a system it does not know', ['--systems', 'celery'], '--systems: expected some of duestream, bullmq'],
  ['an empty word', ['--measures', 'add,,drain'], '--measures: expected some of add, drain'],
  ['a scale below nothing', ['--scale', '-1'], '--scale must be a number from 0.000001 to 100, got -1'],
  ['half a repetition', ['--repetitions', '1.5'], '--repetitions must be a whole number from 1 to 100, got 1.5'],
  ['words that no case has', ['--only', 'weather'], '--only: no case'],
  ['no word of a case', ['--only', ''], '--only: expected words of the name of a case, got none'],
  [
    'a measure that no system has',
    ['--measures', 'growth', '--systems', 'bullmq'],
    'no case of the measures growth for',
  ],
  ['no folder', ['--out', ''], '--out: expected a folder, got none'],
  ['a file in place of a folder', ['--out', 'package.json'], '--out: nothing can be written to '],
  ['a folder in a file', ['--out', 'package.json/here'], '--out: nothing can be written to '],
  ['a flag it does not know', ['--fast'], "Unknown option '--fast'"],
])('%s is a usage error', async (_what, args, message) => {
  const { code, stderr } = await bench(...args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
