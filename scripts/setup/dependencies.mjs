import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { runOrFail, say } from './run.mjs';

/** `npm ci`, when what lies in node_modules is not what package-lock.json names. */
export async function installDependencies(root) {
  if (areInstalled(root)) return;
  await withLock(root, async () => {
    if (areInstalled(root)) return; // by the set-up we waited for
    say('installing the dependencies into node_modules (npm ci)');
    // --include=dev: with NODE_ENV=production npm would leave the compiler out.
    await runOrFail('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root });
  });
}

/**
 * Compares contents, not dates: a checkout sets dates as it likes. npm writes node_modules/.package-lock.json last,
 * so an interrupted install has none.
 */
function areInstalled(root) {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === version : Boolean(optional || devOptional); // optional: made for another system
  });
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
