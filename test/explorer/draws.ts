import { Seeded } from '../../src/cli/verify/seeded.js';

/** The campaign's draws from a seed, and what a walk draws by them. */
export class Draws extends Seeded {
  /** From 0 (included) to 1 (excluded); bound, to be handed on. */
  readonly fraction = (): number => this.next();

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** One of these, each as likely as its weight says; undefined when none has any. */
  weighted<T>(options: readonly (readonly [T, number])[]): T | undefined {
    let left = this.fraction() * options.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [option, weight] of options) {
      left -= weight;
      if (left < 0) return option;
    }
    return undefined;
  }
}
