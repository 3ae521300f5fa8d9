import type { AddResult } from '../../index.js';
import { lineOf } from '../failure.js';
import { note } from '../output.js';

export interface Refusal {
  readonly line: number;
  readonly message: string;
}

export interface ImportResult {
  readonly read: number;
  readonly added: number;
  readonly scheduled: number;
  readonly ready: number;
  readonly duplicates: number;
  readonly refused: number;
  /** The first of them. */
  readonly errors: readonly Refusal[];
}

/** A file of a million bad lines must not fill the screen, nor the memory. */
const printedMax = 20;
const keptMax = 1_000;

/** Counts what became of the lines, and tells of the first bad ones as they come. */
export class Tally {
  #read = 0;
  #refused = 0;
  readonly #statuses = { scheduled: 0, ready: 0, duplicate: 0 };
  readonly #errors: Refusal[] = [];

  read(): void {
    this.#read += 1;
  }

  add(results: readonly AddResult[]): void {
    for (const { status } of results) this.#statuses[status] += 1;
  }

  refuse(line: number, error: unknown): void {
    this.#refused += 1;
    const message = lineOf(error);
    if (this.#errors.length < keptMax) this.#errors.push({ line, message });
    if (this.#refused <= printedMax) note(`line ${line} refused: ${message}`);
  }

  /** Says how many bad lines were not printed. */
  tellRest(): void {
    if (this.#refused > printedMax) note(`and ${this.#refused - printedMax} more lines refused`);
  }

  get result(): ImportResult {
    const { scheduled, ready, duplicate } = this.#statuses;
    const counts = { read: this.#read, added: scheduled + ready, scheduled, ready, duplicates: duplicate };
    // Batches are refused as they come back, which is not always in order.
    return { ...counts, refused: this.#refused, errors: this.#errors.toSorted((a, b) => a.line - b.line) };
  }
}
