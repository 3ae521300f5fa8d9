import { usage } from './failure.js';

/** A payload of 1 MiB is at most this long when every character of it is written as an escape of six. */
export const jsonBytesMax: number = 8 * 1024 * 1024;

/**
 * The value of a JSON text. The error tells where, never what: payloads hold what must not be in logs, and the message
 * of JSON.parse quotes them.
 */
export function parsedJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const [, position] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const where = position === undefined ? '' : ` (at character ${Number(position) + 1})`;
    throw usage(`${what} is not JSON${where}: write text as '"text"', an object as '{"key":"value"}'`);
  }
}

/** All of stdin, unless it is more than any payload. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > jsonBytesMax)
      throw usage(`the payload on stdin is longer than ${jsonBytesMax} bytes: keep it elsewhere and pass where`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
