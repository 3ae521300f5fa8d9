import type { Observation } from '../index.js';
import { codeOf } from './failure.js';

/**
 * The time of a role until it reaches Redis first. What refuses its address in that time, as a node of a cluster refuses
 * to be taken for a Redis by itself, does not pass by waiting: the role ends with it. Later it may be the server that was
 * changed, and the role waits, as in any outage.
 */
export class FirstContact {
  #isOver = false;
  #refuse: (error: unknown) => void = () => {};
  /** Rejects with what refused the address; never resolves. */
  readonly refused: Promise<never>;

  constructor() {
    this.refused = new Promise<never>((_, reject) => {
      this.#refuse = reject;
    });
    this.refused.catch(() => {}); // who waits for it is told
  }

  observe(observation: Observation): void {
    if (observation.type === 'redis_up' && observation.up) this.#isOver = true;
  }

  /** Whether this error ends the role. */
  ends(error: unknown): boolean {
    if (this.#isOver || codeOf(error) !== 'ERR_INVALID_ARGUMENT') return false;
    this.#refuse(error);
    return true;
  }
}
