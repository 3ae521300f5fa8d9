import type { Evidence } from './evidence.js';

/** What became of one promise. */
export interface CheckResult {
  readonly name: string;
  readonly held: boolean;
  /** How it was broken: the first few in words, then how many more. */
  readonly broken: readonly string[];
  /** How often it was broken. */
  readonly count: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** Looks at the evidence for one promise, and tells what it finds. */
export type Check = (evidence: Evidence, findings: Findings) => void;

const shownMax = 5;

/** Takes down what a check finds. */
export class Findings {
  readonly #shown: string[] = [];
  readonly #figures: Record<string, number> = {};
  #count = 0;

  broke(how: string): void {
    this.#count += 1;
    if (this.#shown.length < shownMax) this.#shown.push(how);
  }

  figure(name: string, value: number): void {
    this.#figures[name] = value;
  }

  result(name: string): CheckResult {
    const more = this.#count - this.#shown.length;
    const broken = more > 0 ? [...this.#shown, `and ${more} more`] : this.#shown;
    return { name, held: this.#count === 0, broken, count: this.#count, figures: this.#figures };
  }
}
