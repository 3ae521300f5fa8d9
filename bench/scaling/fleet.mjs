import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchRedis } from '../../dist/testing.js';
import { Server } from '../server.mjs';

const slots = 16_384;
const portMin = 11_000;
const portMax = 21_000;
const clusterArgs = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'];

/** One Redis server, or the masters of a Redis Cluster; figures are those of all together. */
export class Fleet {
  url;
  #servers;

  static async launch(masters) {
    if (masters === 1) {
      const server = await Server.launch('none');
      return new Fleet(server.url, [server]);
    }
    const nodes = [];
    try {
      for (let at = 0; at < masters; at += 1) nodes.push(await launchNode());
      await join(nodes);
      return new Fleet(`redis+cluster://${nodes.map(({ url }) => new URL(url).host).join(',')}`, nodes);
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop()));
      throw error;
    }
  }

  constructor(url, servers) {
    this.url = url;
    this.#servers = servers;
  }

  get masters() {
    return this.#servers.length;
  }

  async redisVersion() {
    return (await this.#servers[0].info('server')).redis_version;
  }

  async empty() {
    await Promise.all(this.#servers.map((server) => server.empty()));
  }

  cpuMicros() {
    return this.#sum((server) => server.cpuMicros());
  }

  memoryBytes() {
    return this.#sum((server) => server.memoryBytes());
  }

  wireBytes() {
    return this.#sum(async (server) => {
      const { total_net_input_bytes: heard, total_net_output_bytes: said } = await server.info('stats');
      return Number(heard) + Number(said);
    });
  }

  connections() {
    return this.#sum(async (server) => (await server.clientAddresses()).size);
  }

  async stop() {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async #sum(read) {
    const values = await Promise.all(this.#servers.map(read));
    return values.reduce((total, value) => total + value, 0);
  }
}

/** Its bus has the port 10,000 above its own. */
async function launchNode() {
  for (let tries = 1; ; tries += 1) {
    try {
      return await Server.over(await launchRedis({ port: randomInt(portMin, portMax), args: clusterArgs }));
    } catch (error) {
      if (tries === 5) throw error; // somebody may be at that port
    }
  }
}

async function join(nodes) {
  const width = Math.ceil(slots / nodes.length);
  for (const [at, node] of nodes.entries()) {
    const last = Math.min(slots, (at + 1) * width) - 1;
    await node.send(['CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1)]);
    await node.send(['CLUSTER', 'ADDSLOTSRANGE', String(at * width), String(last)]);
    if (at > 0) await node.send(['CLUSTER', 'MEET', '127.0.0.1', new URL(nodes[0].url).port]);
  }
  for (const node of nodes) await untilWhole(node, nodes.length);
}

async function untilWhole(node, masters) {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 50) {
    const ranges = await node.send(['CLUSTER', 'SLOTS']);
    const isOk = String(await node.send(['CLUSTER', 'INFO'])).includes('cluster_state:ok');
    if (isOk && ranges.length === masters) return;
    await sleep(50);
  }
  throw new Error('the nodes of the cluster did not come together within 20 s');
}
