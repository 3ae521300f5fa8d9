/**
 * House style as a failing test. Three tables: words that are banned with what to write instead, imports that are
 * forbidden with the reason, and limits on files. A finding is `file:line: what; instead …`. Every rule carries an
 * example it must find, so that none can go blind.
 */
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cyclesIn,
  type Import,
  importsOf,
  lineAt,
  readTree,
  type SourceFile,
  withoutComments,
} from './support/tree.js';

interface WordRule {
  what: string;
  in: RegExp;
  except?: RegExp;
  word: RegExp;
  instead: string;
  bad: string;
  /** Comments count as well. */
  everywhere?: boolean;
}

const source = /^src\/.*\.ts$/;
const code = /^(src|test|bench|examples|scripts)\/.*\.(ts|mjs)$/;
/** The clock; beside it what all processes of a host share, and the network of the campaign. */
const clock = /^src\/(?:clock|cli\/verify\/(?:proxy|history\/instant))\.ts$/;
const itself = /^test\/tidy\.test\.ts$/;

const words: WordRule[] = [
  {
    what: 'reads the time',
    in: source,
    except: clock,
    word: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.(?:now|timeOrigin)\b|\bprocess\.hrtime\b/,
    instead: 'take a Clock by the constructor: clock.monotonicMs() or clock.wallMs()',
    bad: 'const at = Date.now();',
  },
  {
    what: 'sets a timer',
    in: source,
    except: /^src\/(?:clock\.ts$|cli\/)/, // the command line sees only the public API, which has no clock
    word: /\bset(?:Timeout|Interval|Immediate)\b|timers\/promises/,
    instead: 'clock.sleep(), clock.after() or runLoop()',
    bad: 'setTimeout(tick, 10);',
  },
  {
    what: 'draws a random number',
    in: source,
    except: /^src\/random\.ts$/,
    word: /\bMath\.random\b|\brandom(?:UUID|Bytes|Int)\b/,
    instead: 'take a Random by the constructor, or newToken() and newTaskId() of random.ts',
    bad: 'const jitter = Math.random();',
  },
  {
    what: 'writes to the console',
    in: source,
    except: /^src\/cli\//,
    word: /\bconsole\./,
    instead: 'emit an event; only src/cli prints',
    bad: "console.log('promoted');",
  },
  {
    what: 'touches the process',
    in: source,
    except: /^src\/cli\//,
    word: /\bprocess\.(?:on|once|addListener|prependListener|exit|exitCode)\b/,
    instead: 'a library installs no signal handlers and ends no process; src/cli does',
    bad: "process.on('SIGTERM', stop);",
  },
  {
    what: 'gives up types',
    in: code,
    word: /(?::|\bas|[<,|&])\s*any\b(?=\s*(?:[;,)=>[\]|&{}]|$))/m,
    instead: 'unknown, and look at it',
    bad: 'function run(input: any) {',
  },
  {
    what: 'silences the compiler',
    in: code,
    word: /@ts-(?:ignore|nocheck)\b/,
    instead: 'mend the type, or @ts-expect-error with the reason in a type test',
    bad: '// @ts-ignore',
    everywhere: true,
  },
  {
    what: 'exports a default',
    in: source,
    word: /^export default\b|\bas default\b/m,
    instead: 'a named export',
    bad: 'export default class Queue {}',
  },
  {
    what: 'calls a task a job',
    in: /^(?:src|lua)\//,
    word: /(?<![A-Za-z])[jJ]obs?(?![a-z_])|[a-z]Jobs?(?![a-z])/,
    instead: 'task; job is the word of other libraries',
    bad: 'const jobId = task.id;',
    everywhere: true,
  },
  {
    what: 'puts work off',
    in: /^(?:src|test|lua|scripts|bench|examples|docs|\.ci)\//,
    word: /\b(?:TODO|FIXME|XXX)\b/,
    instead: 'do it, or open an issue',
    bad: '// TODO: retry',
    everywhere: true,
  },
  {
    what: 'sleeps in a test',
    in: /^test\/.*\.ts$/,
    except: /^test\/support\//,
    word: /\bset(?:Timeout|Interval)\b|\bawait systemClock\.sleep\(|\bawait (?:sleep|delay)\(/,
    instead: 'wait for a signal or a condition, or drive the virtual clock',
    bad: 'await new Promise((resolve) => setTimeout(resolve, 50));',
  },
  {
    what: 'names a place on one machine',
    in: /./,
    word: /(?<![\w.@~-])\/(?:work|tmp)\/|(?<![\w.@~-])\/root\b/,
    instead: 'a path from the checkout, or mkdtemp(join(tmpdir(), …))',
    bad: "const file = '/tmp/queue.sock';",
    everywhere: true,
  },
  {
    what: 'names the host of a registry',
    in: /./,
    word: /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b|\b(?:deb\.debian|files\.pythonhosted|pypi|proxy\.golang)\.org\b/,
    instead: 'nothing: each machine knows its own',
    bad: 'https://registry.npmjs.org/redis',
    everywhere: true,
  },
];

interface ImportRule {
  what: string;
  from: RegExp;
  to: RegExp;
  instead: string;
  bad: readonly [from: string, to: string];
}

/** Everything right under src/ is a shared word, but for these, through which users come in. */
const sharedWord = String.raw`src\/(?!(?:index|testing|doctor|worker[\w-]*)\.ts$)[\w-]+\.ts$`;
const stations = 'stations meet in Redis, never in an import: share through src/redis or a word of src/*.ts';

const imports: ImportRule[] = [
  {
    what: 'the producer imports another station',
    from: /^src\/producer\//,
    to: /^src\/(?:leader|consumer)\//,
    instead: stations,
    bad: ['src/producer/queue.ts', 'src/leader/leader.ts'],
  },
  {
    what: 'the leader imports another station',
    from: /^src\/leader\//,
    to: /^src\/(?:producer|consumer)\//,
    instead: stations,
    bad: ['src/leader/promoter.ts', 'src/consumer/settler.ts'],
  },
  {
    what: 'the consumer imports another station',
    from: /^src\/consumer\//,
    to: /^src\/(?:producer|leader)\//,
    instead: stations,
    bad: ['src/consumer/fetcher.ts', 'src/producer/queue.ts'],
  },
  {
    what: 'a shared word imports more than shared words',
    from: new RegExp(`^${sharedWord}`),
    to: new RegExp(`^(?!node:(?:util|crypto|events)$|${sharedWord})`),
    instead: 'words know no I/O: move the type up into the word, or the code down to its station',
    bad: ['src/options.ts', 'src/redis/connection.ts'],
  },
  {
    what: 'the command line reaches behind the public API',
    from: /^src\/cli\/(?!(?:.*\/)?(?:demo|verify))/,
    to: /^(?!src\/cli\/|src\/index\.ts$|node:|(?:yaml|yargs)$)/,
    instead: "export it from index.ts: what the command line can't do, users can't either",
    bad: ['src/cli/commands/stats.ts', 'src/redis/link.ts'],
  },
  {
    what: 'the demo or the campaign reaches behind the public API and the Redis launcher',
    from: /^src\/cli\/(?:.*\/)?(?:demo|verify)/,
    to: /^(?!src\/cli\/|src\/(?:index|testing|redis\/embedded)\.ts$|node:|yargs$)/,
    instead: 'index.ts, testing.ts or redis/embedded.ts',
    bad: ['src/cli/commands/demo.ts', 'src/worker.ts'],
  },
  {
    what: 'the library imports the command line',
    from: /^src\/(?!cli\/)/,
    to: /^src\/cli\//,
    instead: 'move what both need out of src/cli',
    bad: ['src/worker.ts', 'src/cli/output.ts'],
  },
  onlyIn('redis', 'redis', /^@?redis(?:\/|$)/),
  onlyIn('leader', 'redlock', /^redlock$/),
  onlyIn('metrics', 'prom-client', /^prom-client$/),
  onlyIn('schedule', 'croner', /^croner$/),
  onlyIn('cli', 'yargs', /^yargs$/),
  onlyIn('cli', 'yaml', /^yaml$/),
  {
    what: 'the rules of schedules import more than shared words',
    from: /^src\/schedule\//,
    to: new RegExp(`^(?!node:crypto$|croner$|src\\/schedule\\/|${sharedWord})`),
    instead: 'rules know no I/O: what is kept in Redis belongs to a station',
    bad: ['src/schedule/nominal.ts', 'src/redis/link.ts'],
  },
  {
    what: 'a source imports a package Duestream does not depend on',
    from: /^src\//,
    to: /^(?!node:|src\/|(?:croner|redis|redlock|prom-client|yaml|yargs)$|@redis\/)/,
    instead: 'node: and the six dependencies',
    bad: ['src/worker.ts', 'lodash'],
  },
];

function onlyIn(folder: string, name: string, to: RegExp): ImportRule {
  return {
    what: `${name} is imported outside src/${folder}`,
    from: new RegExp(`^src\\/(?!${folder}\\/)`),
    to,
    instead: `go through src/${folder}, so that its faults are met in one place`,
    bad: ['src/worker.ts', name],
  };
}

interface FileRule {
  what: string;
  in: RegExp;
  breaks: (file: SourceFile) => boolean;
  instead: string;
  bad: SourceFile;
}

const ours = /^(?:src|test|lua|bench|examples|scripts|docs)\//;
const generated = /\.generated\.ts$/;
const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|test-d|generated|d))?\.\w+$/;

