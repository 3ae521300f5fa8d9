/** Reading Lua just far enough: comments, strings and brackets. Long brackets (`[[`) are refused in body.mjs. */

const commentOrString = /--[^\n]*|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/g;

/** The code with every comment turned into spaces: same length, same lines. A shebang counts as a comment. */
export function withoutComments(text) {
  const code = text.replace(/^#![^\n]*/, (shebang) => ' '.repeat(shebang.length));
  return code.replace(commentOrString, (match) => (match.startsWith('--') ? ' '.repeat(match.length) : match));
}

/** The code with the inside of every string turned into underscores: same length, same lines. */
export function withoutStrings(code) {
  return code.replace(commentOrString, (match) => match[0] + '_'.repeat(match.length - 2) + match[0]);
}

/** What is sent to Redis: the file without blank lines and whole-line comments. The shebang stays the first bytes. */
export function embeddedSource(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*--/.test(line));
  return `${lines.join('\n')}\n`;
}

export function lineAt(code, offset) {
  return code.slice(0, offset).split('\n').length;
}

/** Splits at the commas that lie in no bracket. An empty text has no parts. */
export function splitList(text) {
  if (text.trim() === '') return [];
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char)) depth -= 1;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}

/** Where the bracket that opens at `start` closes; the end of the text if it never does. */
export function closingBracket(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if ('([{'.includes(text[at])) depth += 1;
    if (')]}'.includes(text[at])) depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}
