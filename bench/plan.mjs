import * as add from './measures/add.mjs';
import * as alone from './measures/alone.mjs';
import * as cost from './measures/cost.mjs';
import * as drain from './measures/drain.mjs';
import * as growth from './measures/growth.mjs';
import * as latency from './measures/latency.mjs';
import * as lateness from './measures/lateness.mjs';

const files = [add, drain, latency, lateness, alone, cost, growth];

/** A case may give figures of more than one of them. */
export const measures = ['add', 'drain', 'latency', 'lateness', 'cost', 'growth'];

/**
 * The cases that give a figure that was asked for, of a system that was, in order; with words in `only`, those that have
 * one in their name, in whatever case.
 * @returns {{ measures: string[], name: string, systems?: string[], run: (stage) => Promise<object[]> }[]}
 */
export function casesOf(flags, sizes) {
  const words = flags.only.map((one) => one.toLowerCase());
  const isWanted = (each) => each.measures.some((measure) => flags.measures.includes(measure));
  const canRun = (each) => each.systems?.some((system) => flags.systems.includes(system)) ?? true;
  const isChosen = ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word));
  return files.flatMap((file) => file.cases(sizes)).filter((each) => isWanted(each) && canRun(each) && isChosen(each));
}

/** Those of the systems asked for that one of the cases is run with, in order: others need not be installed. */
export function systemsOf(cases, flags) {
  return flags.systems.filter((system) => cases.some(({ systems }) => systems?.includes(system) ?? true));
}
