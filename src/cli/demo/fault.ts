import { scheduler } from 'node:timers/promises';
import type { Stage } from './stage.js';

/** A promise to break, to see the check fail. */
export const faultNames = ['lose', 'early', 'duplicate'] as const;
export type FaultName = (typeof faultNames)[number];

const victims = 3;
const lookEveryMs = 20;
/** The next tasks to come due, with their records: read at once, for the first of them may be due now. */
const nextRecords = `
local records = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)) do
  local record = redis.call('HGET', KEYS[2], id)
  if record then records[#records + 1] = { id, record } end
end
return records`;

/**
 * Breaks a promise on purpose, by hand and behind Duestream's back, as no program ever should: by the keys of
 * docs/wire-format.md. Returns what was done, once it is.
 */
export async function commit(fault: FaultName, stage: Stage, queue: string): Promise<string> {
  const due = stage.key(queue, 'due');
  const tasks = stage.key(queue, 'tasks');
  const send = (...words: string[]): Promise<unknown> => stage.link.send(words);
  const last = async (): Promise<string[]> => {
    const ids = (await send('ZRANGE', due, '0', String(victims - 1), 'REV')) as string[];
    if (ids.length === 0) throw new Error('nothing is scheduled');
    return ids;
  };
  switch (fault) {
    case 'lose': {
      const ids = await last();
      await send('HDEL', tasks, ...ids);
      await send('ZREM', due, ...ids);
      return `fault: ${ids.join(', ')} deleted from Redis by hand`;
    }
    case 'early': {
      const ids = await last();
      for (const id of ids) await send('ZADD', due, 'XX', '0', id);
      return `fault: ${ids.join(', ')} made due at once by hand`;
    }
    case 'duplicate': {
      const records = (await send('EVAL', nextRecords, '2', due, tasks, String(victims))) as [string, string][];
      const ids = records.map(([id]) => id);
      if (ids.length === 0) throw new Error('nothing is scheduled');
      await untilGone(stage, tasks, ids);
      for (const [id, record] of records) {
        await send('HSET', tasks, id, record);
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
