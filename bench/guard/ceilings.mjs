import { readFileSync } from 'node:fs';
import { ToldError } from '../command-line.mjs';

/** Recorded costs: what is above one is a finding, and so is a case without one. */
export const measures = {
  scripts: 'script calls',
  inside: 'commands inside scripts',
  sent: 'commands sent by clients, script calls among them',
};

const slack = 1.05;

export function readCeilings(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'is no JSON' : `cannot be read: ${error.code}`;
    throw new ToldError(`--ceilings: ${file} ${problem}`);
  }
}

/** `costs` and `ceilings`: by the name of the case, {scripts, inside, sent}. A finding is a line of text. */
export function findings(costs, ceilings) {
  const forgotten = Object.keys(ceilings).filter((name) => !(name in costs));
  return [
    ...Object.entries(costs).flatMap(([name, cost]) => findingsOf(name, cost, ceilings[name])),
    ...forgotten.map((name) => `${name}: there is a ceiling, but no such case`),
  ];
}

function findingsOf(name, cost, ceiling) {
  if (ceiling === undefined) return [`${name}: there is no ceiling yet; npm run bench:guard -- --record sets it`];
  return Object.entries(measures)
    .filter(([key]) => !(cost[key] <= ceiling[key]))
    .map(([key, words]) => `${name}: ${words}: got ${cost[key]} a ${ceiling.per}, the ceiling is ${ceiling[key]}`);
}

/** A little above what it costs now: 5 %, but never above the limit of the case. */
export function ceilingsFor(costs) {
  return Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, ceilingOf(cost)]));
}

function ceilingOf({ limit = {}, per, ...cost }) {
  const above = (key) =>
    Math.min(limit[key] ?? Infinity, Math.ceil(Number((cost[key] * slack * 10_000).toFixed(6))) / 10_000);
  return { per, ...Object.fromEntries(Object.keys(measures).map((key) => [key, above(key)])) };
}
