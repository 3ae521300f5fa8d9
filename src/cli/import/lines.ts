import { isUtf8 } from 'node:buffer';

/** A line of the input, by its number; one that can't be read comes with the reason instead of its text. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly bad: string };

const newline = 0x0a;
const byteOrderMark = '\ufeff';

/**
 * The lines of a byte stream, one at a time. What is kept is one line of at most `bytesMax`: of a longer one only the
 * number, so that a file without a single line break takes no more memory than any other.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<Line> {
  let line = new LineBuffer(1, bytesMax);
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      line.push(chunk.subarray(from, end));
      yield line.finish();
      line = new LineBuffer(line.number + 1, bytesMax);
      from = end + 1;
    }
    line.push(chunk.subarray(from));
  }
  if (!line.isEmpty) yield line.finish();
}

class LineBuffer {
  readonly number: number;
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(number: number, bytesMax: number) {
    this.number = number;
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  push(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  finish(): Line {
    const { number } = this;
    if (this.#bytes > this.#bytesMax) return { number, bad: `longer than ${this.#bytesMax} bytes` };
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
    if (!isUtf8(bytes)) return { number, bad: 'not UTF-8' };
    const text = bytes.toString('utf8');
    return { number, text: number === 1 && text.startsWith(byteOrderMark) ? text.slice(1) : text };
  }
}
