/**
 * Reads the header of a script, which is its contract:
 *
 *   #!lua flags=allow-oom                                   (optional, first)
 *   -- promote: move due tasks to the stream.               (the file's name, then one sentence)
 *   --
 *   -- KEYS  1 meta    hash    free comment                 (one entry a line; deeper lines go on with the comment)
 *   --       2 stream  stream
 *   -- ARGV  1 now_ms  int     0 = this server's clock      (int or string)
 *   -- ITEMS id string, record string                       (optional: groups of arguments after the fixed ones)
 *   -- REPLY ok {promoted int, lags int[],                  (one status a line; braces may go over several)
 *   --           expired [id string, name string]}
 *   --       paused
 *   --
 *   -- Free text, before and after; an empty comment line ends a section.
 *
 * Field types: int, string, int?, string?, int[], string[], and [a int, b string] for groups in one flat array.
 */
import { splitList } from './code.mjs';
import { helperNames } from './readers.mjs';

const nameForm = /^[a-z][a-z0-9_]*$/;
const fileNameForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const keyTypes = ['string', 'hash', 'zset', 'set', 'list', 'stream', 'channel'];
const scalarTypes = ['int', 'string', 'int?', 'string?'];
const listTypes = ['int[]', 'string[]'];
/** Names that can't be an exported const of a module, or that the generated file uses itself. */
const takenNames = new Set([
  ...helperNames,
  ...`arguments await break case catch class const continue debugger default delete do else enum eval export extends false
   finally for function if implements import in instanceof interface let new null package private protected public
   return scripts static super switch this throw true try typeof var void while with yield`.split(/\s+/),
]);

export const camelCase = (name) => name.replace(/[-_]+([a-z0-9])/g, (_, char) => char.toUpperCase());

/** The header's parts, each with its line, and what is wrong with it. */
export function parseHeader(text, fileName) {
  const problems = [];
  const refuse = (line, message) => void problems.push({ line, message });
  const lines = headerLines(text, refuse);
  const summary = parseSummary(lines[0], fileName, refuse);
  const sections = splitSections(lines.slice(1), refuse);
  const header = {
    name: fileName,
    summary,
    keys: numberedEntries(sections.KEYS, { kind: 'KEYS', types: keyTypes, refuse }),
    args: numberedEntries(sections.ARGV, { kind: 'ARGV', types: ['int', 'string'], refuse }),
    items: parseItems(sections.ITEMS, refuse),
    replies: parseReplies(sections.REPLY, refuse),
  };
  if (header.replies.length === 0 && problems.length === 0) refuse(1, 'the header has no REPLY');
  if (header.items && header.args.some((arg) => arg.name === 'items')) {
    refuse(header.items[0]?.line ?? 1, 'an argument named items clashes with ITEMS');
  }
  return { header, problems };
}

