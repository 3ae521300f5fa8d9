import { Queue, type QueueOptions } from '../../index.js';
import { newToken, RedisLink, type RedisServer } from '../../testing.js';
import { Actor } from './actor.js';
import { removeKeys } from '../demo/own-keys.js';
import type { RoleName } from './history/records.js';
import type { Cluster } from './cluster/cluster.js';
import type { Hand } from './cluster/hand.js';
import type { HistoryWriter } from './history/writer.js';
import type { Plan } from './plan.js';
import { Proxy, proxyTo, type Target } from './proxy.js';
import { Recurring } from './recurring.js';
import type { Replicas } from './replicas.js';
import type { Seeded } from './seeded.js';
import { type Servers, startServers } from './servers.js';
import { Shim } from './shim/shim.js';

export const queueName = 'campaign';
const operatorTimeoutMs = 10_000;
const growMsMax = 2_000;
/** Of a Redis that is away the command line tells within 5 s. */
const reachMs = 4_000;

export interface ArenaParts {
  readonly plan: Plan;
  readonly draws: Seeded;
  readonly writer: HistoryWriter;
  readonly onTrouble: (text: string) => void;
}

/**
 * What a campaign plays on: a Redis, lock nodes, and the actors around them, each behind a network of its own. On a
 * Redis that is somebody's it keeps to a prefix that nobody else has, and removes it at the end.
 */
export class Arena {
  readonly plan: Plan;
  readonly prefix: string = `duestream-verify-${newToken()}`;
  readonly actors: Actor[] = [];
  /** A connection without faults: the campaign's own eyes and hands. */
  readonly link: Hand;
  /** The Redis that was started for it, which may be killed. */
  readonly redis: RedisServer | undefined;
  /** Or several, of which one is the master. */
  readonly replicas: Replicas | undefined;
  /** Or three masters with their replicas. */
  readonly cluster: Cluster | undefined;
  readonly lockNodes: readonly RedisServer[];
  /** What is added by schedules. */
  readonly recurring: Recurring;
  /** In Redis and in every actor, by its name; a word why not, where it can't be made. */
  readonly shim: Shim | string;
  /** For the campaign's own eyes. */
  readonly connection: NonNullable<QueueOptions['connection']>;
  readonly #parts: ArenaParts;
  readonly #ownWay: Proxy | undefined;
  #partitionCount: number;

  private constructor(parts: ArenaParts, { redis, replicas, cluster, ownWay, lockNodes, shim }: Servers) {
    this.plan = parts.plan;
    this.#partitionCount = parts.plan.partitions;
    this.#parts = parts;
    this.redis = redis;
    this.replicas = replicas;
    this.cluster = cluster;
    this.lockNodes = lockNodes;
    this.shim = shim;
    this.#ownWay = ownWay;
    this.connection = cluster?.url ?? ownWay?.url ?? redis?.connection ?? parts.plan.connection ?? '';
    this.link = this.newHand('campaign', operatorTimeoutMs);
    const { connection, prefix } = this;
    const { partitions } = parts.plan;
    this.recurring = new Recurring({ queue: queueName, connection, prefix, partitions, writer: parts.writer });
  }

  static async open(parts: ArenaParts): Promise<Arena> {
    const tagOf = (partition: number): string => `{${queueName}:${partition}}`;
    const arena = new Arena(parts, await startServers({ ...parts, tagOf }));
    try {
      await arena.link.send(['PING'], { timeoutMs: reachMs });
      await arena.#create();
      return arena;
    } catch (error) {
      await arena.close();
      throw error;
    }
  }

