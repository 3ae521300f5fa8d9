import * as add from './measures/add.mjs';
import * as drain from './measures/drain.mjs';

/** By the name that --measures takes. */
const files = { add, drain };

/** A case may give figures of more than one of them. */
export const measures = ['add', 'drain', 'latency', 'lateness', 'cost'];

/**
 * The cases that give a figure that was asked for, in order. `only` is a part of their name.
 * @returns {{ measures: string[], name: string, systems?: string[], run: (stage) => Promise<object[]> }[]}
 */
export function casesOf({ wanted, only, sizes }) {
  return Object.values(files)
    .flatMap((file) => file.cases(sizes))
    .filter((each) => each.measures.some((measure) => wanted.includes(measure)) && each.name.includes(only));
}
