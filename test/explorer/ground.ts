import { createHash } from 'node:crypto';
import { createClient } from 'redis';
import { type PartitionKeys, partitionKeys } from '../../src/keys.js';
import { launchRedis, type RedisServer } from '../../src/redis/embedded.js';
import type { Reply } from '../../src/redis/reply.js';
import type { Outcome } from './wire.js';

/** Stream ids start here, far ahead of any real clock: so they are 1, 2, 3 …, and a lost suffix is issued again. */
const streamBase = 1_900_000_000_000;
const snapshotsMax = 8;

/**
 * All that the queue is in Redis, on one line for each id, in the words of the ledger (see `Ledger.words`): where each
 * task stands, and all that should not be there.
 */
const lookSource = `
local meta, epoch, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local runs, expiry, dead, ended, counts = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local function pairs_of(flat) local of = {} for i = 1, #flat, 2 do of[flat[i]] = flat[i + 1] end return of end
local function hash(key) return pairs_of(redis.call('HGETALL', key)) end
local function zset(key) return pairs_of(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')) end
if redis.call('TYPE', stream).ok == 'string' then return 'broken' end
local record_of, due_of, entry_of, run_of, expiry_of = hash(tasks), zset(due), hash(live), hash(runs), zset(expiry)
local known, ids, id_of, owned, stale = {}, {}, {}, {}, 0
for _, of in ipairs({record_of, due_of, entry_of, run_of, expiry_of}) do
  for id in pairs(of) do if not known[id] then known[id] = true ids[#ids + 1] = id end end
end
table.sort(ids)
for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
  id_of[entry[1]] = entry[2][2]
  if entry_of[entry[2][2]] ~= entry[1] then stale = stale + 1 end
end
for _, one in ipairs(redis.pcall('XPENDING', stream, 'workers', '-', '+', 1000)) do
  owned[one[1]] = one
  if not id_of[one[1]] then stale = stale + 1 end
end
local lines = {}
for i, id in ipairs(ids) do
  local record, run, entry = record_of[id], run_of[id], entry_of[id]
  local line = id .. ' ' .. (record and string.match(record, '",%[(%d+)') or '-')
  line = line .. ' a' .. (run and string.match(run, '"a":(%d+)') or 1) .. ' x' .. (expiry_of[id] or '-')
  if entry then
    local one = owned[entry]
    if one then line = line .. ' active ' .. one[2] .. ' ' .. entry .. ' ' .. one[4]
    elseif id_of[entry] == id then line = line .. ' ready' else line = line .. ' adrift' end
  end
  lines[i] = line .. (due_of[id] and ' due ' .. due_of[id] or '')
end
local at, accepted, of = redis.call('HMGET', meta, 'paused'), redis.call('HMGET', epoch, 'term', 'token'), hash(counts)
lines[#lines + 1] = 'stale ' .. stale .. ' dead ' .. redis.call('XLEN', dead) .. ' ended ' .. redis.call('XLEN', ended)
  .. ' paused ' .. (at[1] or 0) .. ' epoch ' .. (accepted[1] or '') .. ':' .. (accepted[2] or '')
local told = {}
for _, name in ipairs(ARGV) do told[#told + 1] = name .. ' ' .. (of[name] or 0) end
lines[#lines + 1] = table.concat(told, ' ')
return table.concat(lines, '\\n')`;

/** Sets how long each pending entry has been idle; returns by how much the furthest was off what it should have been. */
const idleSource = `
local stream, idle_of, off = KEYS[1], {}, 0
for i = 1, #ARGV, 3 do idle_of[ARGV[i]] = {tonumber(ARGV[i + 1]), ARGV[i + 2]} end
for _, one in ipairs(redis.pcall('XPENDING', stream, 'workers', '-', '+', 1000)) do
  local idle = idle_of[one[1]]
  if idle and redis.call('XRANGE', stream, one[1], one[1])[1] then
    off = math.max(off, math.abs(one[3] - idle[1]))
    redis.call('XCLAIM', stream, 'workers', one[2], 0, one[1], 'IDLE', idle[2], 'RETRYCOUNT', one[4], 'JUSTID')
  end
end
return off`;

