import type { Clock } from '../clock.js';

/** The promise's outcome, or a rejection once `ms` have passed. What comes later is dropped, a rejection too. */
export function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error(`no answer within ${ms} ms`)));
    promise.finally(cancel).then(resolve, reject);
  });
}
