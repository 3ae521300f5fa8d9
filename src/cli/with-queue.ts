import { listQueues, Queue } from '../index.js';
import type { Arguments } from './arguments.js';
import { note } from './output.js';
import { connectionOf } from './redis-address.js';

/** So that a verb that asks once has its answer, or exit code 69, within 5 s, also where starting takes one of them. */
export const oneShot: { readonly repeatFor: string; readonly commandTimeout: string } = {
  repeatFor: '2500ms',
  commandTimeout: '2500ms',
};

/** For a verb that is long at work: it sits out a restart of Redis. Its first contact is a one-shot verb's. */
export const patient: typeof oneShot = { repeatFor: '60s', commandTimeout: '5s' };

/** A queue that nobody ever added to is most often a name with a typo: said, but no failure, as when that can't be known. */
export async function noteIfNew(args: Arguments): Promise<void> {
  const name = args.text('queue');
  if (name !== undefined && (await isNewQueue(args))) note(`nothing was ever added to ${JSON.stringify(name)}`);
}

/** Whether nobody has used it yet; where that can't be known it is taken for a known one. */
export async function isNewQueue(args: Arguments): Promise<boolean> {
  const { commandTimeout } = oneShot;
  const names = await listQueues({ ...connectionOf(args), commandTimeout }).catch(() => undefined);
  return names !== undefined && !names.includes(args.word('queue'));
}

/** Of a verb that makes the queue where there is none. */
export function noteMadeQueue(args: Arguments): void {
  note(`the queue ${JSON.stringify(args.word('queue'))} is new: nobody has used it before`);
}

/** Opens the queue, asks it, closes it. */
export async function withQueue<T>(
  args: Arguments,
  ask: (queue: Queue) => Promise<T>,
  patience: typeof oneShot = oneShot,
): Promise<T> {
  const queue = new Queue(args.word('queue'), { ...connectionOf(args), ...patience });
  try {
    return await ask(queue);
  } finally {
    await queue.close();
  }
}
