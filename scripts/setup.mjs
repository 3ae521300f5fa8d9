/**
 * Makes a bare checkout ready: `npm test`, `npm run demo`, `npm run verify`, `npm run bench` and `npm run check` start
 * here. Plain Node, for at this point there may be nothing else. Each step looks first, says in one line what it is
 * about to do, and says nothing when there is nothing to do. It never asks and never reads stdin. Exit: 0 ready, 1 not,
 * 2 usage.
 *
 * The steps are imported only after the version check: an old Node could not even parse them.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const stepsOf = {
  test: ['dependencies', 'redis', 'build'],
  demo: hasRedisUrl() ? ['dependencies', 'build'] : ['dependencies', 'redis', 'build'],
  verify: ['dependencies', 'redis', 'build'],
  bench: ['dependencies', 'peers', 'redis', 'build'],
  check: ['dependencies'],
};

/** With the address of a Redis in the environment the demo starts none of its own. */
function hasRedisUrl() {
  return Boolean(process.env.DUESTREAM_REDIS_URL || process.env.REDIS_URL);
}

function purposeFromArguments(args) {
  if (args.length === 0) return 'test';
  return args.length === 2 && args[0] === '--for' && Object.hasOwn(stepsOf, args[1]) ? args[1] : undefined;
}

/** The message for a Node older than package.json's `engines`, or undefined. */
function nodeTooOld() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  const [major, minor] = numbersOf(wanted);
  const [majorHere, minorHere] = numbersOf(process.versions.node);
  if (majorHere > major || (majorHere === major && minorHere >= minor)) return undefined;
  return `Duestream needs Node ${wanted}, this is Node ${process.versions.node}: install a newer one (https://nodejs.org).`;
}

function numbersOf(version) {
  return version.match(/\d+/g).map(Number);
}

async function main() {
  const old = nodeTooOld();
  if (old) return stop(old, 1);
  const purpose = purposeFromArguments(process.argv.slice(2));
  if (!purpose) return stop('usage: node scripts/setup.mjs [--for test|demo|verify|bench|check]', 2);

  const steps = await import('./setup/steps.mjs');
  try {
    for (const step of stepsOf[purpose]) await steps[step](root);
  } catch (error) {
    stop(error instanceof steps.SetupError ? error.message : error.stack, 1);
  }
}

function stop(message, code) {
  console.error(`set-up: ${message}`);
  process.exitCode = code;
}

void main();
