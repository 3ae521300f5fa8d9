/**
 * Holds the body of a script against its header. What can be wrong: an index of KEYS or ARGV that only one of them
 * knows, a local that has another name than the header gives the argument, a status that only one of them knows, a
 * returned table with another number of fields, a loop over ITEMS with the wrong start or step.
 *
 * It reads text, not Lua: every table that begins with a lower-case word in quotes counts as a reply.
 */
import { closingBracket, lineAt, splitList, withoutStrings } from './code.mjs';

/** `code` comes without comments. */
export function bodyProblems(code, header) {
  const problems = [];
  const blanked = withoutStrings(code);
  const body = { code, blanked, header, refuse: (at, message) => problems.push({ line: lineAt(code, at), message }) };
  const longBracket = blanked.search(/\[=*\[/);
  if (longBracket >= 0) body.refuse(longBracket, 'long brackets [[ ]] are not understood here: use quotes');
  for (const kind of ['KEYS', 'ARGV']) checkIndexes(body, kind);
  checkLocalNames(body);
  if (header.items) checkItemLoops(body);
  const produced = checkStatuses(body);
  return problems.concat(unusedProblems(body), neverProduced(header, produced));
}

const entriesOf = (header, kind) => (kind === 'KEYS' ? header.keys : header.args);

function checkIndexes({ blanked, header, refuse }, kind) {
  const count = entriesOf(header, kind).length;
  for (const { 0: match, 1: size, 2: index, index: at } of blanked.matchAll(indexUse(kind))) {
    const beyond = Number(index) > count && !(kind === 'ARGV' && header.items);
    if (index && (Number(index) < 1 || beyond)) {
      refuse(at, `${match} is not in the header, which ends at ${kind} ${count}`);
    } else if (!index && !size && (kind === 'KEYS' || !header.items)) {
      const rule = kind === 'KEYS' ? 'every key is written KEYS[number]' : 'only a script with ITEMS may do that';
      refuse(at, `${kind} used without a literal index: ${rule}`);
    }
  }
}

/** Every mention of KEYS or ARGV: `#ARGV` (its size), `ARGV[3]`, or anything else. */
const indexUse = (kind) => new RegExp(`(#\\s*)?\\b${kind}\\b(?:\\s*\\[\\s*(\\d+)\\s*\\])?`, 'g');

function unusedProblems({ blanked, header }) {
  const problems = [];
  for (const kind of ['KEYS', 'ARGV']) {
    const uses = [...blanked.matchAll(indexUse(kind))];
    entriesOf(header, kind).forEach(({ name, line }, index) => {
      if (uses.some((use) => Number(use[2]) === index + 1)) return;
      problems.push({ line, message: `${kind} ${index + 1} ${name} is in the header, the body never uses it` });
    });
    const readsItems = uses.some((use) => (use[2] ? Number(use[2]) > header.args.length : !use[1]));
    if (kind === 'ARGV' && header.items && !readsItems) {
      problems.push({ line: header.items[0].line, message: 'ITEMS is in the header, the body never reads them' });
    }
  }
  return problems;
}

/** `local a, b = KEYS[1], tonumber(ARGV[2])`: each must have the header's name; longer expressions may have any. */
function checkLocalNames({ blanked, header, refuse }) {
  for (const match of blanked.matchAll(/\blocal\s+([a-zA-Z_]\w*(?:\s*,\s*[a-zA-Z_]\w*)*)\s*=(?!=)/g)) {
    const names = splitList(match[1]);
    const values = splitList(expressionList(blanked, match.index + match[0].length));
    values.forEach((value, index) => {
      const [, , kind, number] = /^(tonumber\(\s*)?(KEYS|ARGV)\s*\[\s*(\d+)\s*\]\s*\)?\s*;?$/.exec(value) ?? [];
      const entry = kind && entriesOf(header, kind)[number - 1];
      const name = names[index];
      if (entry && name && name !== entry.name) {
        refuse(match.index, `${kind}[${number}] is "${entry.name}" in the header, the body calls it "${name}"`);
      }
    });
  }
}

/** The right side of an assignment: to the end of the line, and on while a bracket is open or a comma waits. */
function expressionList(code, start) {
  let end = start;
  let depth = 0;
  while (end < code.length) {
    const char = code[end];
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char)) depth -= 1;
    const soFar = code.slice(start, end).trimEnd();
    if (char === '\n' && depth <= 0 && soFar !== '' && !soFar.endsWith(',')) break;
    end += 1;
  }
  return code.slice(start, end);
}

/** `for i = 4, #ARGV, 3`: starts inside the first item and steps by whole items. */
function checkItemLoops({ blanked, header, refuse }) {
  const first = header.args.length + 1;
  const width = header.items.length;
  for (const match of blanked.matchAll(/\bfor\s+\w+\s*=\s*(\d+)\s*,\s*#\s*ARGV\s*(?:,\s*(\d+)\s*)?\bdo\b/g)) {
    const start = Number(match[1]);
    const step = Number(match[2] ?? 1);
    if (start < first || start >= first + width || step !== width) {
      refuse(match.index, `the items start at ARGV[${first}] and are ${width} wide; this loop goes ${start}, ${step}`);
    }
  }
}

/** Returns the statuses the body can answer with. */
function checkStatuses({ code, blanked, header, refuse }) {
  const produced = new Set();
  for (const match of blanked.matchAll(/(\breturn\s*)?\{\s*(['"]_+['"])/g)) {
    const [whole, returned, quoted] = match;
    const end = match.index + whole.length - 1;
    const status = code.slice(end - quoted.length + 2, end);
    if (!/^[a-z_]+$/.test(status)) continue;
    const reply = header.replies.find((candidate) => candidate.status === status);
    produced.add(status);
    if (!reply) {
      const hint = 'a table that is no reply must not begin so';
      refuse(match.index, `{'${status}' is no status of the header (${hint})`);
    } else if (returned) {
      checkReturned({ reply, start: blanked.indexOf('{', match.index), blanked, refuse });
    }
  }
  return produced;
}

const neverProduced = (header, produced) =>
  header.replies
    .filter(({ status }) => !produced.has(status))
    .map(({ status, line }) => ({
      line,
      message: `status "${status}" is in the header, the body has no {'${status}', …}`,
    }));

/** A table returned as it stands has the header's number of fields; only optional ones may be left out at the end. */
function checkReturned({ reply, start, blanked, refuse }) {
  const values = splitList(blanked.slice(start + 1, closingBracket(blanked, start))).filter((value) => value !== '');
  const got = values.length - 1;
  if (/^unpack\b/.test(values.at(-1))) return; // any number of values
  const needed = reply.fields.findLastIndex(({ type }) => !(typeof type === 'string' && type.endsWith('?'))) + 1;
  if (got < needed || got > reply.fields.length) {
    refuse(start, `{'${reply.status}'} is returned with ${got} fields, the header has ${reply.fields.length}`);
  }
}