const freshSource = `
for i = 1, #KEYS do
  redis.call('XADD', KEYS[i], ARGV[1], 'x', 'x')
  redis.call('XDEL', KEYS[i], ARGV[1])
end`;

const saveSource = `
redis.call('SELECT', ARGV[1]) redis.call('FLUSHDB') redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', ARGV[1]) end`;

const restoreSource = `
redis.call('FLUSHDB') redis.call('SELECT', ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 0) end`;

/** The counts that the look compares. */
export const countNames = [
  'added',
  'complete',
  'retry',
  'bury',
  'cancelled',
  'expired',
  'recovered',
  'replayed',
  'handed_back',
  'swept',
  'stale',
  'dropped',
] as const;

export const keys: PartitionKeys = partitionKeys('explorer', 'q', 0);
const { meta, epoch, due, stream, live, tasks, runs, expiry, dead, ended, counts } = keys;
const lookKeys = [meta, epoch, due, stream, live, tasks, runs, expiry, dead, ended, counts];
const lookArgs = [String(lookKeys.length), ...lookKeys, ...countNames];
const look = ['EVALSHA', createHash('sha1').update(lookSource).digest('hex'), ...lookArgs];

type Client = ReturnType<typeof createClient>;

/** The real Redis under the explorer, and what it does to it by itself. */
export class Ground {
  readonly #server: RedisServer;
  readonly #client: Client;

  private constructor(server: RedisServer, client: Client) {
    this.#server = server;
    this.#client = client;
  }

  static async open(): Promise<Ground> {
    const roomy = ['--hash-max-listpack-entries', '8192', '--hash-max-listpack-value', '8192'];
    const server = await launchRedis({ args: [...roomy, '--enable-debug-command', 'yes'] });
    const path = server.socketPath;
    if (path === undefined) throw new Error('expected a server on a socket file');
    const client = createClient({ socket: { path, reconnectStrategy: false }, disableClientInfo: true });
    client.on('error', () => undefined); // calls reject by themselves
    await client.connect();
    return new Ground(server, client);
  }

  async close(): Promise<void> {
    await this.#client.disconnect();
    await this.#server.stop();
  }

  /** Empty, with streams whose next ids are known; and no script is known, for a walk is to be the same after any other. */
  async reset(): Promise<void> {
    await this.ask('FLUSHALL');
    await this.ask('SCRIPT', 'FLUSH');
    await this.ask('EVAL', freshSource, 3, stream, dead, ended, `${streamBase}-1`);
  }

  /** The stream is deleted, and its group with it; the ids of the next one are known too. */
  async renewStream(times: number): Promise<void> {
    await this.ask('DEL', stream);
    await this.ask('EVAL', freshSource, 1, stream, `${streamBase + times}-1`);
  }

  ask(...args: (string | number)[]): Promise<Reply> {
    return this.#client.sendCommand(args.map(String)) as Promise<Reply>;
  }

  /** One command of the product's, and what the queue is after it, in one round trip. */
  async run(args: readonly string[]): Promise<Outcome & { after: string }> {
    const ran = this.ask(...args).then(
      (reply) => ({ reply }),
      (error: unknown) => ({ error: error as Error }),
    );
    const [outcome, after] = await Promise.all([ran, this.look()]);
    return { ...outcome, after };
  }

  async look(): Promise<string> {
    return (await this.ask(...look).catch(() => this.ask('EVAL', lookSource, ...lookArgs))) as string;
  }

  /** `idles`: entry, how long it should be idle now, and from now on. */
  async setIdle(idles: readonly (string | number)[]): Promise<number> {
    return Number(await this.ask('EVAL', idleSource, 1, stream, ...idles));
  }

  async save(slot: number): Promise<void> {
    await this.ask('EVAL', saveSource, 0, 1 + (slot % snapshotsMax));
  }

  async restore(slot: number): Promise<void> {
    await this.ask('EVAL', restoreSource, 0, 1 + (slot % snapshotsMax));
  }
}
