import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { runOrFail, say } from './run.mjs';

export function installDependencies(root) {
  // --include=dev: with NODE_ENV=production npm would leave the compiler out.
  return installIn(root, { shownAs: 'node_modules', flags: ['--include=dev'] });
}

/** What the benchmark compares with. Their install scripts are not run: one would compile what comes ready-made. */
export function installPeers(root) {
  return installIn(join(root, 'bench'), { shownAs: 'bench/node_modules', flags: ['--ignore-scripts'] });
}

/** `npm ci`, when what lies in node_modules is not what package-lock.json names. */
async function installIn(folder, { shownAs, flags }) {
  if (areInstalled(folder)) return;
  await withLock(folder, async () => {
    if (areInstalled(folder)) return; // by the set-up we waited for
    say(`installing the dependencies into ${shownAs} (npm ci)`);
    await runOrFail('npm', ['ci', ...flags, '--no-audit', '--no-fund'], { cwd: folder });
  });
}

/**
 * Compares contents, not dates: a checkout sets dates as it likes. npm writes node_modules/.package-lock.json last,
 * so an interrupted install has none. `npm ci` leaves out what is extraneous, which is what nobody depends on, and what
 * is optional and made for another system.
 */
export function areInstalled(root) {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, { version, optional, devOptional, extraneous }]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === version : Boolean(optional || devOptional || extraneous);
  });
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
