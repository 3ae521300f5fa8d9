import { launchRedis, type RedisServer } from '../../testing.js';
import { nowMs } from './history/instant.js';
import type { HistoryWriter } from './history/writer.js';
import type { Plan } from './plan.js';
import type { Proxy } from './proxy.js';
import { ask, host, until } from './server-talk.js';

const masterName = 'campaign';
const serversCount = 3;
const sentinelsCount = 3;
const downAfterMs = 1_000;
/** The next failover of the same master may begin twice that after the last one. */
const failoverMs = 3_000;
const maxLagSeconds = 2;
/** A sentinel gives a master that came back 8 s, and looks every 10. */
const settleMsMax = 90_000;
const promoteMsMax = 30_000;

export interface ReplicasParts {
  readonly plan: Pick<Plan, 'appendonly' | 'minReplicas'>;
  readonly writer: Pick<HistoryWriter, 'note'>;
}

/**
 * A replicated Redis: a master, two replicas, and three Sentinels that promote one of them when the master is gone. The
 * ways of its clients are the address that moves: they lead where the Sentinels say. A connection that is there stays
 * where it is, also at a master that is none any more.
 */
export class Replicas {
  readonly #servers: readonly RedisServer[];
  readonly #sentinels: readonly RedisServer[];
  readonly #writer: Pick<HistoryWriter, 'note'>;
  readonly #ways: Proxy[] = [];
  #master: RedisServer;

  private constructor(
    servers: readonly RedisServer[],
    sentinels: readonly RedisServer[],
    writer: Pick<HistoryWriter, 'note'>,
  ) {
    this.#servers = servers;
    this.#sentinels = sentinels;
    this.#writer = writer;
    this.#master = servers[0] as RedisServer;
  }

  /** Resolves when all know one another, and the replicas are in sync. */
  static async open({ plan, writer }: ReplicasParts): Promise<Replicas> {
    const servers: RedisServer[] = [];
    const sentinels: RedisServer[] = [];
    const replicas = async (): Promise<Replicas> => {
      for (let at = 0; at < serversCount; at += 1) servers.push(await launchRedis(serverOptions(plan)));
      const [master, ...others] = servers as [RedisServer, ...RedisServer[]];
      await Promise.all(others.map(({ port }) => ask(port, `REPLICAOF ${host} ${master.port}`)));
      for (let at = 0; at < sentinelsCount; at += 1) {
        sentinels.push(await launchRedis({ port: 'free', sentinel: sentinelConfig(master) }));
      }
      const made = new Replicas(servers, sentinels, writer);
      await made.settled();
      return made;
    };
    return replicas().catch(async (error: unknown) => {
      await Promise.all([...servers, ...sentinels].map((server) => server.stop()));
      throw error;
    });
  }

  /** As the Sentinels said last. */
  get master(): RedisServer {
    return this.#master;
  }

  /** For those who ask the Sentinels themselves. */
  get url(): string {
    return `redis+sentinel://${this.#sentinels.map(addressOf).join()}/${masterName}`;
  }

  /** From now on it leads to whoever is the master. */
  follow(way: Proxy): void {
    way.target = this.#master;
    this.#ways.push(way);
  }

  /** The master is frozen or killed, the Sentinels promote another, and the address moves there. Tells who it was. */
  async failOver(how: 'freeze' | 'kill'): Promise<RedisServer> {
    const old = this.#master;
    const goneAtMs = nowMs();
    await old.kill(how === 'freeze' ? 'SIGSTOP' : 'SIGKILL');
    this.#note(old, how === 'freeze' ? 'frozen' : 'killed');
    this.#master = await this.#promoted();
    for (const way of this.#ways) way.target = this.#master;
    const [from, to] = [addressOf(old), addressOf(this.#master)];
    this.#writer.note({ what: 'failover', from, to, tookMs: Math.round(nowMs() - goneAtMs) });
    return old;
  }

  /** It is back, and master still to those who are connected to it, until a Sentinel demotes it. */
  async bringBack(old: RedisServer, how: 'freeze' | 'kill'): Promise<void> {
    await (how === 'freeze' ? old.kill('SIGCONT') : old.start());
    this.#note(old, how === 'freeze' ? 'thawed' : 'started');
  }

  /** Resolves when it is a replica, and all is as it was before, but for who is the master. */
  async demoted(old: RedisServer): Promise<void> {
    await until(() => isReplica(old), 'the old master is a replica', settleMsMax);
    this.#note(old, 'demoted');
    await this.settled();
  }

  /** All Sentinels name the same master, know all others, and the replicas are in sync with it. */
  async settled(): Promise<void> {
    await until(() => this.#isSettled(), 'the replicas are in sync, and the Sentinels agree', settleMsMax);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.#servers].map((server) => server.stop()));
  }

  /** The first that any Sentinel names, as a client would ask, and that says the same of itself. */
  async #promoted(): Promise<RedisServer> {
    let found: RedisServer | undefined;
    const named = async (): Promise<boolean> => {
      const words = await Promise.all(
        this.#sentinels.map(({ port }) => ask(port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}`)),
      );
      const others = this.#servers.filter((server) => server !== this.#master);
      found = others.find(({ port }) => words.some((word) => word.includes(`\r\n${port}\r\n`)));
      return found !== undefined && (await ask(found.port, 'INFO replication')).includes('role:master');
    };
    await until(named, 'the Sentinels have promoted a replica', promoteMsMax);
    return found as RedisServer;
  }

  async #isSettled(): Promise<boolean> {
    const { port } = this.#master;
    const about = `status=ok,address=${host}:${port},slaves=${serversCount - 1},sentinels=${sentinelsCount}`;
    const views = await Promise.all(this.#sentinels.map((sentinel) => ask(sentinel.port, 'INFO sentinel')));
    if (!views.every((view) => view.includes(about))) return false;
    const online = /^slave\d+:.*state=online,offset=\d+,lag=[01]\b/gm;
    return ((await ask(port, 'INFO replication')).match(online) ?? []).length === serversCount - 1;
  }

  #note(server: RedisServer, phase: 'frozen' | 'killed' | 'thawed' | 'started' | 'demoted'): void {
    this.#writer.note({ what: 'server', address: addressOf(server), phase });
  }
}

function addressOf({ port }: RedisServer): string {
  return `${host}:${port}`;
}

/** Without a delay before a replica's copy is sent, for it is small. */
function serverOptions({ appendonly, minReplicas }: ReplicasParts['plan']): Parameters<typeof launchRedis>[0] {
  const lag = ['--min-replicas-to-write', String(minReplicas), '--min-replicas-max-lag', String(maxLagSeconds)];
  return { port: 'free', appendonly, args: ['--repl-diskless-sync-delay', '0', ...lag] };
}

function sentinelConfig({ port }: RedisServer): string[] {
  return [
    `sentinel monitor ${masterName} ${host} ${port} ${Math.floor(sentinelsCount / 2) + 1}`,
    `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
    `sentinel failover-timeout ${masterName} ${failoverMs}`,
    `sentinel parallel-syncs ${masterName} 1`,
  ];
}

async function isReplica({ port }: RedisServer): Promise<boolean> {
  return (await ask(port, 'INFO replication')).includes('master_link_status:up');
}
