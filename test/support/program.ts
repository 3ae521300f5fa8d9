import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export const root: string = dirname(dirname(import.meta.dirname));

/** A folder as a user has it: the package is in its node_modules, as it would be after an install. */
export class UserFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'duestream-user-'));

  constructor() {
    mkdirSync(join(this.path, 'node_modules', '@types'), { recursive: true });
    symlinkSync(root, join(this.path, 'node_modules', 'duestream'));
    symlinkSync(join(root, 'node_modules/@types/node'), join(this.path, 'node_modules', '@types', 'node'));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A program that runs until it is told to stop, and the lines it prints. */
export class Program {
  readonly lines: string[] = [];
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #process: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #end: number | string | undefined;

  constructor(command: readonly [string, ...string[]], { cwd, env }: { cwd: string; env: Record<string, string> }) {
    const [file, ...args] = command;
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        this.lines.push(line);
        this.#tell();
      });
    }
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.#end = signal ?? code ?? -1;
        resolve(this.#end);
        this.#tell();
      });
    });
  }

  /** The first line that fits, printed already or to come. Rejects when the program ends without it. */
  async line(wanted: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => wanted.test(line));
      if (found !== undefined) return found;
      if (this.#end !== undefined) {
        throw new Error(`ended with ${this.#end} before it printed ${wanted}:\n${this.lines.join('\n')}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Asks it to stop; resolves with its exit code. */
  async stop(): Promise<number | string> {
    this.#process.kill('SIGTERM');
    return this.ended;
  }

  /** For the end of a test, whatever became of it. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended.catch(() => {});
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
