/** docs/performance.md says what the results say: `npm run bench:report`, on the page that is checked in and on a sample. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { root } from '../support/program.js';
import { sampleResults } from '../support/sample-results.js';

function report(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [join(root, 'bench/report.mjs'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

type Persistence = 'none' | 'everysec';

/** The page in a folder of its own, made anew from sample results. */
class Docs {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'duestream-report-'));

  constructor(persistences: readonly Persistence[] = ['none', 'everysec']) {
    onTestFinished(() => rmSync(this.folder, { recursive: true }));
    mkdirSync(join(this.folder, 'performance'));
    copyFileSync(join(root, 'docs/performance.md'), join(this.folder, 'performance.md'));
    for (const persistence of persistences) {
      const file = join(this.folder, 'performance', `results-${persistence}.json`);
      writeFileSync(file, JSON.stringify(sampleResults(persistence)));
    }
    expect(report('--docs', this.folder)).toMatchObject({ status: 0, stderr: '' });
  }

  get plots(): string[] {
    return readdirSync(join(this.folder, 'performance')).filter((name) => name.endsWith('.svg'));
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  change(name: string, from: string, to: string): void {
    expect(this.read(name).includes(from), `${from} in ${name}`).toBe(true);
    writeFileSync(join(this.folder, name), this.read(name).replace(from, to));
  }

  check(): { status: number | null; stdout: string } {
    return report('--check', '--docs', this.folder);
  }
}

test('the page and the plots that are checked in are as the results that are checked in give them', () => {
  expect(report('--check')).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('a row has the medians, their range, the ratio, the floor, and whether it is met', () => {
  const page = new Docs().read('performance.md');
  expect(page).toContain(
    '| one worker, concurrency 10 | 43,000 (40,400–46,900) | 28,000 (26,300–30,500) | 6,700 (6,300–7,300) |' +
      ' 9,300 (8,740–10,100) | 4.18 × | ≥ 4 × | yes |',
  );
  expect(page).toMatch(/\| two workers, concurrency 100 \|.*\| 6\.06 × \| ≥ 6\.5 ×, aim 10 × \| \*\*no\*\* \|/);
  expect(page).toMatch(/\| idle leader \(commands\/s\) \| – \| 7\.4 .*\| – \| – \| – \| – \| – \|/);
});

test('the floors that are not met are told: against BullMQ, the bare loop, bee-queue, and alone', () => {
  const docs = new Docs(['none']);
  const missed = (): string[] =>
    [...docs.read('performance.md').matchAll(/^\| (.*) \| \*\*no\*\* \|$/gm)].map(([, row = '']) => row);
  const always = 'growth: longest script, workers | alone | ≤ 5 ms | 5.4';
  expect(missed()).toContain(always);
  expect(missed()).toContain('drain: two workers, concurrency 100 | to BullMQ | ≥ 6.5 ×, aim 10 × | 6.06 ×');
  const slow = sampleResults('none').figures.map((one) =>
    one['system'] === 'duestream' && one['unit'] === 'tasks/s' ? { ...one, values: [13_000] } : one,
  );
  const results = JSON.stringify({ ...sampleResults('none'), figures: slow });
  writeFileSync(join(docs.folder, 'performance/results-none.json'), results);
  expect(report('--docs', docs.folder).status).toBe(0);
  expect(missed()).toContain('drain: one worker, concurrency 100 | to the bare loop | ≥ 1/1.6 | 0.224 ×');
  expect(missed()).toContain('drain: one worker, concurrency 100 | to bee-queue | ≥ 1 × | 0.992 ×');
});

test('where the bare loop itself is not ahead of bee-queue, ten per cent behind it are near enough', () => {
  const docs = new Docs(['none']);
  docs.change('performance/results-none.json', '"values":[3100,2914,3379]', '"values":[11900]');
  expect(report('--docs', docs.folder).status).toBe(0);
  expect(docs.read('performance.md')).toContain(
    '| drain: one worker, concurrency 1 | to bee-queue | ≥ 1 ×, within 10 % | 0.924 × | yes |',
  );
});

test('the README beside the docs has the summary, and a figure in it that the results do not give is found', () => {
  const docs = new Docs(['none']);
  const name = 'README.md';
  const inside = join(docs.folder, 'docs');
  mkdirSync(inside);
  for (const one of ['performance.md', 'performance']) renameSync(join(docs.folder, one), join(inside, one));
  copyFileSync(join(root, name), join(docs.folder, name));
  expect(report('--docs', inside).status).toBe(0);
  expect(docs.read(name)).toContain(
    '| drain, one worker at concurrency 100 (tasks/s) | 48,000 | 7,700 | 13,100 | 58,000 |',
  );
  docs.change(name, '| 48,000 |', '| 49,000 |');
  expect(report('--check', '--docs', inside)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/README\.md: not as the results give it: summary\n$/),
  });
});

