import { launchRedis, type RedisServer } from '../../testing.js';
import type { HistoryWriter } from './history/writer.js';
import { Cluster } from './cluster/cluster.js';
import type { Plan } from './plan.js';
import { type Proxy, proxyTo } from './proxy.js';
import { Replicas } from './replicas.js';
import { Shim } from './shim/shim.js';

/** What a campaign starts besides its actors. */
export interface Servers {
  readonly redis?: RedisServer;
  readonly replicas?: Replicas;
  readonly cluster?: Cluster;
  /** The campaign's own way to a master that moves. */
  readonly ownWay?: Proxy;
  readonly lockNodes: readonly RedisServer[];
  readonly shim: Shim | string;
}

/** One append-only file for the whole campaign: a power loss cuts it. */
const redisArgs = ['--auto-aof-rewrite-percentage', '0'];

export interface ServersParts {
  readonly plan: Plan;
  readonly writer: HistoryWriter;
  /** The hash tag of a partition. */
  readonly tagOf: (partition: number) => string;
}

export async function startServers({ plan, writer, tagOf }: ServersParts): Promise<Servers> {
  const lockNodes: RedisServer[] = [];
  for (let at = 0; at < plan.lockNodes; at += 1) lockNodes.push(await launchRedis({ port: 'free' }));
  if (plan.connection !== undefined) return { lockNodes, shim: 'it is for a Redis of its own only' };
  if (plan.servers === 'replicated') {
    return { lockNodes, shim: 'its Redis is replicated', ...(await replicated(plan, writer)) };
  }
  if (plan.servers === 'cluster') {
    return { lockNodes, shim: 'its Redis is a cluster', cluster: await Cluster.open({ plan, writer, tagOf }) };
  }
  const shim = await Shim.prepare();
  const env = shim instanceof Shim ? shim.envOf('redis') : {};
  const redis = await launchRedis({ port: 'free', appendonly: plan.appendonly, args: redisArgs, env });
  return { redis, lockNodes, shim };
}

async function replicated(plan: Plan, writer: HistoryWriter): Promise<Pick<Servers, 'replicas' | 'ownWay'>> {
  const replicas = await Replicas.open({ plan, writer });
  const ownWay = await proxyTo(replicas.master);
  replicas.follow(ownWay);
  return { replicas, ownWay };
}
