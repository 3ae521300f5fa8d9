import type { Clock } from '../clock.js';
import { deadline } from '../redis/deadlines.js';

export interface Deadline<T> {
  ms: number;
  clock: Clock;
  /** What becomes of the wait when time is up: its value, or its error by throwing. */
  late: () => T;
}

/** Settles as `work` does, or by `late()` when `ms` have passed. The work itself goes on; its end is then ignored. */
export function within<T>(work: Promise<T>, { ms, clock, late }: Deadline<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const disarm = deadline(clock, ms, () => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    });
    void work.then(resolve, reject).finally(disarm);
  });
}
