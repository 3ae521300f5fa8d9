import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { lockRights, rightsIn, scriptRights } from '../../src/redis/rights.js';
import { readTree } from '../support/tree.js';

const scripts = readTree().filter(({ path }) => /^lua\/.*\.lua$/.test(path));

/** What a script does without when it is refused. */
const optional = ['info'];

/** The commands of a script: what it calls, and the words in its tables of writes. */
function calledIn(text: string): string[] {
  const calls = [...text.matchAll(/redis\.p?call\(\s*['"](\w+)['"](?:, *'([A-Z]+)')?/g)].map(
    ([, command = '', second]) => {
      const name = command.toLowerCase();
      return ['xgroup', 'xinfo'].includes(name) ? `${name}|${second?.toLowerCase()}` : name;
    },
  );
  const writes = [...text.matchAll(/\bwrite\('([A-Z]+)', \w+, \w+\)/g)].map(([, command = '']) =>
    command.toLowerCase(),
  );
  return [...new Set([...calls, ...writes])].filter((name) => !optional.includes(name)).toSorted();
}

test('a worker and a leader ask for what the scripts call, and for no more', () => {
  const called = scripts.flatMap(({ text }) => calledIn(text));
  expect([...new Set(called)].toSorted()).toEqual([...scriptRights].toSorted());
});

test('what a script is refused is looked for among what it calls', () => {
  for (const { path, text } of scripts) expect([path, rightsIn(text).toSorted()]).toEqual([path, calledIn(text)]);
});

test('a lock node is asked for what redlock calls', () => {
  const redlock = readFileSync(createRequire(import.meta.url).resolve('redlock'), 'utf8');
  expect(calledIn(redlock)).toEqual([...lockRights].toSorted());
});
