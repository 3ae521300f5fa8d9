/**
 * `npm run check`: everything about the tree that needs no Redis, in under a minute. Steps run side by side where they
 * may; what a failing one printed is shown. Exit 1 when any failed. Nothing here mends anything.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lockFileProblems } from './check/lock-file.mjs';
import { compileOnly } from './setup/build.mjs';
import { run } from './setup/run.mjs';

const root = dirname(import.meta.dirname);
const scratch = mkdtempSync(join(tmpdir(), 'duestream-check-'));
const tarball = { path: '' };

/** A step gives the text of its complaint, or nothing, or throws. `after`: only when that one passed. */
const steps = [
  { name: 'script bindings', run: () => complaintOf('node', 'scripts/generate-bindings.mjs', '--check') },
  { name: 'types', run: () => complaintOf(bin('tsc'), '--noEmit', '-p', 'tsconfig.json') },
  { name: 'lint', run: () => complaintOf(bin('oxlint')) },
  { name: 'format', run: () => complaintOf(bin('biome'), 'format', '.') },
  { name: 'lock file', run: () => lockFileProblems(root).join('\n') },
  { name: 'build', run: () => compileOnly(root) },
  { name: 'pack', after: 'build', run: pack },
  { name: 'publint', after: 'pack', run: () => complaintOf(bin('publint'), 'run', '--strict', tarball.path) },
  { name: 'package types', after: 'pack', run: packageTypes },
];

function bin(name) {
  return join('node_modules', '.bin', name);
}

async function complaintOf(command, ...args) {
  const { code, output } = await run(command, args, { cwd: root });
  return code === 0 ? '' : output || `${command} failed with exit code ${code} and said nothing`;
}

/** The very file that would be published; publint and attw look at it, not at the folder. */
async function pack() {
  const { code, output } = await run('npm', ['pack', '--silent', '--pack-destination', scratch], { cwd: root });
  tarball.path = join(scratch, output.trim().split('\n').at(-1) ?? '');
  return code === 0 ? '' : output;
}

/** The two entries that hold no code are left out: attw would look for their types. */
function packageTypes() {
  const noCode = ['./lua/add.lua', './package.json'];
  return complaintOf(bin('attw'), tarball.path, '--profile', 'esm-only', '--exclude-entrypoints', ...noCode);
}

/** All at once: most are single processes of a second. A step waits for the one it needs, which stands above it. */
async function runAll() {
  const results = new Map();
  for (const step of steps) results.set(step.name, passes(step, results.get(step.after)));
  const failed = [];
  for (const [name, result] of results) if (!(await result)) failed.push(name);
  return failed;
}

async function passes({ name, after, run: work }, needed = Promise.resolve(true)) {
  if (!(await needed)) {
    console.log(`not run  ${name}: ${after} did not pass`);
    return false;
  }
  const startedAt = performance.now();
  const complaint = await Promise.resolve()
    .then(work)
    .catch((error) => error.message);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(complaint ? `FAILED   ${name} (${seconds} s)\n${complaint}` : `ok       ${name} (${seconds} s)`);
  return !complaint;
}

const failed = await runAll().finally(() => rmSync(scratch, { recursive: true, force: true }));
console.log(failed.length === 0 ? `check: all ${steps.length} steps passed` : `check: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
