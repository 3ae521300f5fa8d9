import type { RedisServer } from '../../../testing.js';
import type { Arena } from '../arena.js';
import type { Cost } from '../history/records.js';
import type { Fault, Making } from './fault.js';

const bulkTasks = 30;
/** A piece of a reply that large is in the middle of a big one. */
const bigPiece = 16_384;
const bigReplyWaitMs = 4_000;

/** Faults of each server that was started for the campaign, one by one. */
export const everywhereFaults: readonly Fault[] = [
  everywhere('script-flush', async ({ arena, wait }) => {
    for (let times = 0; times < 5; times += 1) {
      await arena.sendToAll(['SCRIPT', 'FLUSH', 'SYNC']);
      await wait(100);
    }
  }),
  everywhere('client-kill', async ({ arena, wait }) => {
    for (let times = 0; times < 3; times += 1) {
      await arena.sendToAll(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
      await arena.sendToAll(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await wait(300);
    }
  }),
];

/** Faults of the server itself; only of one that was started for the campaign. */
export const redisFaults: readonly Fault[] = [
  onRedis('redis-kill', [], async (redis, { wait, draws }) => {
    await redis.kill('SIGKILL');
    await wait(draws.between(0, 1_500));
    await redis.start();
  }),
  onRedis('redis-kill-in-reply', [], async (redis, making) => {
    await untilBigReply(making);
    await redis.kill('SIGKILL');
    for (const actor of making.arena.of('worker')) for (const proxy of actor.proxies) proxy.heal();
    await making.wait(making.draws.between(0, 1_500));
    await redis.start();
  }),
  onRedis('redis-stall', [], async (redis, { arena, wait, draws }) => {
    await redis.kill('SIGSTOP');
    await wait(arena.plan.leaseMs * draws.between(1, 1.5));
    await redis.kill('SIGCONT');
  }),
  ...everywhereFaults,
  onRedis('redis-full', [], async (_redis, { arena, wait, draws }) => {
    const usedBytes = /used_memory:(\d+)/.exec(String(await arena.link.send(['INFO', 'memory'])))?.[1] ?? '1';
    await arena.link.send(['CONFIG', 'SET', 'maxmemory', usedBytes]);
    await wait(draws.between(1_000, 2_500));
    await arena.link.send(['CONFIG', 'SET', 'maxmemory', '0']);
  }),
];

/** A worker gets a megabyte, and its connection ends in the middle of that, with the server. */
async function untilBigReply({ arena, draws, wait }: Making): Promise<void> {
  let cut = (): void => {};
  const met = new Promise<void>((resolve) => {
    cut = resolve;
  });
  const proxies = arena.of('worker').flatMap((actor) => actor.proxies);
  for (const proxy of proxies) {
    proxy.onReply = (bytes) => {
      if (bytes < bigPiece) return;
      proxy.cutWithin(bytes / 2);
      cut();
    };
  }
  draws.pick(arena.of('producer')).order({ type: 'bulk', tasks: bulkTasks });
  await Promise.race([met, wait(bigReplyWaitMs)]);
  for (const proxy of proxies) proxy.onReply = undefined;
}

function onRedis(
  name: string,
  costs: readonly Cost[],
  run: (redis: RedisServer, making: Making) => Promise<void>,
): Fault {
  return {
    name,
    missing: needsOwnRedis,
    plan: (arena) => ({
      target: 'redis',
      costs,
      holds: ['redis', ...(name === 'redis-kill-in-reply' ? arena.of('worker').map((worker) => worker.name) : [])],
      run: async (making) => {
        if (arena.redis) await run(arena.redis, making);
      },
    }),
  };
}

function everywhere(name: string, run: (making: Making) => Promise<void>): Fault {
  return {
    name,
    missing: (arena) => (arena.cluster === undefined ? needsOwnRedis(arena) : undefined),
    plan: () => ({ target: 'redis', costs: [], holds: ['redis'], run }),
  };
}

function needsOwnRedis({ redis, replicas, cluster }: Arena): string | undefined {
  if (cluster !== undefined) return 'its Redis is a cluster in this campaign';
  if (replicas !== undefined) return 'its Redis is replicated in this campaign';
  return redis === undefined ? 'it is for a Redis of its own only' : undefined;
}
