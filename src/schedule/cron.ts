import { CronDate, CronPattern } from 'croner';
import { shown } from '../duration.js';
import { invalid } from '../errors.js';
import { Kept } from './kept.js';

/**
 * Patterns, read and searched by croner, on a calendar without zones: `localMs` is what a clock on the wall shows, written as
 * if it were UTC. What zones do with it is of local-times.ts. Croner's own zones and timers are not used.
 */
export interface Cron {
  readonly pattern: CronPattern;
  /** Its field of hours begins with `*`: it follows elapsed time, not the hours of a day. */
  readonly isHourly: boolean;
  readonly hasSeconds: boolean;
}

const textLengthMax = 256;
const patternsKept = 4_000;
const utc = 0;
const options = {};
/** Croner's end of time: it looks no further than the year 3000. */
export const cronMsMax: number = Date.UTC(3000, 0);

/** A pattern of croner's lists all its 10,000 years, 80 kB of them: all patterns share one list. */
const everyYear: number[] = Array.from({ length: 10_000 }, () => 1);

const crons = new Kept({ max: patternsKept }, compiled);

/** One that `cronText` gave; the same pattern is read once. */
export function cronOf(text: string): Cron {
  return crons.of(text);
}

function compiled(text: string): Cron {
  const pattern = new CronPattern(text, undefined, { mode: '5-or-6-parts' });
  pattern.year = everyYear;
  const fields = text.split(' ');
  const hasSeconds = fields.length === 6;
  const hours = fields[hasSeconds ? 2 : 1] ?? '';
  return { pattern, hasSeconds, isHourly: text === '@hourly' || hours.startsWith('*') };
}

/** The pattern in the one form it is kept in; `ERR_INVALID_ARGUMENT` when it is none. */
export function cronText(value: unknown, field: string): string {
  const wanted = `${field} must be a pattern such as "0 3 * * *" or "*/10 8-18 * * MON-FRI"`;
  if (typeof value !== 'string') throw invalid(`${wanted}, got ${shown(value)}`);
  if (value.length > textLengthMax) throw invalid(`${wanted}, of at most ${textLengthMax} characters`);
  const text = normal(value);
  const fieldCount = text.split(' ').length;
  if (!text.startsWith('@') && fieldCount !== 5 && fieldCount !== 6) {
    throw invalid(
      `${field} must have five fields, or six with seconds first (years are not known), got ${shown(value)}`,
    );
  }
  try {
    cronOf(text);
  } catch (error) {
    throw invalid(`${wanted}, got ${shown(value)}: ${reasonOf(error)}`);
  }
  return text;
}

function normal(value: string): string {
  const text = value.trim().replaceAll(/\s+/g, ' ');
  return text.startsWith('@') ? text.toLowerCase() : text.toUpperCase().replaceAll('?', '*');
}

/** Croner's words, on one line and short. */
function reasonOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const line = words.replace(/^CronPattern: /, '').replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}

/** The first match after that time; null when there is none before the year 3000, nor in the 400 years in which the calendar comes round. */
export function nextMatch({ pattern }: Cron, afterLocalMs: number): number | null {
  if (afterLocalMs >= cronMsMax) return null;
  return new CronDate(new Date(afterLocalMs), utc).increment(pattern, options, false)?.getTime() ?? null;
}

/** Whether it names that second; with five fields, that minute. */
export function matches({ pattern, hasSeconds }: Cron, localMs: number): boolean {
  const wholeMs = hasSeconds ? 1_000 : 60_000;
  return new CronDate(new Date(localMs - (localMs % wholeMs)), utc).match(pattern, options);
}
