/**
 * The contract as a model, searched in full within its bounds: with all rules nothing breaks, and each rule that is taken
 * away is missed. docs/model.md tells what is in it. `MODEL_TRACES=1 npx vitest run test/model` prints every trace.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { removals, rowOf, sayRemoval } from './removals.js';
import { allRules } from './rules.js';
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

/** How many states there are at least: a search that sees fewer has gone blind. */
const statesMin: Readonly<Record<string, number>> = {
  'an id is added again': 3240,
  'one consumer, two slots': 483,
  'two ids': 2779,
  'the due time is moved': 8167,
  'replies are lost, copies come late': 15845,
  'a lane is forgotten': 381,
  'a failover loses a suffix': 823,
  'a failover reissues an entry': 1205,
  'two bid for the lead': 6208,
  'a script is torn': 8576,
  'a script is torn on the way': 1624,
  'an add of one of two is torn': 751,
  'a script is torn in a paused queue': 1357,
  'the queue is paused': 862,
  'tasks expire': 625,
  'Redis is frozen': 824,
  'Redis is frozen twice': 3183,
  'leases differ': 218,
  'tasks die': 6115,
  'the group is made anew': 910,
  'the group is made anew while a consumer is busy': 906,
  'somebody else writes to the keys': 4702,
  'an end cannot be written': 164,
};

describe('with all rules nothing breaks', () => {
  test.each(Object.keys(scenarios))('where %s', (name) => {
    const { states, broken, trace } = search(scenario(name));
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
    const { broken, trace } = search(world, without, breaks);
    tell(sayRemoval(removal, trace));
    expect(broken).toEqual([breaks]);
    expect(trace).toHaveLength(moves);
    const [doubled, ...others] = without;
    if (doubled && others.length > 0) expect(search(world, [doubled], breaks).trace).toEqual([]);
  });

  test('and none is left out', () => {
    const missed = new Set(removals.flatMap(({ without }) => without));
    expect(allRules.filter((rule) => !missed.has(rule))).toEqual([]);
  });

  test('and docs/model.md has the table', () => {
    const page = readFileSync(new URL('../../docs/model.md', import.meta.url), 'utf8');
    const rows = page.split('\n').filter((line) => /^\| .* \| \d+ \| \d* \|$/.test(line));
    expect(rows).toEqual(removals.map(rowOf));
  });

  test('every trace that was found before is found again, but for 11: there are no recurring schedules yet', () => {
    const found = new Set(removals.map(({ trace }) => trace));
    const numbers = Array.from({ length: 22 }, (_, at) => at + 1);
    expect(numbers.filter((number) => !found.has(number))).toEqual([11]);
  });
});
