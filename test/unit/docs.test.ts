/** What the documents name is there: files, headings, tests, scripts, keys, metrics, verbs, codes. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verbs } from '../../src/cli/verbs.js';
import { checks } from '../../src/cli/verify/checker/checks.js';
import { faultNames } from '../../src/cli/verify/faults/faults.js';
import { partitionKeys } from '../../src/keys.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { add } from '../../src/redis/scripts.generated.js';
import { readTree } from '../support/tree.js';

const root = dirname(dirname(import.meta.dirname));
const pages = readTree().filter(({ path }) => path.endsWith('.md'));
const scripts = readTree().filter(({ path }) => /^lua\/.*\.lua$/.test(path));

function page(path: string): string {
  const found = pages.find((each) => each.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found.text;
}

/** As GitHub makes it from a heading. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks({ path, text }: { path: string; text: string }): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^https?:/.test(link)) return [];
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : posix.join(posix.dirname(path), file);
    if (!existsSync(join(root, target))) return [`${path}: ${link}: no such file`];
    if (anchor === undefined || anchorsOf(page(target)).includes(anchor)) return [];
    return [`${path}: ${link}: no such heading`];
  });
}

/** A path of the tree in backticks; one with a wildcard or a placeholder is not meant as one. */
function missingFiles({ path, text }: { path: string; text: string }): string[] {
  return [...text.matchAll(/`((?:src|test|lua|docs|examples|scripts)\/[\w./-]+\.\w+)`/g)]
    .filter(([, file = '']) => !existsSync(join(root, file)))
    .map(([, file]) => `${path}: ${file}`);
}

/** After the file of a test, its names in quotation marks. */
function citations({ path, text }: { path: string; text: string }): { from: string; file: string; name: string }[] {
  return [...text.matchAll(/`(test\/[\w./-]+\.test\.ts)`:((?:,? “[^”]+”)+)/g)].flatMap(([, file = '', names = '']) =>
    [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => ({ from: path, file, name })),
  );
}

function isThere({ file, name }: { file: string; name: string }): boolean {
  const text = readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'");
  return [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => text.includes(quoted));
}

test('every link leads to a file, and to a heading in it', () => {
  expect(pages.flatMap(brokenLinks)).toEqual([]);
});

test('a link that leads nowhere is found', () => {
  const text = '[a](docs/none.md) [b](#none) [c](docs/guarantees.md#leases)';
  expect(brokenLinks({ path: 'README.md', text })).toHaveLength(2);
});

test('every file named in backticks is there', () => {
  expect(pages.flatMap(missingFiles)).toEqual([]);
});

test('every test that is cited is there, by its very name', () => {
  const cited = pages.flatMap(citations);
  expect(cited.length).toBeGreaterThan(20);
  expect(cited.filter((each) => !isThere(each))).toEqual([]);
  expect(isThere({ file: 'test/lua/traces.test.ts', name: 'no test is called so' })).toBe(false);
});

test('the architecture names every script', () => {
  const missing = scripts.filter(({ path }) => !page('docs/architecture.md').includes(`](../${path})`));
  expect(missing.map(({ path }) => path)).toEqual([]);
});

describe('the wire format', () => {
  const text = page('docs/wire-format.md');

  test('has a row for every key', () => {
    const missing = Object.keys(partitionKeys('p', 'q', 0)).filter((name) => !text.includes(`\n| \`${name}\` |`));
    expect(missing).toEqual([]);
  });

  test("gives add.lua's keys in their order", () => {
    const order = [...(/<p>:meta[^\n]*/.exec(text)?.[0] ?? '').matchAll(/<p>:(\w+)/g)].map(([, name]) => name);
    expect(order).toEqual([...add.keys]);
  });

  test('has every name that the scripts count under', () => {
    const counted = scripts.flatMap((script) => [
      ...[...script.text.matchAll(/HINCRBY', counts, '(\w+)'/g)].map(([, name]) => name),
      ...[...script.text.matchAll(/forget\(\w+, [^)]*'(\w+)'\)/g)].map(([, name]) => name),
    ]);
    expect(counted).toContain('added');
    expect([...new Set(counted)].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

test('the promises are all in the README and in the guarantees, and each that can break has its tests', () => {
  const [, ...promises] = page('docs/guarantees.md').split(/^(?=\*\*P\d+\. )/m);
  const notYet = 7;
  promises.forEach((text, at) => {
    const number = at + 1;
    expect(text).toMatch(new RegExp(`^\\*\\*P${number}\\. `));
    expect(page('README.md')).toContain(`| P${number} |`);
    if (number !== notYet) expect(citations({ path: `P${number}`, text })).not.toEqual([]);
  });
  expect(promises).toHaveLength(11);
});

test('the guarantees explain every error code', () => {
  const errors = readFileSync(join(root, 'src/errors.ts'), 'utf8');
  const codes = [...errors.matchAll(/\| '(ERR_\w+)'/g)].map(([, code]) => code);
  expect(codes).toContain('ERR_CLOSED');
  expect(codes.filter((code) => !page('docs/guarantees.md').includes(`| \`${code}\` |`))).toEqual([]);
});

test('the proof explains every fault and every check, and no other', () => {
  const [, broken = '', checked = ''] = page('docs/proof.md').split(/^### What is (?:broken|checked)$/m);
  const namedIn = (text: string): string[] => [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name = '']) => name);
  expect(namedIn(broken).toSorted()).toEqual(faultNames.toSorted());
  expect(namedIn(checked).toSorted()).toEqual(Object.keys(checks).toSorted());
});

test('the performance page says how many commands a task costs, as the recorded ceilings do', () => {
  const ceilings = JSON.parse(readFileSync(join(root, 'bench/guard/ceilings.json'), 'utf8'));
  const words =
    /About (\d+) commands run inside it when it carries one task, and ([\d.]+) a task when it carries fifty/;
  const [, one, ofFifty] = words.exec(page('docs/performance.md').replaceAll('\n', ' ')) ?? [];
  const slack = 1.05;
  const apart = (said: string | undefined, { inside }: { inside: number }): number =>
    Math.abs(Number(said) - inside / slack);
  expect(apart(one, ceilings['drain, concurrency 1'])).toBeLessThan(0.6);
  expect(apart(ofFifty, ceilings['drain, concurrency 100'])).toBeLessThan(0.06);
});

test('every metric the documents name is served', async () => {
  const served = await new Metrics({ defaultMetrics: false }).text();
  const named = pages.flatMap(({ text }) => [...text.matchAll(/`(duestream_\w+)/g)].map(([, name]) => name));
  expect(named).toContain('duestream_redis_up');
  expect(named.filter((name) => !served.includes(`# TYPE ${name} `))).toEqual([]);
});

test('the README shows every verb of the command line, and no other', () => {
  const [, block = ''] = /## The command line\n([\s\S]*?)\n## /.exec(page('README.md')) ?? [];
  const shown = [...block.matchAll(/^ {4}duestream ([\w-]+)/gm)].map(([, verb]) => verb);
  const known = verbs.map(({ name }) => name).filter((name) => name !== 'demo');
  expect(new Set(shown)).toEqual(new Set(known));
});
