import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Who installs Duestream runs no foreign script, and the lock file ties nobody to the registry it was written
 * against: every entry is pinned by its checksum, not by an address.
 */
export function lockFileProblems(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .flatMap(([path, entry]) => problemsOf(entry).map((problem) => `package-lock.json: ${path} ${problem}`));
}

function problemsOf(entry) {
  const problems = [];
  if (entry.hasInstallScript && !entry.dev) problems.push('is a runtime dependency with an install script');
  if (entry.resolved) problems.push(`names an address (${entry.resolved}): run npm install with this project's .npmrc`);
  if (!entry.integrity) problems.push('has no checksum');
  return problems;
}
