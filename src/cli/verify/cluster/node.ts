import { once } from 'node:events';
import { createServer } from 'node:net';
import { launchRedis, RedisLink, type RedisServer } from '../../../testing.js';
import type { Plan } from '../plan.js';
import { Seeded } from '../seeded.js';
import { ask, host } from '../server-talk.js';

/** Below the ports that systems give to outgoing connections, for a node that was killed wants its own back. */
const portMin = 11_000;
const portMax = 21_000;
const busOffset = 10_000;
const launchTries = 5;
/** A call of the campaign's own: a node that is frozen costs no more than that. */
const callMs = 5_000;

/** After so long without a word a node is taken for dead, by those who have not heard of it. */
export const nodeTimeoutMs = 2_000;

/** Of a node that takes part in failovers within seconds. */
export const nodeSettings: readonly string[] = [
  ['--cluster-enabled', 'yes'],
  ['--cluster-node-timeout', String(nodeTimeoutMs)],
  ['--cluster-require-full-coverage', 'no'],
  ['--cluster-replica-validity-factor', '0'],
  ['--cluster-allow-replica-migration', 'no'],
  ['--repl-diskless-sync-delay', '0'],
  ['--repl-ping-replica-period', '1'], // a replica counts once it has got something
].flat();

/** Which ports is the machine's matter, and not the seed's: two campaigns may have the same. */
const draws = new Seeded(process.pid);

/** One server of a cluster. It keeps its address, its file and its id when it is killed and started again. */
export class ClusterNode {
  readonly server: RedisServer;
  readonly port: number;
  readonly #operator: RedisLink;
  #id = '';

  private constructor(server: RedisServer) {
    this.server = server;
    this.port = server.port ?? 0;
    this.#operator = this.newLink('operator', callMs);
  }

  static async launch({ appendonly }: Pick<Plan, 'appendonly'>): Promise<ClusterNode> {
    for (let tries = 1; ; tries += 1) {
      const port = await freePortPair((low, high) => Math.floor(draws.between(low, high)));
      try {
        const node = new ClusterNode(await launchRedis({ port, appendonly, args: nodeSettings }));
        node.#id = String(await node.send('CLUSTER', 'MYID'));
        return node;
      } catch (error) {
        if (tries === launchTries) throw error; // somebody was faster to the port
      }
    }
  }

  get id(): string {
    return this.#id;
  }

  /** As the cluster calls it. */
  get address(): string {
    return `${host}:${this.port}`;
  }

  /** Another connection, to this node whatever becomes of it. */
  newLink(purpose: string, commandTimeoutMs: number): RedisLink {
    const { connection } = this.server;
    const target = { shown: this.address, kind: 'cluster', locate: () => Promise.resolve(connection) } as const;
    return new RedisLink({ connection: { ...target, misleads: () => false }, purpose, commandTimeoutMs });
  }

  async send(...args: readonly (string | number)[]): Promise<unknown> {
    return this.#operator.send(args.map(String));
  }

  /** What it answers at once, on a connection that is new; empty when it does not. */
  tell(command: string): Promise<string> {
    return ask(this.port, command);
  }

  async stop(): Promise<void> {
    await this.#operator.stop();
    await this.server.stop();
  }
}

/** A port whose bus port is free as well. `draw`: a whole number from low up to, and without, high. */
export async function freePortPair(draw: (low: number, high: number) => number): Promise<number> {
  for (;;) {
    const port = draw(portMin, portMax);
    if ((await isFree(port)) && (await isFree(port + busOffset))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, host);
  const isOurs = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (isOurs) {
    server.close();
    await once(server, 'close');
  }
  return isOurs;
}