test('without results the page says that nothing was measured, and has no plots', () => {
  const docs = new Docs([]);
  expect(docs.read('performance.md').match(/\*Not measured yet\.\*/g)).toHaveLength(9);
  expect(docs.plots).toEqual([]);
});

test('new results are taken from where the benchmark left them', () => {
  const docs = new Docs([]);
  writeFileSync(join(docs.folder, 'none.json'), JSON.stringify(sampleResults('none')));
  expect(report('--take', docs.folder, '--docs', docs.folder).status).toBe(0);
  expect(docs.plots).toEqual(['add.svg', 'drain.svg', 'growth.svg', 'lateness.svg']);
  expect(docs.check()).toMatchObject({ status: 0 });
});

describe('a document is not taken', () => {
  const take = (documents: Record<string, string>): { told: string; left: string[] } => {
    const docs = new Docs([]);
    for (const [name, text] of Object.entries(documents)) writeFileSync(join(docs.folder, name), text);
    const { status, stdout, stderr } = report('--take', docs.folder, '--docs', docs.folder);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    return { told: stderr, left: readdirSync(join(docs.folder, 'performance')) };
  };
  const whole = JSON.stringify(sampleResults('none'));
  const sample = (persistence: Persistence, made: object): string => {
    const { figures, made: of } = sampleResults(persistence);
    return JSON.stringify({ made: { ...of, ...made }, figures });
  };

  test.each<[string, Record<string, string>, RegExp]>([
    ['of which runs failed', { 'none.json': sample('none', { failed: 2 }) }, /none\.json is not taken: 2 runs failed$/],
    ['that is quick', { 'none.json': sample('none', { quick: true }) }, /it is of a quick run$/],
    ['with some measures', { 'none.json': sample('none', { shortenedBy: ['measures'] }) }, /shortened by --measures$/],
    ['that says nothing of it', { 'none.json': sample('none', { failed: undefined }) }, /does not say how many runs/],
    [
      'for everysec with some systems',
      {
        'none.json': whole,
        'partial-everysec.json': sample('everysec', { shortenedBy: ['measures', 'only', 'systems'] }),
      },
      /partial-everysec\.json is not taken: it is shortened by --systems$/,
    ],
    [
      'that is torn, nor is the one beside it',
      { 'none.json': whole, 'everysec.json': '{' },
      /everysec\.json is no JSON$/,
    ],
    ['of another kind', { 'none.json': '[]' }, /none\.json holds no results of the benchmark$/],
    ['of the other persistence', { 'none.json': sample('everysec', {}) }, /results of persistence "everysec"$/],
    [
      'by another name',
      { 'quick-none.json': whole, 'partial-none.json': whole },
      /has no none\.json and no everysec\.json; partial-none\.json, quick-none\.json cannot be taken$/,
    ],
  ])('%s', (_what, documents, told) => {
    const { told: line, left } = take(documents);
    expect(line).toMatch(/^bench:report: .*\n$/);
    expect(line.trim()).toMatch(told);
    expect(left).toEqual([]);
  });
});

