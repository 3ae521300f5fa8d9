import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { median } from '../statistics.mjs';

/** In the order of the page. */
export const persistences = ['none', 'everysec'];

/** The results of one run, asked by row and column. A figure nobody measured is undefined. */
export class Results {
  constructor({ made, figures }) {
    this.made = made;
    this.figures = figures;
  }

  /** {value, min, max, unit}: the median of the repetitions, and the least and the most. */
  figure(measure, row, system) {
    const found = this.figures.find((one) => one.measure === measure && one.case === row && one.system === system);
    return found && pointOf(found);
  }

  /** How the first stands to the second, by their medians. */
  ratio({ measure, row, of, to }) {
    const [one, other] = [this.figure(measure, row, of), this.figure(measure, row, to)];
    return one && other && other.value !== 0 ? one.value / other.value : undefined;
  }

  /** The rows of a measure, in the order in which they were written. */
  rowsOf(measure) {
    return [...new Set(this.figures.filter((one) => one.measure === measure).map((one) => one.case))];
  }

  /** What was measured along an axis: {x, value, min, max, unit}, from left to right. */
  pointsOf(row) {
    const found = this.figures.filter((one) => one.measure === 'growth' && one.case === row);
    return found.map((one) => ({ x: one.x, ...pointOf(one) })).toSorted((one, other) => one.x - other.x);
  }
}

function pointOf({ values, unit }) {
  return { value: median(values), min: Math.min(...values), max: Math.max(...values), unit };
}

/** By persistence, from the documents results-*.json of a folder. */
export function readResults(folder) {
  const files = readdirSync(folder).filter((name) => /^results-\w+\.json$/.test(name));
  const read = files.map((name) => resultsIn(join(folder, name)));
  return Object.fromEntries(read.map((results) => [results.made.persistence, results]));
}

function resultsIn(file) {
  const results = new Results(JSON.parse(readFileSync(file, 'utf8')));
  const { persistence } = results.made;
  if (basename(file) !== `results-${persistence}.json`)
    throw new Error(`${file} holds the results of persistence "${persistence}"`);
  const empty = results.figures.find(({ values }) => values.length === 0);
  if (empty) throw new Error(`${file}: ${empty.measure}, ${empty.case}, ${empty.system} has no values`);
  return results;
}
