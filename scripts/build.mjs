/** `npm run build`: the script bindings, then dist/. With --if-stale only when the sources have changed. */
import { dirname } from 'node:path';
import { build, buildIfStale } from './setup/build.mjs';
import { SetupError } from './setup/run.mjs';

const root = dirname(import.meta.dirname);
const work = process.argv.includes('--if-stale') ? buildIfStale : build;

work(root).catch((error) => {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
});
