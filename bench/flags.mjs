import { join } from 'node:path';
import { fromCaller, parseFlags, UsageError } from './command-line.mjs';
import { measures } from './plan.mjs';
import { systems } from './systems/systems.mjs';

export const usage = `npm run bench -- [flags]
  --quick                fewer tasks and samples, and without --persistence only none: minutes
  --measures LIST        of ${measures.join(',')} (default: all)
  --systems LIST         of ${Object.keys(systems).join(',')} (default: all)
  --only TEXT            only cases with this in their name, in whatever case; may be given more than once
  --repetitions N        how often each case is run for each system (default 3)
  --persistence HOW      none, everysec (an append-only file), or both: a document each (default both)
  --scale FACTOR         times the number of tasks and samples (default 1)
  --out FOLDER           where the documents go (default bench/results)
  --help`;

const options = {
  quick: { type: 'boolean', default: false },
  measures: { type: 'string', default: measures.join(',') },
  systems: { type: 'string', default: Object.keys(systems).join(',') },
  only: { type: 'string', multiple: true, default: [] },
  repetitions: { type: 'string', default: '3' },
  persistence: { type: 'string' },
  scale: { type: 'string', default: '1' },
  out: { type: 'string', default: join(import.meta.dirname, 'results') },
  help: { type: 'boolean', default: false },
};

const kinds = { none: ['none'], everysec: ['everysec'], both: ['none', 'everysec'] };

/**
 * @typedef {{ quick: boolean, help: boolean, only: string[], out: string, repetitions: number, scale: number,
 *   measures: string[], systems: string[], persistences: string[] }} Flags
 */

/**
 * What the command line asks for, or a UsageError that says what was expected and what was got.
 * @returns {Flags}
 */
export function readFlags(args) {
  const given = parseFlags(args, options);
  const { quick, only, out, help, persistence = quick ? 'none' : 'both' } = given;
  if (out === '') throw new UsageError('--out: expected a folder, got none');
  if (only.includes('')) throw new UsageError('--only: expected words of the name of a case, got none');
  if (!Object.hasOwn(kinds, persistence)) {
    throw new UsageError(`--persistence must be none, everysec or both, got ${persistence}`);
  }
  return {
    quick,
    only,
    out: fromCaller(out),
    help,
    measures: listOf('measures', given.measures, measures),
    systems: listOf('systems', given.systems, Object.keys(systems)),
    repetitions: numberOf('repetitions', given.repetitions, { min: 1, max: 100, whole: true }),
    scale: numberOf('scale', given.scale, { min: 0.000001, max: 100 }),
    persistences: kinds[persistence],
  };
}

/** In the order of `known`, each once. */
function listOf(flag, text, known) {
  const words = text.split(',');
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    throw new UsageError(`--${flag}: expected some of ${known.join(', ')}, got ${unknown || 'an empty word'}`);
  }
  return known.filter((word) => words.includes(word));
}

function numberOf(flag, text, { min, max, whole = false }) {
  const value = Number(text);
  const isRight = text.trim() !== '' && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (isRight) return value;
  throw new UsageError(`--${flag} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, got ${text}`);
}

/** The flags by which this is not the whole plan at its own size. */
export function shortenedBy({ measures: wanted, systems: chosen, only, scale }) {
  const shortening = {
    measures: wanted.length < measures.length,
    systems: chosen.length < Object.keys(systems).length,
    only: only.length > 0,
    scale: scale !== 1,
  };
  return Object.keys(shortening).filter((flag) => shortening[flag]);
}
