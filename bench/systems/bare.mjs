/**
 * The limit: what node-redis and Redis can do when nothing is promised. A stream with the payload in its entries, and
 * a loop that reads a batch, runs it, and acks and deletes it in one script. A task that is due later waits in a
 * sorted set, its payload in a hash; a timer beside the worker moves it. A crash loses or repeats tasks, and nobody
 * knows.
 */
import { createRequire } from 'node:module';

/** Duestream's own node-redis: from this folder the name leads to the one that bee-queue needs. */
const { createClient } = createRequire(new URL('../../package.json', import.meta.url))('redis');

const group = 'g';
const promoteMax = 200;
/** At least so often it looks at the head of the schedule, for nobody tells it of a new one. */
const lookMs = 100;

const settleScript = `
redis.call('XACK', KEYS[1], '${group}', unpack(ARGV))
return redis.call('XDEL', KEYS[1], unpack(ARGV))`;

const promoteScript = `
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000
local ids = redis.call('ZRANGE', KEYS[1], '-inf', string.format('%.0f', math.floor(now_ms)), 'BYSCORE', 'LIMIT', 0, ARGV[1])
if #ids > 0 then
  local payloads = redis.call('HMGET', KEYS[2], unpack(ids))
  for _, payload in ipairs(payloads) do redis.call('XADD', KEYS[3], '*', 'p', payload) end
  redis.call('ZREM', KEYS[1], unpack(ids))
  redis.call('HDEL', KEYS[2], unpack(ids))
end
local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {#ids, head[2] and string.format('%.3f', head[2] - now_ms) or ''}`;

const keysOf = (queue) => ({ due: `${queue}:due`, payloads: `${queue}:payloads`, stream: `${queue}:stream` });

async function connect(url) {
  const client = createClient({ url });
  client.on('error', () => {}); // the command that meets it rejects
  await client.connect();
  return client;
}

async function producer({ url, queue }) {
  const client = await connect(url);
  const { due, payloads: bodies, stream } = keysOf(queue);
  const add = (payload) => client.sendCommand(['XADD', stream, '*', 'p', JSON.stringify(payload)]);
  return {
    add,
    addMany: (payloads) => Promise.all(payloads.map(add)),
    schedule: (items) => {
      const texts = items.flatMap(({ payload }) => [String(payload.i), JSON.stringify(payload)]);
      const scores = items.flatMap(({ payload, atMs }) => [String(atMs), String(payload.i)]);
      return Promise.all([
        client.sendCommand(['HSET', bodies, ...texts]),
        client.sendCommand(['ZADD', due, ...scores]),
      ]);
    },
    close: () => client.quit(),
  };
}

async function worker({ url, queue, concurrency, handler, onError }) {
  const [reader, timer] = await Promise.all([connect(url), connect(url)]);
  const keys = keysOf(queue);
  await reader.sendCommand(['XGROUP', 'CREATE', keys.stream, group, '0', 'MKSTREAM']).catch(() => {}); // it is there
  const running = { isClosing: false, wake: () => {} };
  const told = (error) => running.isClosing || onError(error);
  void work({ reader, stream: keys.stream, concurrency, handler, running }).catch(told);
  void promote({ timer, keys, running }).catch(told);
  return {
    close: async () => {
      running.isClosing = true;
      running.wake();
      await Promise.all([reader.disconnect(), timer.disconnect()]);
    },
  };
}

async function work({ reader, stream, concurrency, handler, running }) {
  const consumer = String(process.pid);
  const sha = await reader.sendCommand(['SCRIPT', 'LOAD', settleScript]);
  const from = ['GROUP', group, consumer, 'COUNT', String(concurrency), 'BLOCK', '5000', 'STREAMS', stream, '>'];
  while (!running.isClosing) {
    const reply = await reader.sendCommand(['XREADGROUP', ...from]);
    if (!reply) continue;
    const entries = reply[0][1];
    await Promise.all(entries.map(([, fields]) => handler(JSON.parse(fields[1]))));
    await reader.sendCommand(['EVALSHA', sha, '1', stream, ...entries.map(([id]) => id)]);
  }
}

async function promote({ timer, keys, running }) {
  const sha = await timer.sendCommand(['SCRIPT', 'LOAD', promoteScript]);
  const call = ['EVALSHA', sha, '3', keys.due, keys.payloads, keys.stream, String(promoteMax)];
  while (!running.isClosing) {
    const [moved, untilHead] = await timer.sendCommand(call);
    if (moved === promoteMax) continue;
    const waitMs = untilHead === '' ? lookMs : Math.min(lookMs, Math.max(1, Math.ceil(Number(untilHead))));
    await new Promise((resolve) => {
      const timeout = setTimeout(resolve, waitMs);
      running.wake = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }
}

async function remaining(send, queue) {
  const { due, stream } = keysOf(queue);
  const [ready, scheduled] = await Promise.all([send(['XLEN', stream]), send(['ZCARD', due])]);
  return ready + scheduled;
}

export const bare = { load: async () => {}, producer, worker, remaining };
