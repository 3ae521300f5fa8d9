import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Who installs Duestream runs no foreign script, and the lock file ties nobody to the registry it was written
 * against: every entry is pinned by its checksum, not by an address. And it is whole: npm writes a lock file without
 * the packages for other systems when the registry did not have them that day, and `npm ci` then refuses it.
 */
export function lockFileProblems(root) {
  const packages = packagesIn(root, 'package-lock.json');
  const own = Object.entries(packages)
    .filter(([, entry]) => entry.hasInstallScript && !entry.dev)
    .map(([path]) => `package-lock.json: ${path} is a runtime dependency with an install script`);
  return [...own, ...['package-lock.json', 'bench/package-lock.json'].flatMap((file) => problemsIn(root, file))];
}

function packagesIn(root, file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
}

function problemsIn(root, file) {
  const packages = packagesIn(root, file);
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .flatMap(([path, entry]) => problemsOf(entry, packages).map((problem) => `${file}: ${path} ${problem}`));
}

function problemsOf(entry, packages) {
  const problems = [];
  if (entry.resolved) problems.push(`names an address (${entry.resolved}): run npm install with this project's .npmrc`);
  if (entry.extraneous) problems.push('is needed by no other package: run npm prune --package-lock-only');
  if (!entry.integrity) problems.push('has no checksum');
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const isThere = Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`));
    if (!isThere) problems.push(`names ${name}, which is missing: npm ci will refuse this file`);
  }
  return problems;
}
