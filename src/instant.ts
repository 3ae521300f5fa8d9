import { types } from 'node:util';
import { type Duration, durationMs, shown } from './duration.js';
import { invalid } from './errors.js';

/** A point in time as users write it: a Date, epoch ms, or ISO 8601 text that says its offset from UTC. */
export type Instant = Date | number | string;

/** The last ms of the year 9999: the last that ISO 8601 writes in four digits. */
export const instantMsMax = 253_402_300_799_999;

/** Smaller as ms is before March 1973, which nobody plans for; as seconds it is any date up to the year 5138. */
const secondsBelow = 100_000_000_000;

const isoPattern = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/;
const withoutOffset = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/;
const example = '2027-01-02T03:04+01:00 or 2027-01-02T03:04Z';

/** The instant in whole epoch ms, rounded up (a task is never early); `ERR_INVALID_ARGUMENT` when it is none. */
export function instantMs(value: Instant, field: string): number {
  const ms = Math.ceil(unroundedMs(value, field));
  if (ms > 0 && ms <= instantMsMax) return ms;
  throw invalid(`${field} must lie after 1970-01-01T00:00Z and before the year 10000, got ${instantShown(value)}`);
}

function unroundedMs(value: unknown, field: string): number {
  if (typeof value === 'string') return isoMs(value, field);
  if (typeof value === 'number' && !Number.isNaN(value)) {
    if (value <= 0 || value >= secondsBelow) return value;
    throw invalid(`${field} looks like seconds since 1970: give milliseconds (got ${value})`);
  }
  if (types.isDate(value)) {
    const ms = value.getTime();
    if (Number.isNaN(ms)) throw invalid(`${field} must be a valid Date, got Invalid Date`);
    return ms;
  }
  throw invalid(`${field} must be a Date, epoch ms or a time such as ${example}, got ${shown(value)}`);
}

function isoMs(text: string, field: string): number {
  const parts = isoPattern.exec(text);
  if (parts === null) {
    // Read as local time, the same text would mean another instant on another machine.
    if (withoutOffset.test(text)) throw invalid(`${field} must say its offset, such as ${example}, got ${shown(text)}`);
    throw invalid(`${field} must be a Date, epoch ms or a time such as ${example}, got ${shown(text)}`);
  }
  const [, date, minutes, seconds = '00', fraction = '', sign = '+', offsetHours = '00', offsetMinutes = '00'] = parts;
  const utc = `${date}T${minutes}:${seconds}.000Z`;
  const utcDate = new Date(utc);
  // Date rolls February 30 over into March and 24:00 into the next day: only what reads back the same exists.
  const exists = !Number.isNaN(utcDate.getTime()) && utcDate.toISOString() === utc;
  if (!exists || Number(offsetHours) > 14 || Number(offsetMinutes) > 59) {
    throw invalid(`${field} must be a time that exists, got ${shown(text)}`);
  }
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -60_000 : 60_000);
  return utcDate.getTime() + fractionMs(fraction) - offsetMs;
}

/** By digits, not by a multiplication whose binary error rounding up would turn into a ms. */
function fractionMs(digits: string): number {
  return Number(digits.slice(0, 3).padEnd(3, '0')) + (/[1-9]/.test(digits.slice(3)) ? 1 : 0);
}

function instantShown(value: Instant): string {
  return types.isDate(value) ? value.toISOString() : shown(value);
}

/**
 * When a task is due, in the form the scripts take: '+N' is N ms after the server's now, 'N' is epoch ms. Neither given
 * is now. `in` stays relative until the script that writes it, for only the server's clock counts.
 */
export function whenOf(when: { in?: Duration | undefined; at?: Instant | undefined }): string {
  if (when.in !== undefined && when.at !== undefined) throw invalid('give either in or at, not both');
  if (when.at !== undefined) return String(instantMs(when.at, 'at'));
  return `+${when.in === undefined ? 0 : durationMs(when.in, 'in')}`;
}
