import { shown } from '../duration.js';
import { invalid } from '../errors.js';
import { instantMs } from '../instant.js';
import { cronText } from './cron.js';
import type { Exclude } from './rule.js';

const exclusionsMax = 1_000;
const patternsMax = 20;
const dateForm = /^\d{4}-\d\d-\d\d$/;

export const nothingExcluded: Exclude = Object.freeze({ dates: none(), timesMs: none(), crons: none() });

function none(): readonly never[] {
  return Object.freeze([]);
}

/** The exclusions of a timing as they are kept. */
export function excludeOf(value: unknown): Exclude {
  if (value === undefined) return nothingExcluded;
  if (!Array.isArray(value)) throw invalid(`exclude must be an array, got ${shown(value)}`);
  if (value.length > exclusionsMax)
    throw invalid(`exclude must have at most ${exclusionsMax} entries, got ${value.length}`);
  const entries: readonly unknown[] = Array.from(value);
  const texts = entries.filter((entry) => typeof entry === 'string');
  const dates = texts.filter((text) => dateForm.test(text));
  const times = texts.filter((text) => !dateForm.test(text));
  const crons = entries.filter((entry) => typeof entry !== 'string').map(patternOf);
  if (crons.length > patternsMax)
    throw invalid(`exclude must have at most ${patternsMax} patterns, got ${crons.length}`);
  for (const date of dates) checkDate(date);
  return Object.freeze({
    dates: sorted(dates),
    timesMs: Object.freeze([...new Set(times.map(timeOf))].toSorted((a, b) => a - b)),
    crons: sorted(crons),
  });
}

function sorted(texts: readonly string[]): readonly string[] {
  return Object.freeze([...new Set(texts)].toSorted());
}

const wanted = 'exclude must hold dates such as 2027-12-24, times such as 2027-12-24T09:00Z, or {cron}';

function patternOf(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null || Object.keys(entry).join() !== 'cron') {
    throw invalid(`${wanted}, got ${shown(entry)}`);
  }
  return cronText((entry as { cron: unknown }).cron, 'exclude.cron');
}

/** Date rolls February 30 over into March: only what reads back the same exists. */
function checkDate(date: string): void {
  const ms = Date.parse(date);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date) {
    throw invalid(`exclude must hold dates that exist, got ${shown(date)}`);
  }
}

function timeOf(text: string): number {
  if (!/^\d{4}-/.test(text)) throw invalid(`${wanted}, got ${shown(text)}`);
  return instantMs(text, 'exclude');
}