test('everysec may have some of the measures, where there is no whole one', () => {
  const docs = new Docs([]);
  const { made, figures } = sampleResults('everysec');
  const some = { made: { ...made, shortenedBy: ['measures'] }, figures: figures.slice(0, 1) };
  writeFileSync(join(docs.folder, 'partial-everysec.json'), JSON.stringify(some));
  const { status, stdout } = report('--take', docs.folder, '--docs', docs.folder);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringContaining('everysec has only some of the measures\n'),
  });
  expect(docs.read('performance.md')).toContain('### Adding, everysec');
});

test.each<[string, string[], string]>([
  ['--check with --take', ['--check', '--take', '.'], '--check writes nothing, and --take does: give one'],
  ['a flag it does not know', ['--fast'], "Unknown option '--fast'; --help says which flags there are"],
  ['a --take of nothing', ['--take', ''], '--take: expected a folder, got none'],
])('%s is a usage error', (_what, args, told) => {
  expect(report(...args)).toEqual({ status: 2, stdout: '', stderr: `bench:report: ${told}\n` });
});

test('a folder without the page is told in a line, and --help says which flags there are', () => {
  const folder = join(root, 'lua');
  const stderr = `bench:report: there is no performance.md in ${folder}\n`;
  expect(report('--docs', folder)).toEqual({ status: 1, stdout: '', stderr });
  expect(report('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--take FOLDER') });
});

test.each<[string, (docs: Docs) => void, RegExp]>([
  ['a figure in a table', (docs) => docs.change('performance.md', '43,000', '44,000'), /performance\.md: .*: drain$/],
  ['a plot', (docs) => docs.change('performance/drain.svg', '43k', '44k'), /drain\.svg: is not/],
  ['a plot that is gone', (docs) => rmSync(join(docs.folder, 'performance/add.svg')), /add\.svg: is missing/],
  ['a plot of nothing', (docs) => writeFileSync(join(docs.folder, 'performance/old.svg'), ''), /old\.svg: no results/],
])('%s that the results do not give is found', (_, change, told) => {
  const docs = new Docs();
  expect(docs.check().status).toBe(0);
  change(docs);
  const { status, stdout } = docs.check();
  expect(status).toBe(1);
  expect(stdout.trim()).toMatch(told);
});

test('a page without a place for a table is an error', () => {
  const docs = new Docs();
  docs.change('performance.md', 'bench/report.mjs: cost', 'bench/report.mjs: price');
  expect(report('--docs', docs.folder)).toMatchObject({ status: 1, stderr: expect.stringContaining('"price"') });
});

interface Label {
  readonly words: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where the words of a plot stand, as wide as a sans-serif draws them. */
function labelsOf(svg: string): Label[] {
  return [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes = '', words = '']) => {
    const of = (name: string): string => new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
    const [x, y, size] = [Number(of('x')), Number(of('y')), Number(of('font-size'))];
    const width = words.length * size * 0.56;
    const left = x - width * { start: 0, middle: 0.5, end: 1 }[of('text-anchor') as 'start' | 'middle' | 'end'];
    return { words, left, right: left + width, top: y - size * 0.75, bottom: y + size * 0.2 };
  });
}

function overlap(one: Label, other: Label): boolean {
  const apart =
    one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
  return !apart;
}

test.each(['add', 'drain', 'lateness', 'growth'])(
  'no label of the %s plot lies on another, or over the edge',
  (name) => {
    const svg = new Docs(['none']).read(`performance/${name}.svg`);
    const labels = labelsOf(svg);
    const [, width, height] = /<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    expect(labels.length).toBeGreaterThan(15);
    const outside = labels.filter(({ left, right, top, bottom }) => {
      return left < 4 || right > Number(width) - 4 || top < 4 || bottom > Number(height) - 4;
    });
    expect(outside).toEqual([]);
    const pairs = labels.flatMap((one, at) => labels.slice(at + 1).map((other) => [one, other] as const));
    expect(pairs.filter(([one, other]) => overlap(one, other)).map(([one, other]) => [one.words, other.words])).toEqual(
      [],
    );
  },
);
