/**
 * The document that a benchmark leaves, one for each kind of persistence:
 *
 *   made     at, command, machine { cpu, cores, memoryGiB, kernel }, versions, persistence, repetitions, quick, scale,
 *            shortenedBy [flags by which it is not the whole plan], failed (how many runs)
 *   figures  [{ measure, case, system, unit, better: 'more' | 'less', values: [one for each repetition], x? }]
 *
 * `x` is the number on the x axis, where the measure is growth. A run that failed has no value.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError } from './command-line.mjs';
import { shortenedBy } from './flags.mjs';

const root = join(import.meta.dirname, '..');

/** Gathers the values of the runs, in whatever order they come. */
export class Figures {
  #figures = new Map();

  add(system, { value, ...what }) {
    const key = JSON.stringify([what.measure, what.case, system, what.x]);
    const figure = this.#figures.get(key) ?? { ...what, system, values: [] };
    figure.values.push(value);
    this.#figures.set(key, figure);
  }

  list() {
    return [...this.#figures.values()];
  }
}

/** What stands at the head of a document. */
export function madeOf({ args, flags, persistence, redisVersion }) {
  return {
    at: new Date().toISOString(),
    command: commandOf('npm run bench', args),
    machine: machine(),
    versions: {
      ...versions(redisVersion),
      bullmq: versionIn('bench/node_modules/bullmq'),
      'bee-queue': versionIn('bench/node_modules/bee-queue'),
    },
    persistence,
    repetitions: flags.repetitions,
    quick: flags.quick,
    scale: flags.scale,
    shortenedBy: shortenedBy(flags),
  };
}

export function machine() {
  const [first] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return { cpu: first?.model ?? 'unknown', cores: cpus().length, memoryGiB, kernel: release() };
}

/** Of what is measured, and of what it stands on. */
export function versions(redisVersion) {
  const nodeRedis = versionIn('node_modules/redis');
  return { duestream: versionIn('.'), node: process.versions.node, redis: redisVersion, 'node-redis': nodeRedis };
}

/** As it is typed. */
export function commandOf(command, args) {
  return [command, ...(args.length > 0 ? ['--', ...args.map(quoted)] : [])].join(' ');
}

function quoted(arg) {
  return /\s/.test(arg) ? `"${arg}"` : arg;
}

/** Null when it is not installed, and so was not measured. */
function versionIn(folder) {
  try {
    return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).version;
  } catch {
    return null;
  }
}

/** Before anything is measured: that documents can be written there. */
export function prepareFolder(folder) {
  try {
    makeFolder(folder);
    rmdirSync(mkdtempSync(join(folder, 'probe-')));
  } catch (error) {
    throw new UsageError(`--out: nothing can be written to ${folder}: ${error.code}`);
  }
}

/** One after the other from the top: in /proc, Node tries for ever to make a folder with its parents. */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** What is less than the whole plan, or has failed runs, does not take the place of a document that is whole. */
export function documentName({ quick, shortenedBy: shortened, failed, persistence }) {
  if (quick) return `quick-${persistence}.json`;
  return shortened.length > 0 || failed > 0 ? `partial-${persistence}.json` : `${persistence}.json`;
}

/** @returns the path of the file */
export function writeDocument(folder, document) {
  const file = join(folder, documentName(document.made));
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  return file;
}
