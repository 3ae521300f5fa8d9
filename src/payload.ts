import { types } from 'node:util';
import { DuestreamError } from './errors.js';

/**
 * Payloads are kept as JSON, and a handler must get what the producer gave. So whatever JSON would drop or change is
 * refused here, before anything is written, with the path to it. Messages name paths and kinds, never values: payloads
 * hold what must not be in logs.
 *
 * What is let through though it does not come back the same: -0 (comes back as 0, and -0 === 0), an object without
 * a prototype (comes back with one), extra properties of arrays and hidden (non-enumerable) ones (not looked for: it
 * would cost every payload more than the whole walk). A getter is read twice, once by the walk and once by JSON.
 */

/** Half of what readers in other languages take by default (Python and cjson stop at 1,000). */
const depthMax = 500;

/** What can't be kept. `keys` and `holders` lead to it, innermost first: they are gathered on the way back up. */
interface Fault {
  what: string;
  keys: (string | number)[];
  holders: object[];
  isTooDeep?: boolean;
}

/** Counts down what the JSON takes at least, so that a huge or thousandfold shared object is refused half-way. */
interface Budget {
  bytesLeft: number;
  readonly maxBytes: number;
}

/** The JSON text of a payload; `ERR_INVALID_PAYLOAD` when JSON would change it, or it is over `maxBytes` as UTF-8. */
export function encodePayload(value: unknown, { maxBytes }: { maxBytes: number }): string {
  let text: string;
  try {
    const fault = faultIn(value, 0, { bytesLeft: maxBytes, maxBytes });
    if (fault !== undefined) throw refused(messageOfFault(fault));
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof DuestreamError) throw error;
    throw refused('payload has a property that throws when it is read', error);
  }
  if (text.length * 3 <= maxBytes) return text; // a UTF-16 unit takes at most 3 bytes: no need to count
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw refused(`payload must be at most ${maxBytes} bytes of JSON, got ${bytes}`);
  return text;
}

function faultIn(value: unknown, depth: number, budget: Budget): Fault | undefined {
  budget.bytesLeft -= typeof value === 'string' ? value.length + 2 : 1;
  if (budget.bytesLeft < 0) throw refused(`payload must be at most ${budget.maxBytes} bytes of JSON, got more`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : faultOf(`${value}, which JSON turns into null`);
    case 'object':
      if (value === null) return undefined;
      if (depth === depthMax) return { ...faultOf(`nested deeper than ${depthMax} levels`), isTooDeep: true };
      return Array.isArray(value) ? faultInArray(value, depth, budget) : faultInObject(value, depth, budget);
    case 'undefined':
      return faultOf('undefined, which JSON does not have: leave it out, or pass null');
    case 'bigint':
      return faultOf('a BigInt, which JSON does not have: pass a string');
    default:
      return faultOf(`a ${typeof value}, which JSON does not have`);
  }
}

function faultInArray(items: unknown[], depth: number, budget: Budget): Fault | undefined {
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const isHole = item === undefined && !(index in items);
    const fault = isHole ? faultOf('a hole, which JSON turns into null') : faultIn(item, depth + 1, budget);
    if (fault !== undefined) return within(items, index, fault);
  }
  return hasToJson(items) ? faultOf('an array with a toJSON method: pass what it returns') : undefined;
}

function faultInObject(holder: object, depth: number, budget: Budget): Fault | undefined {
  if (!isPlain(holder)) return faultOf(kindOf(holder));
  const entries = holder as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    budget.bytesLeft -= key.length + 3;
    const fault = faultIn(entries[key], depth + 1, budget);
    if (fault !== undefined) return within(holder, key, fault);
  }
  if (hasToJson(holder)) return faultOf('an object with a toJSON method: pass what it returns');
  if (Object.getOwnPropertySymbols(holder).length > 0) return faultOf('an object with symbol keys, which JSON drops');
  return undefined;
}

function faultOf(what: string): Fault {
  return { what, keys: [], holders: [] };
}

function within(holder: object, key: string | number, fault: Fault): Fault {
  fault.keys.push(key);
  fault.holders.push(holder);
  return fault;
}

/** Also one that is hidden or comes from a changed Object.prototype: JSON.stringify would call it. */
function hasToJson(holder: object): boolean {
  return typeof (holder as { toJSON?: unknown }).toJSON === 'function';
}

function isPlain(holder: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(holder);
  if (prototype === Object.prototype || prototype === null) return true;
  // Object.prototype of another realm (a vm context, a test runner's): the top of its chain, with Object's own methods.
  const isTop = Object.getPrototypeOf(prototype) === null;
  return isTop && Object.hasOwn(prototype as object, 'propertyIsEnumerable');
}

function kindOf(holder: object): string {
  if (types.isDate(holder)) return 'a Date, which JSON turns into a string: pass its toISOString()';
  if (types.isMap(holder)) return 'a Map, which JSON empties: pass Object.fromEntries() of it';
  if (types.isSet(holder)) return 'a Set, which JSON empties: pass an array';
  if (types.isRegExp(holder)) return 'a RegExp, which JSON empties: pass its source';
  if (types.isNativeError(holder)) return 'an Error, which JSON empties: pass its message';
  if (types.isPromise(holder)) return 'a Promise: await it first';
  if (ArrayBuffer.isView(holder) || types.isAnyArrayBuffer(holder)) return 'binary: pass a string, such as base64';
  const name: unknown = holder.constructor?.name;
  const of = typeof name === 'string' && name !== '' ? cut(name) : 'a class';
  return `an instance of ${of}, which JSON takes apart: pass a plain object or a string`;
}

function messageOfFault({ what, keys, holders, isTooDeep = false }: Fault): string {
  const path = keys.toReversed();
  return (isTooDeep ? cycleMessage(path, holders.toReversed()) : undefined) ?? `${pathText(path)} is ${what}`;
}

/** An object that contains itself is walked in circles down to the depth limit: then it stands in its own path. */
function cycleMessage(path: (string | number)[], holders: object[]): string | undefined {
  const again = holders.findIndex((holder, index) => holders.indexOf(holder) < index);
  const first = holders[again];
  if (first === undefined) return undefined;
  const back = path.slice(0, holders.indexOf(first));
  return `${pathText(path.slice(0, again))} is ${pathText(back)} again: a cycle, which JSON does not have`;
}

function pathText(path: (string | number)[]): string {
  const text = `payload${path.map(stepText).join('')}`;
  return text.length <= 200 ? text : `${text.slice(0, 120)}…${text.slice(-60)}`;
}

function stepText(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_$][\w$]{0,39}$/.test(key) ? `.${key}` : `[${JSON.stringify(cut(key))}]`;
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function refused(message: string, cause?: unknown): DuestreamError {
  return new DuestreamError('ERR_INVALID_PAYLOAD', message, cause === undefined ? undefined : { cause });
}
