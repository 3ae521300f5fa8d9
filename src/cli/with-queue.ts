import { Queue } from '../index.js';
import type { Arguments } from './arguments.js';
import { connectionOf } from './redis-address.js';

/** So that a verb that asks once has its answer, or exit code 69, within 5 s, also where starting takes one of them. */
export const oneShot: { readonly repeatFor: string; readonly commandTimeout: string } = {
  repeatFor: '2500ms',
  commandTimeout: '2500ms',
};

/** Opens the queue, asks it, closes it. */
export async function withQueue<T>(args: Arguments, ask: (queue: Queue) => Promise<T>): Promise<T> {
  const queue = new Queue(args.word('queue'), { ...connectionOf(args), ...oneShot });
  try {
    return await ask(queue);
  } finally {
    await queue.close();
  }
}
