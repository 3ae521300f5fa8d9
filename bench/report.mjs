/**
 * `npm run bench:report`: makes the tables of docs/performance.md and the plots in docs/performance/ from the results in
 * docs/performance/results-*.json, those of docs/scaling.md from results-scaling.json, and the summary in the README. `--take` puts new results there first. `--check` writes nothing and says what is not
 * as the results give it. Exit: 0 done or all as it should be, 1 not, 2 usage.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromCaller, parseFlags, tell, ToldError, UsageError } from './command-line.mjs';
import { differences, fill } from './report/page.mjs';
import { plotsOf } from './report/plots.mjs';
import { fileOf, persistences, readResults } from './report/results.mjs';
import { floorsTable, growthTables, measureTable, runTable, summaryTable } from './report/tables.mjs';
import { documentsIn } from './report/take.mjs';
import { titles } from './report/words.mjs';
import { idleTable, modelTable, pointsTable, spreadTable } from './scaling/tables.mjs';

const usage = `npm run bench:report -- [flags]
  --take FOLDER  put the results of npm run bench there first: none.json and everysec.json, as far as they are there;
                 only of the whole plan and without failed runs, but partial-everysec.json may have some of the measures or cases
  --check        write nothing; say what is not as the results give it
  --docs FOLDER  where performance.md and performance/ are; README.md beside it gets its summary
  --help`;

const measures = ['add', 'drain', 'latency', 'lateness', 'cost'];
const notMeasured = '*Not measured yet.*';

function readFlags(args) {
  const flags = parseFlags(args, {
    take: { type: 'string' },
    check: { type: 'boolean' },
    docs: { type: 'string', default: join(import.meta.dirname, '..', 'docs') },
    help: { type: 'boolean' },
  });
  if (flags.check && flags.take !== undefined)
    throw new UsageError('--check writes nothing, and --take does: give one');
  for (const flag of ['take', 'docs']) {
    if (flags[flag] === '') throw new UsageError(`--${flag}: expected a folder, got none`);
  }
  return flags;
}

/** Every block of the page by its name. `none` gives the tables and plots; the other run stands at the end. */
function blocksOf({ none, everysec }, plots) {
  const withPlot = (name, table) =>
    plots[name] ? `![${titles[name]}: a plot of the table below](performance/${name}.svg)\n\n${table}` : table;
  const runs = persistences.map((persistence) => ({ none, everysec })[persistence]).filter(Boolean);
  const tableOf = (results, measure) =>
    results?.rowsOf(measure).length > 0 ? measureTable(results, measure) : notMeasured;
  const growth = none && growthTables(none);
  return {
    run: runs.length > 0 ? runTable(runs) : notMeasured,
    floors: none ? floorsTable(none) : notMeasured,
    ...Object.fromEntries(measures.map((measure) => [measure, withPlot(measure, tableOf(none, measure))])),
    growth: growth ? withPlot('growth', growth) : notMeasured,
    everysec: everysec ? allTables(everysec) : notMeasured,
  };
}

/** Every measure that was taken, each under its name. */
function allTables(results) {
  const tables = measures
    .filter((measure) => results.rowsOf(measure).length > 0)
    .map((measure) => `### ${titles[measure]}, everysec\n\n${measureTable(results, measure)}`);
  const growth = growthTables(results);
  return [...tables, ...(growth === '' ? [] : [`### Growth, everysec\n\n${growth}`])].join('\n\n');
}

/** The README beside the docs, when it has a place for the summary. */
function readmeOf(docs, { none }) {
  const path = join(docs, '..', 'README.md');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (!text.includes('<!-- made by bench/report.mjs: summary -->')) return {};
  return { [path]: fill(text, { summary: none ? summaryTable(none) : notMeasured }) };
}

/** The page on scaling, when it was measured; its results are taken by hand: `scaling.json` of `npm run bench:scaling`. */
function scalingOf(docs, folder) {
  const [page, results] = [join(docs, 'scaling.md'), join(folder, 'results-scaling.json')];
  if (!existsSync(page) || !existsSync(results)) return {};
  const document = JSON.parse(readFileSync(results, 'utf8'));
  const blocks = {
    points: pointsTable(document),
    spread: spreadTable(document),
    idle: idleTable(document),
    model: modelTable(document),
  };
  return { [page]: fill(readFileSync(page, 'utf8'), blocks) };
}

/** Every file by its path, as the results give it; undefined for a plot that there should not be. */
function filesOf(docs, taken) {
  const folder = join(docs, 'performance');
  const texts = Object.fromEntries(taken.map(({ persistence, text }) => [fileOf(folder, persistence), text]));
  const results = readResults(folder, texts);
  const plots = results.none ? plotsOf(results.none) : {};
  const page = readFileSync(join(docs, 'performance.md'), 'utf8');
  const old = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.svg')) : [];
  return {
    ...texts,
    ...Object.fromEntries(old.map((name) => [join(folder, name), undefined])),
    ...Object.fromEntries(Object.entries(plots).map(([name, svg]) => [join(folder, `${name}.svg`), svg])),
    [join(docs, 'performance.md')]: fill(page, blocksOf(results, plots)),
    ...readmeOf(docs, results),
    ...scalingOf(docs, folder),
  };
}

function staleOf([path, wanted]) {
  const found = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (found === wanted) return [];
  if (wanted === undefined) return [`${path}: no results make this`];
  if (found === undefined) return [`${path}: is missing`];
  if (!path.endsWith('.md')) return [`${path}: is not as the results give it`];
  return [`${path}: not as the results give it: ${differences(found, wanted).join(', ')}`];
}

function write([path, wanted]) {
  if (wanted === undefined) return rmSync(path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wanted);
}

/** Nothing is written before all has been read and made. @returns the exit code */
function main(args) {
  const { take, check, docs, help } = readFlags(args);
  if (help) {
    console.log(usage);
    return 0;
  }
  const folder = fromCaller(docs);
  if (!existsSync(join(folder, 'performance.md'))) throw new ToldError(`there is no performance.md in ${folder}`);
  const taken = take === undefined ? [] : documentsIn(fromCaller(take));
  const files = Object.entries(filesOf(folder, taken));
  const stale = files.flatMap(staleOf);
  if (!check) for (const file of files) write(file);
  for (const { persistence, isPartial } of taken) {
    if (isPartial) console.log(`${persistence} has only some of the measures`);
  }
  for (const one of stale) console.log(check ? one : `made anew: ${one.split(':')[0]}`);
  if (!check || stale.length === 0) return 0;
  console.error('the report is stale: npm run bench:report');
  return 1;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell('bench:report', error);
}
