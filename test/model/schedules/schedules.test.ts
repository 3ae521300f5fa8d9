/**
 * A schedule as a model, searched in full within its bounds: with all rules nothing breaks, and each rule that is taken away
 * is missed. docs/model.md tells what is in it. `MODEL_TRACES=1 npx vitest run test/model` prints every trace.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { removals, rowOf } from './removals.js';
import { allRules, sentences } from './rules.js';
import { scenarios } from './scenarios.js';
import { search } from './search.js';
import { type Bounds, meanings } from './state.js';

const isTelling = process.env['MODEL_TRACES'] === '1';

function tell(text: string): void {
  if (isTelling) process.stdout.write(`${text}\n`);
}

function scenario(name: string): Bounds {
  const found = scenarios[name];
  if (!found) throw new Error(`there is no scenario “${name}”`);
  return found;
}

/** How many states there are at least: a search that sees fewer has gone blind. */
const statesMin: Readonly<Record<string, number>> = {
  'two lead': 732,
  'it is taken away and made anew': 1980,
  'the queue grows': 4471,
  'the queue grows, and it is taken away': 2994,
  'the queue grows, it is taken away, copies come late': 1914,
  'the queue grows, it is taken away, and a leader sleeps for an hour': 526,
  'the queue grows twice': 6052,
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
  test.each(removals)('$without: $breaks, where $in', ({ without, in: name, breaks, moves }) => {
    const { broken, trace } = search(scenario(name), [without], breaks);
    tell(`without “${sentences[without]}”: ${meanings[breaks]}\n  ${trace.join('\n  ')}`);
    expect(broken).toContain(breaks);
    expect(trace).toHaveLength(moves);
  });

  test('and none is left out', () => {
    const missed = new Set(removals.map(({ without }) => without));
    expect(allRules.filter((rule) => !missed.has(rule))).toEqual([]);
  });

  test('and docs/model.md has the table', () => {
    const page = readFileSync(new URL('../../../docs/model.md', import.meta.url), 'utf8');
    const [, schedules = ''] = page.split('\n## A schedule\n');
    const rows = schedules.split('\n').filter((line) => /^\| .* \| .* \| \d+ \|$/.test(line));
    expect(rows).toEqual(removals.map(rowOf));
  });
});
