/**
 * The systems that are compared, one file each, with the same interface:
 *
 *   load()                                          imports its library
 *   producer({ url, queue })                        -> { add(payload), addMany(payloads), schedule(items), close() }
 *   worker({ url, queue, concurrency, handler, role, onError })     -> { close() }, once it takes tasks
 *   remaining(send, queue)                          how many tasks Redis still holds, in whatever state
 *
 * An item is { payload, atMs }, atMs by the wall clock. A handler gets the payload and returns nothing or a promise.
 * `role` is 'both', or where the system tells them apart ('roles') 'leader' or 'worker'. `send` sends a raw command.
 */
import { ToldError } from '../command-line.mjs';
import { bare } from './bare.mjs';
import { beeQueue } from './bee-queue.mjs';
import { bullmq } from './bullmq.mjs';
import { duestream } from './duestream.mjs';

export const systems = { duestream, bullmq, 'bee-queue': beeQueue, bare };

/** What the others are compared with. */
export const peer = 'bullmq';

/** Rejects when the library of one of them is not there. */
export async function checkInstalled(names, known = systems) {
  for (const name of names) {
    await known[name].load().catch((error) => {
      const isMissing = error.code?.endsWith('MODULE_NOT_FOUND');
      throw new ToldError(
        `${name} ${isMissing ? 'is not installed' : `does not load (${error.message})`}: run npm run bench`,
      );
    });
  }
}
