/**
 * A queue that grows as a model, searched in full within its bounds: with all rules nothing breaks, and each rule that is
 * taken away is missed. docs/model.md tells what is in it. `MODEL_TRACES=1 npx vitest run test/model` prints every trace.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { removals, rowOf, sayRemoval } from './removals.js';
import { allRules, notYet, type Rule } from './rules.js';
import { scenarios } from './scenarios.js';
import { search } from './search.js';
import type { World } from './world.js';

const isTelling = process.env['MODEL_TRACES'] === '1';

function tell(text: string): void {
  if (isTelling) process.stdout.write(`${text}\n`);
}

function scenario(name: string): World {
  const found = scenarios[name];
  if (!found) throw new Error(`there is no scenario “${name}”`);
  return found;
}

/** Rules that the code has not yet are taken away wherever nothing breaks without them: so what is searched is the code. */
function lacking(name: string): readonly Rule[] {
  return notYet.filter((rule) => !removals.some((removal) => removal.in === name && removal.without.includes(rule)));
}

/** How many states there are at least: a search that sees fewer has gone blind. */
const statesMin: Readonly<Record<string, number>> = {
  'two add an id and cancel it': 3211,
  'calls are repeated, copies come late': 1296,
  'who knows less cancels what is new': 827,
  'an id is added while it runs': 641,
  'a partition was not used yet': 499,
  'what was due before goes first': 2186,
  'the past is forgotten': 2664,
  'it is paused and resumed': 1962,
  'it is paused, and somebody is slow to bring up a partition': 3703,
  'it is resumed': 1693,
  'a dead letter is replayed': 704,
  'a dead letter is replayed by two': 774,
  'a dead letter that stays is replayed': 3960,
  'a task dies meanwhile': 8558,
  'a new partition loses all it has': 4755,
  'an old partition loses all it has': 5018,
  'it grows twice': 6901,
  'it grows again while there is a backlog': 10514,
  'an id is added while it grows twice': 11006,
  'two grow it at once': 4442,
  'the first partition fails over, and what is new lies elsewhere': 1463,
  'the first partition fails over': 8884,
};

describe('with all rules nothing breaks', () => {
  test.each(Object.keys(scenarios))('where %s', (name) => {
    const { states, broken, trace } = search(scenario(name), lacking(name));
    tell(`${name}: ${states} states`);
    expect({ broken, trace }).toEqual({ broken: [], trace: [] });
    expect(states).toBeGreaterThanOrEqual(statesMin[name] ?? Number.POSITIVE_INFINITY);
  });
});

describe('each rule is missed', () => {
  const named = removals.map((removal) => ({ ...removal, rules: removal.without.join(' and ') }));

  test.each(named)('$rules: $breaks, where $in', (removal) => {
    const { without, breaks, moves } = removal;
    const world = scenario(removal.in);
    const others = lacking(removal.in).filter((rule) => !without.includes(rule));
    const { broken, trace } = search(world, [...without, ...others], breaks);
    tell(sayRemoval(removal, trace));
    expect(broken).toEqual([breaks]);
    expect(trace).toHaveLength(moves);
    const [doubled, ...more] = without;
    if (doubled && more.length > 0) expect(search(world, [doubled, ...others], breaks).trace).toEqual([]);
  });

  test('and none is left out, but for one that others double wherever it was looked at', () => {
    const missed = new Set(removals.flatMap(({ without }) => without));
    expect(allRules.filter((rule) => !missed.has(rule))).toEqual(['waitingIsNotDone']);
  });

  test('and docs/model.md has the table', () => {
    const page = readFileSync(new URL('../../../docs/model.md', import.meta.url), 'utf8');
    const [, rest = ''] = page.split('\n## A queue that grows\n');
    const [growing = ''] = rest.split('\n## ');
    const rows = growing.split('\n').filter((line) => /^\| .* \| .* \| \d+ \|$/.test(line));
    expect(rows).toEqual(removals.map(rowOf));
  });
});
