import { spawnSync } from 'node:child_process';

/**
 * Some tests start the built command or import the package by its name. `npm test` has built it by now; this is for
 * `npx vitest`. A tree that does not compile still gets its other tests run.
 */
export function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { stdio: 'ignore' });
  if (status === 0) return;
  process.stderr.write('dist could not be built (npm run build tells why): tests of the built package will fail\n');
}
