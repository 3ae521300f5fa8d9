import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ToldError } from '../command-line.mjs';
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

export function fileOf(folder, persistence) {
  return join(folder, `results-${persistence}.json`);
}

/** By persistence, from the documents of a folder; `texts` by path stand in for what is there. */
export function readResults(folder, texts) {
  const isThere = (file) => file in texts || existsSync(file);
  return Object.fromEntries(
    persistences
      .map((persistence) => ({ persistence, file: fileOf(folder, persistence) }))
      .filter(({ file }) => isThere(file))
      .map(({ persistence, file }) => {
        const text = texts[file] ?? readFileSync(file, 'utf8');
        return [persistence, resultsFrom({ file, text, persistence })];
      }),
  );
}

/** What a document says, once it is one of that persistence. */
export function resultsFrom({ file, text, persistence }) {
  const { made, figures } = parsed(file, text);
  if (!made || !Array.isArray(figures)) throw new ToldError(`${file} holds no results of the benchmark`);
  if (made.persistence !== persistence)
    throw new ToldError(`${file} holds the results of persistence "${made.persistence}"`);
  const empty = figures.find(({ values }) => !(values?.length > 0));
  if (empty) throw new ToldError(`${file}: ${empty.measure}, ${empty.case}, ${empty.system} has no values`);
  return new Results({ made, figures });
}

function parsed(file, text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw new ToldError(`${file} is no JSON`);
  }
}
