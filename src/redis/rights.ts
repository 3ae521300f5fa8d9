import { DuestreamError, messageOf } from '../errors.js';
import type { Reply } from './reply.js';
import type { Target } from './target.js';

/**
 * What the Redis user must be allowed. A script that is refused a command half-way has done the rest, and some take a
 * refused look for an empty answer: with half of the rights a worker would do harm, where with none it does nothing. So
 * workers and leaders ask first, on each connection, and use none that lacks a right.
 *
 * Asked is by a script that may not write and calls every command once: each is refused, by the rights of the user or,
 * after those, for writing. Reads run, on a key of our own. docs/operations.md has the whole list as an ACL rule.
 */

/** The commands of our scripts, and each as a call: `key` is the key, or the channel. */
const scriptCalls: Readonly<Record<string, string>> = {
  hdel: 'HDEL key f',
  hexists: 'HEXISTS key f',
  hget: 'HGET key f',
  hgetall: 'HGETALL key',
  hincrby: 'HINCRBY key f 1',
  hlen: 'HLEN key',
  hmget: 'HMGET key f',
  hscan: 'HSCAN key 0',
  hset: 'HSET key f v',
  hsetnx: 'HSETNX key f v',
  hstrlen: 'HSTRLEN key f',
  publish: 'PUBLISH key v',
  time: 'TIME',
  xack: 'XACK key g 0-1',
  xadd: 'XADD key * f v',
  xautoclaim: 'XAUTOCLAIM key g c 0 0',
  xclaim: 'XCLAIM key g c 0 0-1',
  xdel: 'XDEL key 0-1',
  'xgroup|create': 'XGROUP CREATE key g 0',
  'xgroup|createconsumer': 'XGROUP CREATECONSUMER key g c',
  'xgroup|delconsumer': 'XGROUP DELCONSUMER key g c',
  'xinfo|consumers': 'XINFO CONSUMERS key g',
  'xinfo|groups': 'XINFO GROUPS key',
  xlen: 'XLEN key',
  xpending: 'XPENDING key g',
  xrange: 'XRANGE key - + COUNT 1',
  xrevrange: 'XREVRANGE key + - COUNT 1',
  xreadgroup: 'XREADGROUP GROUP g c STREAMS key >',
  xtrim: 'XTRIM key MAXLEN 0',
  zadd: 'ZADD key 0 m',
  zcard: 'ZCARD key',
  zcount: 'ZCOUNT key 0 0',
  zmscore: 'ZMSCORE key m',
  zrange: 'ZRANGE key 0 0',
  zrem: 'ZREM key m',
  zscore: 'ZSCORE key m',
};

/** Those of redlock's. */
const lockCalls: Readonly<Record<string, string>> = {
  del: 'DEL key',
  exists: 'EXISTS key',
  get: 'GET key',
  set: 'SET key v',
};

const calls = { ...scriptCalls, ...lockCalls };

/** What the scripts call, by the names of the ACL. */
export const scriptRights: readonly string[] = Object.keys(scriptCalls);
export const lockRights: readonly string[] = Object.keys(lockCalls);

const probe = `#!lua flags=no-writes
local lacking = {}
for i = 2, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[i], '%S+') do words[#words + 1] = word == 'key' and ARGV[1] or word end
  local reply = redis.pcall(unpack(words))
  local said = type(reply) == 'table' and reply.err or ''
  if string.find(said, "can't run this command", 1, true) or string.find(said, 'no permissions to run', 1, true) then
    lacking[#lacking + 1] = i - 1
  end
end
return lacking`;

type Send = (args: string[]) => Promise<unknown>;

/** Which of these the user lacks. Rejects when it can't be asked. */
async function lackingOf(send: Send, key: string, rights: readonly string[]): Promise<string[]> {
  const reply = await send(['EVAL', probe, '0', key, ...rights.map((right) => calls[right] as string)]);
  return (reply as number[]).map((at) => rights[at - 1] as string);
}

/** The same, and `eval` where that itself is refused. Rejects with what else Redis says instead. */
export function lackingRights(send: Send, key: string, rights: readonly string[] = scriptRights): Promise<string[]> {
  return lackingOf(send, key, rights).catch(unaskable);
}

function lacks(who: string, rights: readonly string[]): DuestreamError {
  return new DuestreamError('ERR_REDIS_REPLY', `NOPERM ${who}: this Redis user lacks ${rightsList(rights)}`);
}

/** As an ACL rule gives them. */
export function rightsList(rights: readonly string[]): string {
  return rights.map((right) => `+${right}`).join(' ');
}

/** A target whose user must have these rights. The key is one of the prefix; `who` needs them, for messages. */
export function withRights(
  target: Target,
  { key, rights, who }: { key: string; rights: readonly string[]; who: string },
): Target {
  return {
    shown: target.shown,
    ...(target.kind && { kind: target.kind }),
    locate: () => target.locate(),
    ...(target.misleads && { misleads: (error) => target.misleads?.(error) ?? false }),
    ...(target.onSilent && { onSilent: () => target.onSilent?.() }),
    ...(target.watch && { watch: (connection, onMoved) => target.watch?.(connection, onMoved) ?? (() => {}) }),
    confirm: async (client) => {
      await target.confirm?.(client);
      // An answer that is none says nothing of rights: what else is wrong will show by itself.
      const lacking = await lackingRights((args) => client.sendCommand(args), key, rights).catch(() => []);
      if (lacking.length > 0) throw lacks(who, lacking);
    },
  };
}

function unaskable(error: unknown): string[] {
  if (messageOf(error).startsWith('NOPERM')) return ['eval'];
  throw error;
}

/** What a script was refused, in words: Redis 7.0 says in which line that was, and not what it was. */
export async function refusalOf(
  thrown: unknown,
  script: { readonly name: string; readonly source: string },
  { send, key }: { send: (args: readonly string[]) => Promise<Reply>; key: string },
): Promise<unknown> {
  if (!/user executing the script|ACL failure in script/.test(messageOf(thrown))) return thrown;
  const called = rightsIn(script.source);
  const lacking = await lackingOf(send, key, called).catch(() => []);
  if (lacking.length > 0) return lacks(script.name, lacking);
  return new DuestreamError('ERR_REDIS_REPLY', `NOPERM ${script.name}: ${messageOf(thrown)}`, { cause: thrown });
}

/** The commands of a script are the quoted words in it that are commands. */
export function rightsIn(source: string): string[] {
  return scriptRights.filter((right) => {
    const [command = '', subcommand] = right.toUpperCase().split('|');
    return source.includes(subcommand === undefined ? `'${command}'` : `'${command}', '${subcommand}'`);
  });
}
