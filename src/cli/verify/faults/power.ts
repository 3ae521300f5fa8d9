import { statSync } from 'node:fs';
import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { scheduler } from 'node:timers/promises';
import type { RedisServer } from '../../../testing.js';
import type { Arena } from '../arena.js';
import type { Cost } from '../history/records.js';
import type { Seeded } from '../seeded.js';
import type { Board } from '../shim/board.js';
import { boardOf, withoutShim } from '../shim/held.js';
import type { Fault, Making } from './fault.js';

type Books = Pick<Board, 'syncedBytes'>;
/** Cuts the file of a Redis that is gone; gives the bytes lost. */
type Cut = (redis: RedisServer, board: Books, draws: Seeded) => Promise<number>;

const markEveryMs = 20;
/**
 * Longer than what one fsync a second may lose: what is lost was written after the fault began, and so the fault explains it.
 * Not cut short where the campaign ends.
 */
const markForMs = { min: 2_500, max: 3_500 };
const awayMsMax = 1_500;
const markScript = `local t = redis.call('TIME')
local ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('SET', KEYS[1], ms) return ms`;

/**
 * The host of Redis loses its power: what was not yet on the disk is gone. A SIGKILL alone loses nothing, for the system
 * still writes what it was given; so the file is cut to what an fsync has covered. That is where a write of Redis ended,
 * at whole transactions.
 *
 * A disk may also keep a part of the rest. When that ends inside a transaction, Redis (7.0.15) drops it, but leaves its
 * first commands in the file without their EXEC, and goes on behind them: at the next load they run with the transaction
 * that follows, or take what follows with them. So a second restart loses writes, or brings half a script, whatever
 * appendfsync says. No promise covers that; docs/operations.md has what an operator does.
 */
export const powerFaults: readonly Fault[] = [
  onPower('power-loss', ({ plan }) => (plan.appendonly === 'always' ? [] : ['writes']), cutUnsynced),
  {
    ...onPower(
      'power-loss-torn',
      () => ['writes'],
      (server, board, draws) => cutUnsynced(server, { syncedBytes: (path) => betweenSynced(path, board, draws) }),
    ),
    alone: true,
  },
];

function onPower(name: string, costs: (arena: Arena) => readonly Cost[], cut: Cut): Fault {
  return {
    name,
    missing: (arena) => withoutShim(arena, ['redis']),
    plan: (arena) => ({
      target: 'redis',
      costs: costs(arena),
      holds: ['redis', 'clock of redis'],
      run: (making) => loseThePower(making, cut),
    }),
  };
}

async function loseThePower({ arena, wait, draws, note }: Making, cut: Cut): Promise<void> {
  const { redis } = arena;
  if (redis === undefined) return;
  const over = new AbortController();
  const marking = marked(arena, over.signal);
  marking.catch(() => {}); // it is awaited below
  await scheduler.wait(draws.between(markForMs.min, markForMs.max));
  over.abort();
  const last = await marking;
  await redis.kill('SIGKILL');
  const lostBytes = await cut(redis, boardOf(arena, 'redis'), draws);
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

/** Leaves what an fsync has covered; gives the bytes lost. */
export async function cutUnsynced({ dir }: Pick<RedisServer, 'dir'>, board: Books): Promise<number> {
  const folder = join(dir, 'appendonlydir');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'));
  let lostBytes = 0;
  for (const name of names) {
    const path = join(folder, name);
    const { size } = await stat(path);
    const kept = board.syncedBytes(path) ?? 0;
    await truncate(path, kept);
    lostBytes += size - kept;
  }
  return lostBytes;
}

function betweenSynced(path: string, board: Books, draws: Seeded): number {
  return Math.floor(draws.between(board.syncedBytes(path) ?? 0, statSync(path).size));
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