  /** The numbers of the queue's partitions. */
  get partitions(): number[] {
    return Array.from({ length: this.#partitionCount }, (_, partition) => partition);
  }

  /** Makes it so many, with whatever is broken meanwhile: whoever begins it, others see it through. */
  async grow(partitions: number): Promise<void> {
    this.#partitionCount = partitions;
    const patience = { repeatFor: growMsMax, commandTimeout: growMsMax };
    const queue = new Queue(queueName, { connection: this.connection, prefix: this.prefix, ...patience });
    try {
      for (const partition of this.partitions)
        await this.link.send(['HSET', this.key('meta', partition), 'audit', '1']);
      await queue.grow(partitions);
    } finally {
      await queue.close();
    }
  }

  /** Another connection of the campaign's own: nothing else is asked on it. */
  newHand(purpose: string, commandTimeoutMs: number): Hand {
    const { cluster, connection } = this;
    return cluster?.newHand(purpose, commandTimeoutMs) ?? new RedisLink({ connection, purpose, commandTimeoutMs });
  }

  /** To each of the servers that were started for it and are no lock nodes. */
  async sendToAll(command: readonly string[]): Promise<void> {
    if (this.cluster === undefined) await this.link.send(command);
    else await Promise.all(this.cluster.nodes.map((node) => node.send(...command)));
  }

  /** A partition's key, as docs/wire-format.md has it. */
  key(name: string, partition = 0): string {
    return `${this.prefix}:{${queueName}:${partition}}:${name}`;
  }

  /** Who leads, as far as was seen last. */
  leadingPid = 0;

  get leading(): Actor | undefined {
    return this.actors.find(({ pid }) => pid === this.leadingPid);
  }

  of(role: RoleName): Actor[] {
    return this.actors.filter((actor) => actor.role === role);
  }

  async cast(): Promise<void> {
    const { producers, leaders, workers } = this.plan;
    for (const [role, count] of [
      ['producer', producers],
      ['leader', leaders],
      ['worker', workers],
    ] as const) {
      for (let at = 1; at <= count; at += 1) this.actors.push(await this.#newActor(role, `${role}-${at}`));
    }
    await Promise.all(this.actors.map((actor) => actor.start()));
  }

  async close(): Promise<void> {
    try {
      for (const actor of this.actors) if (actor.isAlive) await actor.kill();
      for (const { proxies } of this.actors) await Promise.all(proxies.map((proxy) => proxy.stop()));
      const { link, plan } = this;
      if (plan.connection !== undefined && link instanceof RedisLink && link.life > 0) {
        await removeKeys(link, this.prefix);
      }
    } finally {
      await Promise.all([this.link.stop(), this.recurring.close()]);
      const ours = [this.redis, this.replicas, this.cluster, this.#ownWay, ...this.lockNodes];
      await Promise.all(ours.map(async (one) => one?.stop()));
      if (this.shim instanceof Shim) await this.shim.close();
    }
  }

  /** The queue, and on each of its partitions that Redis is to note what is done there. */
  async #create(): Promise<void> {
    const { partitions } = this.plan;
    const queue = new Queue(queueName, { connection: this.connection, prefix: this.prefix, partitions });
    try {
      await queue.create();
    } finally {
      await queue.close();
    }
    for (const partition of this.partitions) {
      await this.link.send(['HSET', this.key('meta', partition), 'layout', `1/${partitions}`, 'audit', '1']);
    }
  }

  async #newWay(): Promise<Proxy> {
    const way = await proxyTo(targetOf(this.redis ?? this.replicas?.master, this.plan.connection));
    this.replicas?.follow(way);
    return way;
  }

  async #newActor(role: RoleName, name: string): Promise<Actor> {
    const { plan, writer, onTrouble, draws } = this.#parts;
    const way = this.cluster ?? (await this.#newWay());
    const votes = role === 'leader' ? await Promise.all(this.lockNodes.map((node) => proxyTo(node))) : [];
    const own = draws.branch();
    const share = plan.tasksPerSecond / plan.producers;
    return new Actor({
      role,
      name,
      proxies: way instanceof Proxy ? [way, ...votes] : votes,
      writer,
      onTrouble,
      ...(this.shim instanceof Shim && { env: this.shim.envOf(name) }),
      setting: (life) => ({
        role,
        name: life,
        connection: way instanceof Proxy ? throughProxy(plan.connection, way) : way.url,
        durability: plan.durability,
        lockNodes: votes.map(({ url }) => url),
        prefix: this.prefix,
        queue: queueName,
        historyFolder: plan.historyFolder,
        seed: Math.floor(own.next() * 2 ** 31),
        leaseMs: plan.leaseMs,
        lockTtlMs: plan.lockTtlMs,
        concurrency: plan.concurrency,
        tasksPerSecond: share,
      }),
    });
  }
}

function targetOf(redis: RedisServer | undefined, connection: string | undefined): Target {
  if (redis !== undefined) return redis;
  const { protocol, hostname, port, pathname } = new URL(connection ?? '');
  if (protocol === 'unix:') return { socketPath: decodeURIComponent(pathname) };
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 6379) };
}

/** The same user, password and database, by way of the proxy. */
function throughProxy(connection: string | undefined, proxy: Proxy): string {
  if (connection === undefined || connection.startsWith('unix:')) return proxy.url;
  const url = new URL(connection);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  return url.href;
}
