/** The steps of the set-up, by name. Each is safe to run at any time, and beside another run of itself. */
export { installDependencies as dependencies, installPeers as peers } from './dependencies.mjs';
export { installRedis as redis } from './redis.mjs';
export { buildIfStale as build } from './build.mjs';
export { SetupError } from './run.mjs';
