import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lineOf } from '../../failure.js';
import { Board } from './board.js';
import { shimSource } from './source.js';

const compilers = ['gcc', 'cc', 'clang'];
const run = promisify(execFile);

/** The shim, compiled for this machine, and a board for each process that has it. */
export class Shim {
  readonly #folder: string;
  readonly #boards = new Map<string, Board>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Compiles it in a folder of its own; a word when that can't be done here. */
  static async prepare(): Promise<Shim | string> {
    if (process.platform !== 'linux') return `it needs LD_PRELOAD of Linux, and this is ${process.platform}`;
    const folder = await mkdtemp(join(tmpdir(), 'duestream-shim-'));
    const shim = new Shim(folder);
    const why = await shim.#compile();
    if (why === undefined) return shim;
    await shim.close();
    return why;
  }

  /** The same for every life of the process of that name. */
  boardOf(name: string): Board {
    const board = this.#boards.get(name) ?? new Board(join(this.#folder, `${name}.board`));
    this.#boards.set(name, board);
    return board;
  }

  /** What a process is started with to have it. */
  envOf(name: string): Record<string, string> {
    const { LD_PRELOAD: others } = process.env;
    const library = join(this.#folder, 'shim.so');
    return {
      LD_PRELOAD: others ? `${library}:${others}` : library,
      DUESTREAM_SHIM_BOARD: this.boardOf(name).path,
    };
  }

  async close(): Promise<void> {
    for (const board of this.#boards.values()) board.close();
    this.#boards.clear();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #compile(): Promise<string | undefined> {
    const source = join(this.#folder, 'shim.c');
    await writeFile(source, shimSource);
    for (const compiler of compilers) {
      try {
        await run(compiler, ['-shared', '-fPIC', '-O1', '-o', join(this.#folder, 'shim.so'), source, '-ldl']);
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          return `${compiler} does not compile it: ${lineOf(error)}`;
      }
    }
    return `it needs a C compiler, and none of ${compilers.join(', ')} is on the PATH`;
  }
}