const files: FileRule[] = [
  longerThan('a source file', { in: source, linesMax: 250, bad: 'src/worker.ts' }),
  longerThan('a script', { in: /^lua\/(?!next\.).*\.lua$/, linesMax: 90, bad: 'lua/add.lua' }),
  longerThan('next, which is two transitions in one', { in: /^lua\/next\.lua$/, linesMax: 150, bad: 'lua/next.lua' }),
  {
    what: 'a file name says nothing',
    in: ours,
    breaks: ({ path }) => /(?:^|[-/])(?:utils?|common|helpers?|managers?|data)(?:[-./]|$)/.test(path),
    instead: 'the noun of the domain it holds',
    bad: { path: 'src/redis/utils.ts', text: '' },
  },
  {
    what: 'a file name is not in kebab-case',
    in: ours,
    breaks: ({ path }) => !kebab.test(basename(path)) && basename(path) !== 'README.md',
    instead: 'lower-case-words.ts',
    bad: { path: 'src/taskQueue.ts', text: '' },
  },
];

function longerThan(what: string, of: { in: RegExp; linesMax: number; bad: string }): FileRule {
  return {
    what: `${what} is longer than ${of.linesMax} lines`,
    in: of.in,
    breaks: ({ path, text }) => !generated.test(path) && text.trimEnd().split('\n').length > of.linesMax,
    instead: 'split it where it does two things',
    bad: { path: of.bad, text: '\n'.repeat(of.linesMax).concat('--') },
  };
}

