import { usage } from './failure.js';

/** A payload of 1 MiB is at most this long when every character of it is written as an escape of six. */
export const jsonBytesMax: number = 8 * 1024 * 1024;

/**
 * The value of a JSON text. The error tells where, never what: payloads hold what must not be in logs, and the message
 * of JSON.parse quotes them.
 */
export function parsedJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (error) {
    const [, position] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const where = position === undefined ? '' : ` (at character ${Number(position) + 1})`;
    throw usage(`${what} is not JSON${where}: write text as '"text"', an object as '{"key":"value"}'`);
  }
  if (!hasUnsafeInteger(text)) return value;
  throw usage(`${what} has a number with more digits than JSON numbers keep in JavaScript: send it as a string`);
}

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const longInteger = /^-?\d{16,}$/;

/** An id of 19 digits, as databases and chat services have them, would come out as another one without a word. */
export function hasUnsafeInteger(json: string): boolean {
  if (!/\d{16}/.test(json)) return false;
  for (const piece of outsideStrings(json)) {
    for (const [token] of piece.matchAll(number)) {
      if (longInteger.test(token) && String(Number(token)) !== token) return true;
    }
  }
  return false;
}

/** What stands between the strings of a text that is known to be JSON. */
function* outsideStrings(json: string): Generator<string> {
  let from = 0;
  for (let quote = json.indexOf('"'); quote !== -1; quote = json.indexOf('"', from)) {
    yield json.slice(from, quote);
    let end = json.indexOf('"', quote + 1);
    while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
    from = end + 1;
  }
  yield json.slice(from);
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

/** The payload a command line gives: nothing, a JSON text, or a dash for what comes on stdin. */
export async function payloadOf(text: string | undefined): Promise<unknown> {
  if (text === undefined) return null;
  return parsedJson(text === '-' ? await readStdin('the payload') : text, 'the payload');
}

/** All of stdin, unless it is more than any payload. */
export async function readStdin(what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > jsonBytesMax)
      throw usage(`${what} on stdin is longer than ${jsonBytesMax} bytes: keep it elsewhere and pass where`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