/** The first block of comment lines, without their dashes. */
function headerLines(text, refuse) {
  const lines = text.split('\n').map((line, index) => ({ line: index + 1, text: line }));
  if (lines[0].text.startsWith('#!')) {
    const shebang = lines.shift();
    if (!/^#!lua( flags=[a-z,-]+)?$/.test(shebang.text)) refuse(1, `expected "#!lua flags=…", got "${shebang.text}"`);
  }
  const end = lines.findIndex(({ text }) => !text.startsWith('--'));
  return lines.slice(0, end < 0 ? lines.length : end).map(({ line, text }) => ({ line, text: text.slice(2) }));
}

function parseSummary(first, fileName, refuse) {
  if (!fileNameForm.test(fileName) || takenNames.has(camelCase(fileName))) {
    refuse(1, `"${fileName}" can't name a script: it must be kebab-case and free in TypeScript`);
  }
  const [, name, summary] = /^ (\S+): (.+)$/.exec(first?.text ?? '') ?? [];
  if (!name) refuse(first?.line ?? 1, `the first comment line must be "-- ${fileName}: what it does"`);
  else if (name !== fileName) refuse(first.line, `the header names "${name}", the file is "${fileName}.lua"`);
  return summary;
}

/** The lines of each section; what lies between the sections is free text. */
function splitSections(lines, refuse) {
  const sections = {};
  let current;
  for (const { line, text } of lines) {
    const [, keyword] = /^ (KEYS|ARGV|ITEMS|REPLY)\b/.exec(text) ?? [];
    if (keyword && sections[keyword]) refuse(line, `${keyword} twice in the header`);
    if (keyword) current = sections[keyword] = [];
    else if (text.trim() === '') current = undefined;
    current?.push({ line, text: keyword ? text.replace(keyword, ' '.repeat(keyword.length)) : text });
  }
  return sections;
}

const columnOf = (text) => text.length - text.trimStart().length;

function numberedEntries(lines = [], { kind, types, refuse }) {
  const entries = [];
  for (const { line, text } of lines) {
    if (columnOf(text) > columnOf(lines[0].text)) {
      entries.at(-1).comment += ` ${text.trim()}`;
      continue;
    }
    const [, number, name, type, comment] = /^\s*(\d+)\s+(\S+)\s+(\w+)(?![\w?[])[,;:]?\s*(.*)$/.exec(text) ?? [];
    const expected = entries.length + 1;
    if (!number) refuse(line, `expected "${kind} ${expected} name type  comment", got "${text.trim()}"`);
    else if (Number(number) !== expected) refuse(line, `${kind} ${number} is numbered wrongly: expected ${expected}`);
    if (type && !types.includes(type))
      refuse(line, `${kind} ${name}: the type must be ${types.join(', ')}, got ${type}`);
    if (name) checkName({ line, name }, entries, refuse);
    entries.push({ name: name ?? '', type, comment: comment ?? '', line });
  }
  return entries;
}

function checkName({ line, name }, earlier, refuse) {
  if (!nameForm.test(name)) refuse(line, `"${name}" is no name: expected snake_case`);
  if (earlier.some((other) => camelCase(other.name) === camelCase(name))) refuse(line, `"${name}" stands twice`);
}

function parseItems(lines, refuse) {
  if (!lines) return undefined;
  const { line } = lines[0];
  const text = lines.map((part) => part.text.trim()).join(' ');
  // Two spaces end the list; what follows is a comment.
  const fields = parseFields(/^(.*?)( {2,}.*)?$/.exec(text)[1], { line, refuse, types: ['int', 'string'] });
  if (fields.length === 0) refuse(line, 'ITEMS needs fields: "ITEMS id string, record string"');
  return fields;
}

function parseReplies(lines = [], refuse) {
  const replies = [];
  for (let at = 0; at < lines.length; at += 1) {
    const { line, text } = lines[at];
    if (columnOf(text) > columnOf(lines[0].text)) continue; // the comment above goes on
    let entry = text.trim();
    while (depthOf(entry) > 0 && at + 1 < lines.length) entry += ` ${lines[++at].text.trim()}`;
    const [, status, fields] = /^([a-z_]+)\s*(?:\{([^{}]*)\}(?!\s*\|)|(?= {2,}\S)|$)/.exec(entry) ?? [];
    if (!status) refuse(line, `expected "status {field type, …}" and an empty comment line at the end, got "${entry}"`);
    else if (replies.some((reply) => reply.status === status)) refuse(line, `status "${status}" stands twice`);
    else replies.push({ status, line, fields: parseFields(fields ?? '', { line, refuse, types: null }) });
  }
  return replies;
}

const depthOf = (text) => text.split('{').length - text.split('}').length;

/** `a int, b string[]`. Without `types` every type of a reply is allowed, and `status` is taken. */
function parseFields(text, { line, refuse, types }) {
  const fields = [];
  for (const part of splitList(text)) {
    const [, name, written] = /^(\S+)\s+(.+)$/.exec(part) ?? [];
    if (!name) {
      refuse(line, `expected "name type", got "${part}"`);
      continue;
    }
    checkName({ line, name }, fields, refuse);
    if (!types && name === 'status') refuse(line, "a field can't be named status: that is the first word of the reply");
    fields.push({ name, type: parseType({ name, written }, { line, refuse, types }), line });
  }
  return fields;
}

function parseType({ name, written }, { line, refuse, types }) {
  const [, group] = types ? [] : (/^\[(.+)\]$/.exec(written) ?? []);
  if (group) return parseFields(group, { line, refuse, types: scalarTypes });
  const allowed = types ?? [...scalarTypes, ...listTypes];
  if (!allowed.includes(written)) refuse(line, `${name}: the type must be ${allowed.join(', ')}, got "${written}"`);
  return written;
}
