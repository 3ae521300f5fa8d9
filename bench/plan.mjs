import * as add from './measures/add.mjs';
import * as alone from './measures/alone.mjs';
import * as cost from './measures/cost.mjs';
import * as drain from './measures/drain.mjs';
import * as latency from './measures/latency.mjs';
import * as lateness from './measures/lateness.mjs';

const files = [add, drain, latency, lateness, alone, cost];

/** A case may give figures of more than one of them. */
export const measures = ['add', 'drain', 'latency', 'lateness', 'cost'];

/**
 * The cases that give a figure that was asked for, in order. `only` is a part of their name.
 * @returns {{ measures: string[], name: string, systems?: string[], run: (stage) => Promise<object[]> }[]}
 */
export function casesOf({ wanted, only, sizes }) {
  return files
    .flatMap((file) => file.cases(sizes))
    .filter((each) => each.measures.some((measure) => wanted.includes(measure)) && each.name.includes(only));
}
