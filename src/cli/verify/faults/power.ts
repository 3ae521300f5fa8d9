import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { scheduler } from 'node:timers/promises';
import type { RedisServer } from '../../../testing.js';
import type { Arena } from '../arena.js';
import type { Seeded } from '../seeded.js';
import type { Board } from '../shim/board.js';
import { boardOf, withoutShim } from '../shim/held.js';
import type { Fault, Making } from './fault.js';

const markEveryMs = 20;
/** Longer than what one fsync a second may lose. */
const markForMs = { min: 2_500, max: 3_500 };
const awayMsMax = 1_500;
const markScript = `local t = redis.call('TIME')
local ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('SET', KEYS[1], ms) return ms`;

/**
 * The host of Redis loses its power: what was not yet on the disk is gone. A SIGKILL alone loses nothing, for the
 * system still writes what it was given; so the file is cut to what an fsync has covered, or somewhere behind that.
 */
export const powerFaults: readonly Fault[] = [
  {
    name: 'power-loss',
    missing: (arena) => withoutShim(arena, ['redis']),
    plan: ({ plan }) => ({
      target: 'redis',
      costs: plan.appendonly === 'always' ? [] : ['writes'],
      holds: ['redis', 'clock of redis'],
      run: loseThePower,
    }),
  },
];

async function loseThePower({ arena, wait, draws, note }: Making): Promise<void> {
  const { redis } = arena;
  if (redis === undefined) return;
  const over = new AbortController();
  const marking = marked(arena, over.signal);
  await wait(draws.between(markForMs.min, markForMs.max));
  over.abort();
  const last = await marking;
  await redis.kill('SIGKILL');
  const lostBytes = await cutUnsynced(redis, boardOf(arena, 'redis'), draws);
  await wait(draws.between(0, awayMsMax));
  await redis.start();
  const left = Number(await untilAnswered(arena, ['GET', arena.key('mark')]));
  note({ what: 'power_loss', lostBytes, lostMs: Math.max(0, last - left) });
  await untilAnswered(arena, ['DEL', arena.key('mark')]);
}

/** Writes Redis' own time to a key, again and again; resolves with the last that it acknowledged. */
async function marked(arena: Arena, signal: AbortSignal): Promise<number> {
  let last = 0;
  while (!signal.aborted) {
    last = Number(await arena.link.send(['EVAL', markScript, '1', arena.key('mark')]));
    await scheduler.wait(markEveryMs, { signal }).catch(() => {});
  }
  return last;
}

/** Half the time all that was not synced is lost, else a part of it: a command is torn then. Gives the bytes lost. */
export async function cutUnsynced(
  { dir }: Pick<RedisServer, 'dir'>,
  board: Pick<Board, 'syncedBytes'>,
  draws?: Seeded,
): Promise<number> {
  const folder = join(dir, 'appendonlydir');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'));
  let lostBytes = 0;
  for (const name of names) {
    const path = join(folder, name);
    const { size } = await stat(path);
    const synced = board.syncedBytes(path) ?? 0;
    const kept = draws === undefined || draws.next() < 0.5 ? synced : Math.floor(draws.between(synced, size));
    await truncate(path, kept);
    lostBytes += size - kept;
  }
  return lostBytes;
}

/** The connection that was cut may take the first call with it. */
async function untilAnswered(arena: Arena, command: readonly string[]): Promise<unknown> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await arena.link.send(command);
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}
