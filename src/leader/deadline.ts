import type { Clock } from '../clock.js';

export interface Deadline<T> {
  ms: number;
  clock: Clock;
  /** What becomes of the wait when time is up: its value, or its error by throwing. */
  late: () => T;
}

/** A timer runs before the sockets are read. This much more lets a reply that lies there already be heard. */
const graceMs = 1;

/** Settles as `work` does, or by `late()` when `ms` have passed. The work itself goes on; its end is then ignored. */
export function within<T>(work: Promise<T>, { ms, clock, late }: Deadline<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    };
    // Two steps: after a blocked event loop the timer is overdue while the answer waits unread in the socket.
    let disarm = clock.after(ms, () => {
      disarm = clock.after(graceMs, giveUp);
    });
    void work.then(resolve, reject).finally(() => disarm());
  });
}
