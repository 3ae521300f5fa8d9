/** What the benchmark writes where, and what it refuses before it starts. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

interface Flags {
  only: string[];
  out: string;
}

interface System {
  load(): Promise<unknown>;
}

interface Parts {
  readFlags(args: string[]): Flags;
  shortenedBy(flags: Flags): string[];
  casesOf(flags: Flags, sizes: object): { name: string }[];
  sizesOf(flags: Flags): object;
  documentName(made: object): string;
  prepareFolder(folder: string): void;
  checkInstalled(names: string[], known: Record<string, System>): Promise<void>;
}

async function part<K extends keyof Parts>(file: string): Promise<Pick<Parts, K>> {
  return (await import(new URL(`../../bench/${file}.mjs`, import.meta.url).href)) as Pick<Parts, K>;
}

const { readFlags, shortenedBy } = await part<'readFlags' | 'shortenedBy'>('flags');
const { documentName, prepareFolder } = await part<'documentName' | 'prepareFolder'>('results');

describe('the document', () => {
  const nameOf = (args: string[], more: object = {}): string => {
    const flags = readFlags(args);
    return documentName({ ...flags, shortenedBy: shortenedBy(flags), failed: 0, persistence: 'none', ...more });
  };

  test.each([
    ['the whole plan', []],
    ['each system by its name', ['--systems', 'bare,bullmq,bee-queue,duestream']],
    ['one repetition', ['--repetitions', '1']],
  ])('of %s has the name of the persistence', (_of, args) => expect(nameOf(args)).toBe('none.json'));

  test.each([
    ['some measures', ['--measures', 'add,drain']],
    ['some systems', ['--systems', 'duestream,bare']],
    ['some cases', ['--only', 'one by one']],
    ['another scale', ['--scale', '2']],
  ])('of %s is partial', (_of, args) => expect(nameOf(args)).toBe('partial-none.json'));

  test('with a run that failed is partial', () => expect(nameOf([], { failed: 1 })).toBe('partial-none.json'));

  test('of a quick run is quick', () => {
    expect(nameOf(['--quick', '--measures', 'add'], { failed: 1 })).toBe('quick-none.json');
  });
});

test('a case is chosen by words of its name, in whatever case', async () => {
  const { casesOf } = await part<'casesOf'>('plan');
  const { sizesOf } = await part<'sizesOf'>('sizes');
  const flags = readFlags(['--only', 'One BY one']);
  expect(casesOf(flags, sizesOf(flags)).map(({ name }) => name)).toEqual(['one by one']);
});

test('a folder is made with its parents, and nothing is left of the trial', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duestream-bench-out-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  prepareFolder(join(folder, 'a', 'b'));
  prepareFolder(join(folder, 'a', 'b'));
  expect(readdirSync(join(folder, 'a', 'b'))).toEqual([]);
});

test.runIf(existsSync('/proc'))('a folder in /proc is refused, and not tried for ever', () => {
  expect(() => prepareFolder('/proc/x/y')).toThrow('--out: nothing can be written to /proc/x/y: ENOENT');
});

test('a relative folder is one of the caller, who npm says was elsewhere', () => {
  const before = process.env['INIT_CWD'];
  onTestFinished(() => {
    if (before === undefined) delete process.env['INIT_CWD'];
    else process.env['INIT_CWD'] = before;
  });
  process.env['INIT_CWD'] = tmpdir();
  expect(readFlags(['--out', 'results']).out).toBe(join(tmpdir(), 'results'));
});

test('a system whose library is missing is told in a line', async () => {
  const { checkInstalled } = await part<'checkInstalled'>('systems/systems');
  const missing = 'a-library-that-is-nowhere';
  const known = { here: { load: async () => {} }, celery: { load: () => import(missing) } };
  await expect(checkInstalled(['here'], known)).resolves.toBeUndefined();
  await expect(checkInstalled(['here', 'celery'], known)).rejects.toThrow(
    /^celery is not installed: run npm run bench$/,
  );
});
