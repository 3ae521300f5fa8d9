import { BugError, DuestreamError } from '../errors.js';
import type { Reply } from './reply.js';

/**
 * What the generated bindings put a call into words with, and read its reply by. Each has its own code, made from the header
 * of the script: one that serves all of them meets objects of every shape, which costs each more than what it does.
 *
 * `where` says script and field, for the error. What we pass is our own bug when it does not fit; a reply that has not
 * the form of its header too, for the build holds header and body together. A field that does not fit may come from what others
 * wrote into Redis: ERR_REDIS_REPLY, which ends no loop.
 */

/** A key or an argument. Lua would read 'NaN' as a number, and 'undefined' as a name: they stop here. */
export function word(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw new BugError(`${where} must be a string or an integer, got ${shown(value)}`);
}

/** The reply of a status that has so many fields; fewer, for a reply ends where Lua has a nil. */
export function atMost(fields: number, reply: readonly Reply[], where: string): void {
  const found = reply.length - 1;
  if (found > fields) throw new BugError(`${where} has ${fields} fields, got ${found}`);
}

/** A reply of no status that the script has. */
export function strange(reply: Reply, script: string, statuses: string): BugError {
  return new BugError(`${script}: expected {${statuses}, …}, got ${shown(reply)}`);
}

export function aString(value: Reply | undefined, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw misfit(where, 'string', value);
}

/** Undefined is a field missing at the end, which was nil in Lua. */
export function aStringOrNull(value: Reply | undefined, where: string): string | null {
  return value === null || value === undefined ? null : aString(value, where);
}

/** As a number of Lua, or in digits. */
export function anInt(value: Reply | undefined, where: string): number {
  const number = typeof value === 'string' ? Number(value) : value;
  const fits = typeof number === 'number' && Number.isSafeInteger(number);
  if (fits && (value === number || String(number) === value)) return number;
  throw misfit(where, 'int', value);
}

export function anIntOrNull(value: Reply | undefined, where: string): number | null {
  return value === null || value === undefined ? null : anInt(value, where);
}

export function strings(value: Reply | undefined, where: string): string[] {
  const each = `${where}[]`;
  return listOf(value, where).map((element) => aString(element, each));
}

export function ints(value: Reply | undefined, where: string): number[] {
  const each = `${where}[]`;
  return listOf(value, where).map((element) => anInt(element, each));
}

/** A flat list of groups of `size` elements; `read` is given where in it a group begins. */
export function groups<G>(
  value: Reply | undefined,
  { size, where, read }: { size: number; where: string; read: (list: readonly Reply[], at: number) => G },
): G[] {
  const list = listOf(value, where);
  if (list.length % size !== 0) throw misfit(where, `groups of ${size}`, value);
  const found: G[] = [];
  for (let at = 0; at < list.length; at += size) found.push(read(list, at));
  return found;
}

function listOf(value: Reply | undefined, where: string): readonly Reply[] {
  if (Array.isArray(value)) return value;
  throw misfit(where, 'a list', value);
}

function misfit(where: string, expected: string, value: unknown): DuestreamError {
  return new DuestreamError('ERR_REDIS_REPLY', `${where} must be ${expected}, got ${kindOf(value)}`);
}

/** Never the value, for it may be a payload. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : `another ${typeof value}`;
}

/** Short, for a reply may carry whole payloads. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
