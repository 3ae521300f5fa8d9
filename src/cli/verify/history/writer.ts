import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nowMs } from './instant.js';
import type { Fact } from './records.js';

/** Appends what happens, line by line and at once: what was noted is kept, whatever becomes of this process. */
export class HistoryWriter {
  readonly #file: number;

  constructor(folder: string, name: string) {
    this.#file = openSync(join(folder, `${name}.jsonl`), 'a');
  }

  note(fact: Fact): void {
    this.noteAt(nowMs(), fact);
  }

  /** For what happened at another instant than it is noted. */
  noteAt(at: number, fact: Fact): void {
    writeSync(this.#file, `${JSON.stringify({ at: Math.round(at * 1000) / 1000, ...fact })}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
