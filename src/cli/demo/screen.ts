import { coloured, frameOf, lineOf, type Paint, plain, type Scene, seconds } from './frame.js';

/** Where the play is shown. */
export interface Screen {
  readonly paint: Paint;
  /** Called a few times a second. */
  show(scene: Scene): void;
  /** Something happened. */
  tell(event: { atMs: number; text: string }): void;
  end(): void;
}

/** What is used of a terminal's stream. */
export type Tty = Pick<NodeJS.WriteStream, 'isTTY' | 'rows'> & { write(text: string): unknown };

const lineEveryMs = 1_000;
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const eraseToEndOfLine = '\u001b[K';
const eraseBelow = '\u001b[J';
/** Of a terminal that does not know its size and says 0, as in some containers. */
const rowsUnknown = 24;

/** Redrawn in place on a terminal, else lines; colours only where they are wanted. */
export function screenFor(stream: Tty): Screen {
  const isTerminal = stream.isTTY && process.env['TERM'] !== 'dumb';
  return isTerminal ? new Terminal(stream, process.env['NO_COLOR'] ? plain : coloured) : new Lines(stream);
}

/** Frames over one another, and what was on the screen before stays above. */
export class Terminal implements Screen {
  readonly paint: Paint;
  readonly #stream: Tty;
  #drawn = 0;

  constructor(stream: Tty, paint: Paint) {
    this.paint = paint;
    this.#stream = stream;
    stream.write(hideCursor);
    process.once('exit', this.#showCursor); // also when a second Ctrl-C leaves no time for more
  }

  show(scene: Scene): void {
    // A frame higher than the window could not be gone back over.
    const rows = this.#stream.rows || rowsUnknown;
    const lines = frameOf(scene, this.paint).slice(0, Math.max(1, rows - 1));
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
    this.#stream.write(`${up}${lines.map((line) => `${line}${eraseToEndOfLine}\n`).join('')}${eraseBelow}`);
    this.#drawn = lines.length;
  }

  tell(): void {
    // The next frame has it.
  }

  end(): void {
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  readonly #showCursor = (): void => {
    this.#stream.write(showCursor);
  };
}

/** A line a second, and one for each thing that happens. */
export class Lines implements Screen {
  readonly paint: Paint = plain;
  readonly #stream: Tty;
  #nextAtMs = 0;

  constructor(stream: Tty) {
    this.#stream = stream;
  }

  show(scene: Scene): void {
    if (scene.elapsedMs < this.#nextAtMs) return;
    this.#nextAtMs = scene.elapsedMs - (scene.elapsedMs % lineEveryMs) + lineEveryMs;
    this.#stream.write(`${lineOf(scene)}\n`);
  }

  tell({ atMs, text }: { atMs: number; text: string }): void {
    this.#stream.write(`${seconds(atMs).padStart(7)}  ${text}\n`);
  }

  end(): void {
    // Nothing to put back.
  }
}
