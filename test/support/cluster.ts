/** A Redis Cluster on the loopback: three masters, a replica of each, and the hands of an operator. */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { freePortPair, nodeSettings } from '../../src/cli/verify/cluster/node.js';
import { defaultConnection, type ConnectionOption } from '../../src/redis/connection.js';
import { launchRedis, type RedisServer } from '../../src/redis/embedded.js';
import { slotCount, slotOf } from '../../src/redis/cluster/slot.js';
import { Link } from '../../src/redis/link.js';
import { openServers, type Servers } from '../../src/redis/servers.js';
import { type CommonOptions, resolveCommon } from '../../src/options.js';
import { until } from './redis.js';

const masterCount = 3;
export class ClusterNode {
  readonly server: RedisServer;
  readonly port: number;
  id = '';
  readonly #operator: Link;

  constructor(server: RedisServer) {
    this.server = server;
    this.port = server.port ?? 0;
    const target = { shown: this.name, kind: 'cluster', locate: () => Promise.resolve(server.connection) } as const;
    this.#operator = new Link({ connection: target, purpose: 'operator', random: () => 0 });
  }

  static async start(): Promise<ClusterNode> {
    for (let tries = 1; ; tries += 1) {
      const port = await freePortPair(randomInt);
      try {
        const node = new ClusterNode(
          await launchRedis({ port, args: [...nodeSettings, '--enable-debug-command', 'yes'] }),
        );
        node.id = String(await node.send('CLUSTER', 'MYID'));
        return node;
      } catch (error) {
        if (tries === 5) throw error; // somebody was faster to the port
      }
    }
  }

  get name(): string {
    return `127.0.0.1:${this.port}`;
  }

  send(...args: (string | number)[]): Promise<unknown> {
    return this.#operator.send(args.map(String));
  }

  /** The value of a line of INFO or CLUSTER INFO. */
  async told(section: 'server' | 'replication' | 'cluster', field: string): Promise<string | undefined> {
    const text = String(await (section === 'cluster' ? this.send('CLUSTER', 'INFO') : this.send('INFO', section)));
    return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(text)?.[1];
  }

  /** How many connections have this name; `CLIENT SETNAME`. */
  async connections(name: string): Promise<number> {
    return String(await this.send('CLIENT', 'LIST')).split(` name=${name} `).length - 1;
  }

  async stop(): Promise<void> {
    await this.#operator.stop();
    await this.server.stop();
  }
}

export class TestCluster {
  readonly nodes: readonly ClusterNode[];

  constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
  }

  static async start(): Promise<TestCluster> {
    const nodes = await Promise.all(Array.from({ length: 2 * masterCount }, () => ClusterNode.start()));
    const cluster = new TestCluster(nodes);
    try {
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** One of this test's own. */
  static async forTest(): Promise<TestCluster> {
    const cluster = await TestCluster.start();
    onTestFinished(() => cluster.stop());
    return cluster;
  }

  /** At the beginning. */
  get masters(): readonly ClusterNode[] {
    return this.nodes.slice(0, masterCount);
  }

  replicaOf(master: ClusterNode): ClusterNode {
    return this.nodes[this.nodes.indexOf(master) + masterCount] as ClusterNode;
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(({ name }) => name).join(',')}`;
  }

  /** A queue's name whose only partition lies on this master, at the beginning. */
  queueOn(master: ClusterNode, prefix = 'queue'): string {
    const place = this.masters.indexOf(master);
    for (let number = 0; ; number += 1) {
      const name = `${prefix}-${number}`;
      if (placeOf(slotOf(`{${name}:0}`)) === place) return name;
    }
  }

  /** Who serves a slot, as this node knows it. */
  async masterOf(slot: number, asked: ClusterNode): Promise<ClusterNode | undefined> {
    const ranges = (await asked.send('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
    const id = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][2];
    return this.nodes.find((node) => node.id === id);
  }

  /** Moves a slot with its keys, as `redis-cli --cluster reshard` does; `between` runs when half of it is done. */
  async moveSlot(
    slot: number,
    { from, to }: { from: ClusterNode; to: ClusterNode },
    between: () => Promise<unknown> = async () => {},
  ): Promise<void> {
    await to.send('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    const migrate = async (count: number): Promise<boolean> => {
      const keys = (await from.send('CLUSTER', 'GETKEYSINSLOT', slot, count)) as string[];
      if (keys.length > 0) await from.send('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
      return keys.length > 0;
    };
    await migrate(2);
    await between();
    while (await migrate(100));
    for (const node of [to, from]) await node.send('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  }

  /** Waits until the replica of a master that is gone has taken its place, for all that are still there. */
  async untilReplaced(master: ClusterNode): Promise<ClusterNode> {
    const heir = this.replicaOf(master);
    await until(async () => (await heir.told('replication', 'role')) === 'master', 'the replica to become master');
    return heir;
  }

  /** Waits until every node knows every replica: before that nobody votes for it. */
  async untilWhole(): Promise<void> {
    await this.#untilAll('to agree', async (node) => {
      const slots = (await node.send('CLUSTER', 'SLOTS')) as unknown[][];
      const hasAll = slots.length === masterCount && slots.every((range) => range.length === 4);
      return hasAll && (await node.told('cluster', 'cluster_state')) === 'ok';
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #join(): Promise<void> {
    const { nodes, masters } = this;
    const [first] = nodes as [ClusterNode];
    await Promise.all(nodes.map((node, at) => node.send('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)));
    await Promise.all(masters.map((node, at) => node.send('CLUSTER', 'ADDSLOTSRANGE', ...rangeOf(at))));

    for (const node of nodes.slice(1)) await node.send('CLUSTER', 'MEET', '127.0.0.1', first.port);
    await this.#untilAll('to know one another', async (node) => {
      const lines = String(await node.send('CLUSTER', 'NODES'));
      return !lines.includes('handshake') && lines.trimEnd().split('\n').length === nodes.length;
    });
    await Promise.all(masters.map((master) => this.replicaOf(master).send('CLUSTER', 'REPLICATE', master.id)));
    await this.untilWhole();
    for (const master of masters) {
      const isOnline = async (): Promise<boolean> =>
        /state=online/.test((await master.told('replication', 'slave0')) ?? '');
      await until(isOnline, 'a replica to be in step');
    }
  }

  async #untilAll(what: string, holds: (node: ClusterNode) => Promise<boolean>): Promise<void> {
    for (const node of this.nodes) await until(() => holds(node), `the nodes ${what}`);
  }
}

/** One cluster for a test file; call what is returned inside a test. */
export function useCluster(): () => TestCluster {
  let cluster: TestCluster | undefined;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(async () => {
    await cluster?.stop();
  });
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there inside a test only');
    return cluster;
  };
}

/** The servers of a connection as a queue reaches them; closed when the test is over. */
export function serversOf(connection: ConnectionOption, options: CommonOptions<ConnectionOption> = {}): Servers {
  const servers = openServers(resolveCommon({ connection, ...options }, defaultConnection), 'test');
  onTestFinished(() => servers.stop());
  return servers;
}

function rangeOf(place: number): [first: number, last: number] {
  const width = Math.ceil(slotCount / masterCount);
  return [place * width, Math.min(slotCount, (place + 1) * width) - 1];
}

function placeOf(slot: number): number {
  return Math.floor(slot / Math.ceil(slotCount / masterCount));
}
