import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ToldError } from '../command-line.mjs';
import { persistences, resultsFrom } from './results.mjs';

/**
 * The documents of a benchmark that are fit for the page: of the whole plan, at its own size, without a run that failed.
 * Only everysec may have some of the measures, or of their cases: the page has its command, which says so.
 * @returns {{ persistence: string, text: string, isPartial: boolean }[]}
 */
export function documentsIn(folder) {
  if (!existsSync(folder)) throw new ToldError(`--take: there is no folder ${folder}`);
  const documents = persistences
    .map((persistence) => ({ persistence, file: fileOf(persistence, folder) }))
    .filter(({ file }) => file !== undefined)
    .map(({ persistence, file }) => documentFrom(join(folder, file), persistence));
  if (documents.length === 0) throw new ToldError(nothingIn(folder));
  return documents;
}

function fileOf(persistence, folder) {
  const names = [`${persistence}.json`, ...(persistence === 'everysec' ? ['partial-everysec.json'] : [])];
  return names.find((name) => existsSync(join(folder, name)));
}

function documentFrom(file, persistence) {
  const text = readFileSync(file, 'utf8');
  const { made } = resultsFrom({ file, text, persistence });
  const lack = lackOf(made);
  if (lack !== undefined) throw new ToldError(`${file} is not taken: ${lack}`);
  return { persistence, text, isPartial: made.shortenedBy.length > 0 };
}

/** What a document lacks to be taken, or undefined. */
function lackOf({ failed, quick, shortenedBy, persistence }) {
  if (failed === undefined || shortenedBy === undefined)
    return 'it does not say how many runs failed, or what it left out';
  if (failed > 0) return `${failed} runs failed`;
  if (quick) return 'it is of a quick run';
  const allowed = persistence === 'everysec' ? ['measures', 'only'] : [];
  const forbidden = shortenedBy.filter((flag) => !allowed.includes(flag));
  return forbidden.length > 0 ? `it is shortened by --${forbidden.join(', --')}` : undefined;
}

function nothingIn(folder) {
  const others = readdirSync(folder).filter((name) => /^(?:quick|partial)-.*\.json$/.test(name));
  const also = others.length > 0 ? `; ${others.join(', ')} cannot be taken` : '';
  return `--take: ${folder} has no ${persistences.join('.json and no ')}.json${also}`;
}
