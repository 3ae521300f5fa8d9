import { invalid } from './errors.js';

/**
 * A length of time as users write it: ms as a number, or text in which each number has its unit, the larger unit
 * first: '250ms', '90s', '1.5h', '1h30m'. A bare '90' is refused, not guessed at: one reader's ms, another's seconds.
 */
export type Duration = number | string;

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A hundred years: longer than any task waits, and far inside what a double counts exactly. */
export const durationMsMax: number = 36_525 * dayMs;

const unitsMs = [7 * dayMs, dayMs, hourMs, minuteMs, secondMs, 1];
/** Every count of digits is bounded, so that no text makes the match slow and no part leaves the safe integers. */
const amount = '(\\d{1,15}(?:\\.\\d{1,6})?)';
const pattern = new RegExp(`^${['w', 'd', 'h', 'm', 's', 'ms'].map((unit) => `(?:${amount}${unit})?`).join('')}$`);

/** The duration in whole ms, fractions of a ms rounded up; `ERR_INVALID_ARGUMENT` when it is none or out of range. */
export function durationMs(value: Duration, field: string, range: { min?: number; max?: number } = {}): number {
  const ms = wholeMs(value);
  if (ms === undefined || Number.isNaN(ms)) throw notADuration(value, field);
  const { min = 0, max = durationMsMax } = range;
  if (ms < min || ms > max) {
    throw invalid(`${field} must be from ${formatDuration(min)} to ${formatDuration(max)}, got ${shown(value)}`);
  }
  return ms === 0 ? 0 : ms; // -0 would be printed as a minus by some
}

function wholeMs(value: unknown): number | undefined {
  if (typeof value === 'string') return parsedMs(value);
  if (typeof value !== 'number') return undefined;
  return value < 0 ? Math.floor(value) : Math.ceil(value); // -0.5 is a negative, to be refused as one
}

function parsedMs(text: string): number | undefined {
  const parts = pattern.exec(text);
  if (parts === null || text === '') return undefined;
  return unitsMs.reduce((totalMs, unitMs, index) => totalMs + partMs(parts[index + 1], unitMs), 0);
}

/** In whole numbers: 1.1 × 3,600,000 is not 3,960,000 in binary fractions, and rounding up would show it. */
function partMs(part: string | undefined, unitMs: number): number {
  if (part === undefined) return 0;
  const [whole, fraction = ''] = part.split('.');
  return Number(whole) * unitMs + Math.ceil((Number(fraction) * unitMs) / 10 ** fraction.length);
}

function notADuration(value: unknown, field: string): Error {
  if (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value)) {
    const digits = value.length <= 15 ? value : '90';
    return invalid(`${field} needs a unit, such as ${digits}s or ${digits}ms, got ${shown(value)}`);
  }
  return invalid(`${field} must be a duration such as 250ms, 90s or 1h30m, got ${shown(value)}`);
}

/** The shortest text that `durationMs` reads back as the same whole ms: '1h30m', '1.5s', '250ms', '0ms'. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  if (ms < 0) return `-${formatDuration(-ms)}`;
  let restMs = Math.round(ms);
  let text = '';
  for (const [unitMs, unit] of [
    [dayMs, 'd'],
    [hourMs, 'h'],
    [minuteMs, 'm'],
  ] as const) {
    if (restMs >= unitMs) text += `${Math.floor(restMs / unitMs)}${unit}`;
    restMs %= unitMs;
  }
  if (restMs >= secondMs) return `${text}${restMs / secondMs}s`;
  return restMs > 0 || text === '' ? `${text}${restMs}ms` : text;
}

/** A refused option as its error message shows it: on one line and short; of things, only the kind. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