function brokenWord(rule: WordRule, { path, text }: SourceFile): string[] {
  if (!rule.in.test(path) || rule.except?.test(path) || itself.test(path)) return [];
  const read = rule.everywhere || !/\.(?:ts|mjs)$/.test(path) ? text : withoutComments(text);
  const found = [...read.matchAll(new RegExp(rule.word, `g${rule.word.flags}`))];
  return found.map((at) => `${path}:${lineAt(read, at.index)}: ${at[0].trim()} ${rule.what}; instead: ${rule.instead}`);
}

function brokenImport(rule: ImportRule, { file, line, target }: Import): string[] {
  if (!rule.from.test(file) || !rule.to.test(target)) return [];
  return [`${file}:${line}: ${rule.what} (${target}); instead: ${rule.instead}`];
}

function brokenFile(rule: FileRule, file: SourceFile): string[] {
  if (!rule.in.test(file.path) || !rule.breaks(file)) return [];
  return [`${file.path}:1: ${rule.what}; instead: ${rule.instead}`];
}

const tree = readTree();
const sourceImports = tree.filter(({ path }) => source.test(path)).flatMap(importsOf);

for (const rule of words) {
  describe(`nothing ${rule.what}`, () => {
    test('in the tree', () => expect(tree.flatMap((file) => brokenWord(rule, file))).toEqual([]));
    test('and the rule finds it when it does', () => {
      const path = ['src/worker.ts', 'test/unit/worker.test.ts'].find((each) => rule.in.test(each)) ?? '';
      expect(brokenWord(rule, { path, text: `${rule.bad}\n` })).toHaveLength(1);
    });
  });
}

for (const rule of imports) {
  describe(`never: ${rule.what}`, () => {
    test('in the tree', () => expect(sourceImports.flatMap((each) => brokenImport(rule, each))).toEqual([]));
    test('and the rule finds it when it does', () => {
      const [file, target] = rule.bad;
      expect(brokenImport(rule, { file, line: 1, target })).toHaveLength(1);
    });
  });
}

for (const rule of files) {
  describe(`never: ${rule.what}`, () => {
    test('in the tree', () => expect(tree.flatMap((file) => brokenFile(rule, file))).toEqual([]));
    test('and the rule finds it when it does', () => expect(brokenFile(rule, rule.bad)).toHaveLength(1));
  });
}

describe('the tree', () => {
  test('is read: the sources, the scripts and the hidden files are in it', () => {
    const paths = tree.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['src/errors.ts', 'lua/add.lua', '.ci/run', 'package.json']));
    expect(sourceImports).toContainEqual(expect.objectContaining({ file: 'src/loop.ts', target: 'src/clock.ts' }));
  });

  test('has no cycle of imports in src', () => expect(cyclesIn(sourceImports)).toEqual([]));

  test('a cycle of imports is found', () => {
    const ring = [
      { path: 'src/a.ts', text: "import type { B } from './b.js';" },
      { path: 'src/b.ts', text: "// import './d.js'\nexport { c } from './c.js';" },
      { path: 'src/c.ts', text: "const a = await import('./a.js');" },
    ];
    expect(cyclesIn(ring.flatMap(importsOf))).toEqual(['src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts']);
  });

  test('holds the bindings that its scripts give', () => {
    const { status, stdout, stderr } = spawnSync('node', ['scripts/generate-bindings.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
  });
});
