import { queuesKey } from '../keys.js';
import type { Caller } from './script.js';

/** Makes a queue's name known, for `stats` and the doctor. False when it could not be done: nothing else depends on it. */
export async function introduce(caller: Caller, prefix: string, queue: string): Promise<boolean> {
  try {
    await caller.send(['SADD', queuesKey(prefix), queue]);
    return true;
  } catch {
    return false;
  }
}
