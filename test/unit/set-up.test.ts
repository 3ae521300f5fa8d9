/** What the set-up finds in a folder before it installs anything, and what is left when it is cut short. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { root } from '../support/program.js';

interface Parts {
  areInstalled(folder: string): boolean;
  lockFileProblems(root: string): string[];
}

async function part<K extends keyof Parts>(file: string): Promise<Pick<Parts, K>> {
  return (await import(new URL(`../../scripts/${file}.mjs`, import.meta.url).href)) as Pick<Parts, K>;
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'duestream-set-up-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

type Packages = Record<string, object>;

/** What package-lock.json names, and what npm says that it has installed. */
function folderWith(wanted: Packages, installed?: Packages): string {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  const ownLock = join(folder, 'node_modules', '.package-lock.json');
  if (installed) writeFileSync(ownLock, JSON.stringify({ packages: installed }));
  return folder;
}

describe('the dependencies', async () => {
  const { areInstalled } = await part<'areInstalled'>('setup/dependencies');
  const one = { 'node_modules/one': { version: '1.0.0' } };

  test.each([
    ['every package is there', one],
    ['the missing one is for another system', { ...one, 'node_modules/two': { version: '2.0.0', optional: true } }],
    ['the missing one is needed by nobody', { ...one, 'node_modules/two': { version: '2.0.0', extraneous: true } }],
  ])('are installed when %s', (_when, wanted) => {
    expect(areInstalled(folderWith({ '': {}, ...wanted }, one))).toBe(true);
  });

  test.each<[string, Packages | undefined]>([
    ['an install was cut short', undefined],
    ['a package is missing', {}],
    ['a package has another version', { 'node_modules/one': { version: '1.0.1' } }],
  ])('are not installed when %s', (_when, installed) => {
    expect(areInstalled(folderWith({ '': {}, ...one }, installed))).toBe(false);
  });
});

test('a lock file that names what nobody needs is told', async () => {
  const { lockFileProblems } = await part<'lockFileProblems'>('check/lock-file');
  expect(lockFileProblems(root)).toEqual([]);
  const folder = emptyFolder();
  cpSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
  mkdirSync(join(folder, 'bench'));
  const left = { version: '2.0.0', integrity: 'sha512-0', extraneous: true };
  writeFileSync(join(folder, 'bench/package-lock.json'), JSON.stringify({ packages: { 'node_modules/two': left } }));
  expect(lockFileProblems(folder)).toEqual([
    'bench/package-lock.json: node_modules/two is needed by no other package: run npm prune --package-lock-only',
  ]);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends what the set-up runs, and releases the lock', async (signal) => {
  const folder = emptyFolder();
  const modules = ['lock', 'run'].map((name) => new URL(`../../scripts/setup/${name}.mjs`, import.meta.url).href);
  const long = "require('fs').writeFileSync('started', String(process.pid)); require('net').createServer().listen(0)";
  const program = `
    const [{ withLock }, { runOrFail }] = await Promise.all(${JSON.stringify(modules)}.map((url) => import(url)));
    await withLock('here', () => runOrFail('node', ['-e', ${JSON.stringify(long)}]));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const started = (): number => Number(readFileSync(join(folder, 'started'), 'utf8'));
  const pid = await vi.waitFor(() => {
    expect(started()).toBeGreaterThan(0);
    return started();
  }, 10_000);
  expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/\.lock$/));
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.kill(signal);
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(told).toContain(`node was cut short by ${signal}`);
  expect(readdirSync(folder)).toEqual(['started']);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
