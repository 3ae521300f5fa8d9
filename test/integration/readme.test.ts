/** The first programs of the README and of the page on schedules run as they stand there, in a folder as a user has it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Program, root, UserFolder } from '../support/program.js';
import { until, useRedis } from '../support/redis.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const schedules = readFileSync(join(root, 'docs/schedules.md'), 'utf8');
const redis = useRedis();

function firstProgram(page = readme): string {
  const [, code] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  if (code === undefined) throw new Error('the page has no ```js block');
  return code;
}

test("the README's first program greets both, neither early, and ends well on SIGTERM", async () => {
  const folder = new UserFolder();
  onTestFinished(() => folder.remove());
  writeFileSync(join(folder.path, 'first.mjs'), firstProgram());
  const program = new Program([process.execPath, 'first.mjs'], { cwd: folder.path, env: { REDIS_URL: redis().url } });
  onTestFinished(() => program.kill());
  await program.line(/^hello ann@example\.com, \d+ ms after it was due$/);
  await program.line(/^hello bob@example\.com, \d+ ms after it was due$/); // a minus would not fit
  expect(await program.stop()).toBe(0);
  expect(program.lines).toHaveLength(2);
});

test("the README's first program fits on a screen", () => {
  expect(firstProgram().split('\n').length).toBeLessThanOrEqual(22);
});

test('the first program on schedules ticks each second, on time, also when it runs twice', async () => {
  const folder = new UserFolder();
  onTestFinished(() => folder.remove());
  writeFileSync(join(folder.path, 'clock.mjs'), firstProgram(schedules));
  const begun = (): Program => {
    const at = { cwd: folder.path, env: { REDIS_URL: redis().url } };
    const program = new Program([process.execPath, 'clock.mjs'], at);
    onTestFinished(() => program.kill());
    return program;
  };
  const programs = [begun()];
  await programs[0]?.line(/^created, next \S+Z$/);
  programs.push(begun());
  await programs[1]?.line(/^unchanged, next \S+Z$/);
  const ticks = (): string[] => programs.flatMap(({ lines }) => lines).filter((line) => line.startsWith('seconds@'));
  await until(() => ticks().length >= 4, 'four of them');
  for (const program of programs) expect(await program.stop()).toBe(0);
  const found = ticks().map((line) => /^seconds@(\S+\.000Z): tick, \d+ ms late$/.exec(line)?.[1] ?? line); // a minus would not fit
  const times = found.map((time) => Date.parse(time)).toSorted((a, b) => a - b);
  expect(times).toEqual(times.map((_, at) => (times[0] as number) + at * 1_000));
});

test('the file and the command lines on the page of schedules can be meant', () => {
  const [, file = ''] = /^ {4}# schedules\.yaml\n((?: {4}.*\n)+)/m.exec(schedules) ?? [];
  const folder = new UserFolder();
  onTestFinished(() => folder.remove());
  writeFileSync(join(folder.path, 'schedules.yaml'), file.replaceAll(/^ {4}/gm, ''));
  const env = { ...process.env, DUESTREAM_REDIS_URL: redis().url };
  const run = (line: string): { line: string; status: number | null; stdout: string; stderr: string } => {
    const command = `exec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' ${line}`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: folder.path, env, encoding: 'utf8' });
    return { line, status, stdout, stderr };
  };
  const dry = run('schedule apply other schedules.yaml --dry-run');
  expect(dry).toMatchObject({ status: 0, stdout: expect.stringMatching(/3 created\n$/) as string });
  const [, block = ''] = /## The command line\n\n((?: {4}duestream .*\n)+)/.exec(schedules) ?? [];
  const lines = block
    .trim()
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace('duestream ', '')
        .replace(/ --wait$/, ''),
    );
  expect(lines).toHaveLength(11);
  const isNew = /^(?:duestream: the queue "mail" is new: [^\n]*\n)?$/; // unless the page before it has used it
  for (const line of lines)
    expect(run(line)).toMatchObject({ line, status: 0, stderr: expect.stringMatching(isNew) as string });
}, 120_000);
