import { readFile, stat } from 'node:fs/promises';
import type { WantedSchedule } from '../index.js';
import { codeOf, usage } from './failure.js';
import { hasUnsafeInteger, jsonBytesMax, readStdin } from './payload-text.js';

/**
 * A file of schedules: `{ schedules: { <name>: { cron, tz, …, task: { name, payload, … } } } }`, in YAML or JSON. What may stand
 * in a schedule is for the library to say. Errors tell the line, never what is written there: it may be a payload.
 */
export async function readScheduleFile(file: string): Promise<Readonly<Record<string, WantedSchedule>>> {
  const isStdin = file === '-';
  const text = isStdin ? await readStdin('the file') : await textOf(file);
  const what = isStdin ? 'the file on stdin' : file;
  const document = await (file.endsWith('.json') ? readJson(text, what) : readYaml(text, what));
  return schedulesOf(document, what);
}

function schedulesOf(document: unknown, what: string): Readonly<Record<string, WantedSchedule>> {
  const expected = 'expected "schedules" at its top, with a schedule for each name';
  if (!isObject(document)) throw usage(`${what} has no schedules: ${expected}`);
  const unknown = Object.keys(document).find((name) => name !== 'schedules');
  if (unknown !== undefined) throw usage(`${what}: unknown field ${JSON.stringify(unknown.slice(0, 40))}: ${expected}`);
  const { schedules } = document;
  if (!isObject(schedules))
    throw usage(`${what} has no schedules: ${expected}; write "schedules: {}" when there are none`);
  return withUnits(schedules, durations) as Readonly<Record<string, WantedSchedule>>;
}

/** Where a duration stands, under each name. */
type Durations = { readonly [name: string]: true | Durations };

const ofTask: Durations = { timeout: true, expiresIn: true, backoff: { delay: true, max: true } };
const durations: Durations = { '*': { every: true, jitter: true, window: true, task: ofTask } };

/**
 * In code a number is ms, and its type says so. Here `every: 15` may be meant as seconds or minutes: it becomes a text without a
 * unit, which the library refuses, with its name and what to write.
 */
function withUnits(value: unknown, at: Durations): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]) => {
    const inner = Object.hasOwn(at, name) ? at[name] : at['*'];
    if (inner === true) return [name, typeof item === 'number' ? String(item) : item] as const;
    return [name, inner === undefined ? item : withUnits(item, inner)] as const;
  });
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> & { schedules?: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function textOf(file: string): Promise<string> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw usage(`${file} is a directory: name a file of schedules`);
    if (found.size > jsonBytesMax) throw usage(`${file} is longer than ${jsonBytesMax} bytes: make several of it`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw usage(`no such file: ${file}`);
    if (codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw usage(`${file} is not text in UTF-8`);
    if (codeOf(error) !== '') throw usage(`can't read ${file}: ${codeOf(error)}`);
    throw error;
  }
}

async function readJson(text: string, what: string): Promise<unknown> {
  let document: unknown;
  try {
    document = JSON.parse(text) as unknown;
  } catch (error) {
    const line = await faultLine(text, error instanceof Error ? error.message : '');
    throw usage(`${what} is not JSON${line === undefined ? '' : `: line ${line}`}`);
  }
  if (hasUnsafeInteger(text)) throw tooManyDigits(what);
  const twice = await twiceLine(text);
  if (twice !== undefined) throw usage(`${what}: line ${twice}, a name stands there twice`);
  return document;
}

/** Of two values under one name JSON takes the last, and says nothing. */
async function twiceLine(text: string): Promise<number | undefined> {
  const { parseDocument } = await import('yaml');
  const fault = parseDocument(text, { schema: 'json', prettyErrors: false }).errors.find(
    ({ code }) => code === 'DUPLICATE_KEY',
  );
  return fault && lineAt(text, fault.pos[0]);
}

/** Node says where for some errors only; YAML, of which JSON is a part, finds most of the others. */
async function faultLine(text: string, message: string): Promise<number | undefined> {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  if (position !== undefined) return lineAt(text, Number(position));
  if (/end of JSON input/.test(message)) return lineAt(text, text.length);
  const { parseDocument } = await import('yaml');
  const [fault] = parseDocument(text, { schema: 'json', prettyErrors: false }).errors;
  return fault && lineAt(text, fault.pos[0]);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Loaded only here: no other verb needs it. Of YAML 1.2 what is JSON too: no times, no tags, few aliases. */
async function readYaml(text: string, what: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  let document: unknown;
  try {
    const parsed = parseDocument(text, { schema: 'core', prettyErrors: false, intAsBigInt: true, logLevel: 'error' });
    const [fault] = [...parsed.errors, ...parsed.warnings];
    if (fault) throw notYaml(text, { what, offset: fault.pos[0], message: fault.message });
    document = parsed.toJS({ maxAliasCount: aliasesMax });
  } catch (error) {
    if (error instanceof RangeError) throw nestedTooDeeply(what);
    if (!(error instanceof ReferenceError)) throw error;
    throw usage(`${what} is not YAML: an alias (*name) without its anchor (&name), or too many of them${quotesHint}`);
  }
  return plain(document, what);
}

const aliasesMax = 100;
const depthMax = 100;
const quotesHint = '; a pattern that begins with * needs quotes';

function notYaml(text: string, { what, offset, message }: { what: string; offset: number; message: string }): Error {
  if (message.includes('call stack')) return nestedTooDeeply(what);
  if (message.includes('multiple documents')) return usage(`${what} has more than one document: make files of them`);
  const [words = ''] = message.split(/[:"'`\\!]/); // behind these it repeats what is written there
  const line = lineAt(text, offset);
  const hint = /^[^#]*:\s*\*/.test(text.split('\n')[line - 1] ?? '') ? quotesHint : '';
  return usage(`${what} is not YAML: line ${line}, ${words.trim().replace(/\.$/, '')}${hint}`);
}

/** Numbers as JavaScript has them, and nothing that leads back into itself. */
function plain(value: unknown, what: string, depth = 0): unknown {
  if (depth > depthMax) throw nestedTooDeeply(what);
  if (typeof value === 'bigint') {
    if (BigInt(Number(value)) !== value) throw tooManyDigits(what);
    return Number(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, what, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item, what, depth + 1)]));
}

function nestedTooDeeply(what: string): Error {
  return usage(`${what} is nested more than ${depthMax} deep, or leads back into itself`);
}

function tooManyDigits(what: string): Error {
  return usage(`${what} has a number with more digits than JSON numbers keep in JavaScript: write it in quotes`);
}
