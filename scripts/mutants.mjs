/**
 * `npm run verify:mutants`: makes each mistake of scripts/mutants/mutants.mjs in a copy of the tree, and runs the explorer
 * and the campaign there. Exit 1 when one survives: then the proof has a hole. With words: only mutants whose name has
 * one of them. It takes about a minute each.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mutants } from './mutants/mutants.mjs';

const root = dirname(import.meta.dirname);
const kept = [
  '.oxlintrc.json',
  'lua',
  'package.json',
  'scripts',
  'src',
  'test',
  'tsconfig.build.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const seeds = [1, 2];
const runMsMax = 300_000;

/** A copy of the tree with the mistake in it, built. */
function grow({ edits }) {
  const folder = mkdtempSync(join(tmpdir(), 'duestream-mutant-'));
  for (const name of kept) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, from, to } of edits) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const found = text.split(from).length - 1;
    if (found !== 1) throw new Error(`${file}: the text to change stands there ${found} times: ${from}`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
  const built = run(folder, ['scripts/build.mjs']);
  if (built.code !== 0) throw new Error(`the mutant does not build:\n${built.output}`);
  return folder;
}

function run(cwd, args) {
  const env = { ...process.env, EXPLORER_SHRINK_MS: '0', NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    env,
    encoding: 'utf8',
    timeout: runMsMax,
  });
  return { code: status ?? -1, output: `${stdout}${stderr}` };
}

/** Undefined when it went unseen. A failing test that tells of no broken invariant is no proof. */
function byExplorer(folder) {
  const { code, output } = run(folder, ['node_modules/vitest/vitest.mjs', 'run', 'test/explorer']);
  if (code === 0) return undefined;
  const [, broken] = /AssertionError: ([a-z-]+): [\s\S]*?\nseed \d+, after/.exec(output) ?? [];
  if (broken === undefined)
    throw new Error(`the explorer could not be run (exit code ${code}):\n${output.slice(-2_000)}`);
  return `explorer: ${broken}`;
}

function byCampaign(folder, args) {
  for (const seed of seeds) {
    const { code, output } = run(folder, ['dist/cli/main.js', 'verify', '--quick', '--seed', String(seed), ...args]);
    const broken = Array.from(output.matchAll(/^BROKEN +(\w+)/gm), (found) => found[1]);
    if (code === 1 && broken.length > 0) return `campaign, seed ${seed}: ${broken.join(', ')}`;
    if (code !== 0) throw new Error(`the campaign could not be run (exit code ${code}):\n${output.slice(-2_000)}`);
  }
  return undefined;
}

function kill(mutant) {
  const folder = grow(mutant);
  try {
    return (mutant.campaign && byCampaign(folder, mutant.campaign)) ?? byExplorer(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function chosen(words) {
  if (words.length === 0) return mutants;
  const some = mutants.filter(({ name }) => words.some((word) => name.includes(word)));
  if (some.length === 0) {
    console.error(
      `no mutant has ${words.join(' or ')} in its name; there are:\n${mutants.map(({ name }) => name).join('\n')}`,
    );
    process.exit(2);
  }
  return some;
}

/** In words, what became of it. */
function fateOf(mutant) {
  try {
    const killer = kill(mutant);
    return killer === undefined ? 'SURVIVED' : `killed    ${killer}`;
  } catch (error) {
    return `FAILED    ${error.message}`;
  }
}

let survivors = 0;
for (const mutant of chosen(process.argv.slice(2))) {
  const fate = fateOf(mutant);
  if (!fate.startsWith('killed')) survivors += 1;
  console.log(`${mutant.name.padEnd(42)} ${fate}`);
}
console.log(survivors === 0 ? 'every mutant was killed' : `${survivors} were not killed: the proof has a hole there`);
process.exitCode = survivors === 0 ? 0 : 1;
