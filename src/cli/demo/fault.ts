import { scheduler } from 'node:timers/promises';
import type { Stage } from './stage.js';

/** A promise to break, to see the check fail. */
export const faultNames = ['lose', 'early', 'duplicate'] as const;
export type FaultName = (typeof faultNames)[number];

const victims = 3;
const lookEveryMs = 20;

/**
 * Breaks a promise on purpose, by hand and behind Duestream's back, as no program ever should: by the keys of
 * docs/wire-format.md. Returns what was done, once it is.
 */
export async function commit(fault: FaultName, stage: Stage, queue: string): Promise<string> {
  const due = stage.key(queue, 'due');
  const tasks = stage.key(queue, 'tasks');
  const send = (...words: string[]): Promise<unknown> => stage.link.send(words);
  const scheduled = async (...order: string[]): Promise<string[]> => {
    const ids = (await send('ZRANGE', due, '0', String(victims - 1), ...order)) as string[];
    if (ids.length === 0) throw new Error('nothing is scheduled');
    return ids;
  };
  switch (fault) {
    case 'lose': {
      const ids = await scheduled('REV');
      await send('HDEL', tasks, ...ids);
      await send('ZREM', due, ...ids);
      return `fault: ${ids.join(', ')} deleted from Redis by hand`;
    }
    case 'early': {
      const ids = await scheduled('REV');
      for (const id of ids) await send('ZADD', due, 'XX', '0', id);
      return `fault: ${ids.join(', ')} made due at once by hand`;
    }
    case 'duplicate': {
      const ids = await scheduled();
      const records = (await send('HMGET', tasks, ...ids)) as (string | null)[];
      await untilGone(stage, tasks, ids);
      for (const [at, id] of ids.entries()) {
        await send('HSET', tasks, id, records[at] ?? '');
        await send('ZADD', due, '0', id);
      }
      return `fault: ${ids.join(', ')} put back by hand after they were completed`;
    }
  }
}

/** As when a failover loses the newest writes: what was completed is there again. */
async function untilGone(stage: Stage, tasks: string, ids: readonly string[]): Promise<void> {
  for (;;) {
    const records = (await stage.link.send(['HMGET', tasks, ...ids])) as (string | null)[];
    if (records.every((record) => record === null)) return;
    await scheduler.wait(lookEveryMs);
  }
}
