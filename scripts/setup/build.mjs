/**
 * dist/, from src/ and lua/. Compiled beside it, then brought over file by file with a rename: a process that loads
 * from dist/ at that moment never meets half a file, files that did not change stay untouched, and what no longer has
 * a source goes away.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { runOrFail, say } from './run.mjs';

const sources = ['src', 'lua', 'scripts', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
/** What package.json names as commands, in dist/. */
const commands = ['cli/main.js'];

/** Builds unless dist/ was made from just these sources. */
export async function buildIfStale(root) {
  if (isFresh(root)) return;
  await withLock(root, async () => {
    if (isFresh(root)) return; // built by the set-up we waited for
    say('building dist');
    await generateAndCompile(root);
  });
}

export function build(root) {
  return withLock(root, () => generateAndCompile(root));
}

/** Only the compiler: for the check, which must not mend what it looks at. */
export function compileOnly(root) {
  return withLock(root, () => compile(root));
}

async function generateAndCompile(root) {
  await runOrFail('node', ['scripts/generate-bindings.mjs'], { cwd: root });
  const builtFrom = fingerprint(root); // before compiling: an edit in the meantime must not count as built
  await compile(root);
  const stamp = stampFile(root);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, builtFrom);
}

async function compile(root) {
  const fresh = join(root, 'dist.new'); // a sibling, so that the source maps lead to the same place
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', fresh];
  rmSync(fresh, { recursive: true, force: true });
  rmSync(stampFile(root), { force: true }); // whatever dist held, nothing is known of it until this has succeeded
  try {
    await runOrFail('node', tsc, { cwd: root });
    for (const file of commands) chmodSync(join(fresh, file), 0o755);
    bringOver(fresh, join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function bringOver(from, to) {
  const built = filesUnder(from);
  for (const file of built) {
    const target = join(to, file);
    if (isSame(join(from, file), target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(from, file), target);
  }
  const kept = new Set(built);
  for (const file of filesUnder(to)) if (!kept.has(file)) rmSync(join(to, file));
}

function isSame(fresh, present) {
  if (!existsSync(present) || statSync(present).mode !== statSync(fresh).mode) return false;
  return readFileSync(present).equals(readFileSync(fresh));
}

function isFresh(root) {
  if (!commands.every((file) => existsSync(join(root, 'dist', file)))) return false;
  const stamp = stampFile(root);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(root);
}

/** In node_modules, not in dist: all of dist is published. */
function stampFile(root) {
  return join(root, 'node_modules', '.cache', 'duestream', 'built-from');
}

/** Of contents, not dates: a few milliseconds for some hundred small files. */
function fingerprint(root) {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    if (!existsSync(path)) continue;
    const files = /\.\w+$/.test(source) ? [''] : filesUnder(path);
    for (const file of files) hash.update(`\0${source}/${file}\0`).update(readFileSync(join(path, file)));
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
