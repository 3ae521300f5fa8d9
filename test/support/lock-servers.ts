import type { LockNode } from '../../src/leader/redlock-client.js';
import { launchRedis, type RedisServer } from '../../src/redis/embedded.js';
import { Link } from '../../src/redis/link.js';

/** A Redis server that votes, and can be killed, frozen, thawed, and restarted with an empty memory. */
export class LockServer {
  readonly #server: RedisServer;
  readonly #links: Link[] = [];
  #operator: Link | undefined;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  static async start(): Promise<LockServer> {
    return new LockServer(await launchRedis());
  }

  /** A new connection of its own, as each process has one. */
  connect(): LockNode {
    const link = new Link({ connection: this.#server.connection, purpose: 'lock' });
    this.#links.push(link);
    return link;
  }

  command(...args: string[]): Promise<unknown> {
    this.#operator ??= new Link({ connection: this.#server.connection, purpose: 'operator' });
    return this.#operator.send(args);
  }

  /** It keeps nothing on disk: it comes back empty. */
  start(): Promise<void> {
    return this.#server.start();
  }

  kill(): Promise<void> {
    return this.#server.kill('SIGKILL');
  }

  async restartEmpty(): Promise<void> {
    await this.kill();
    await this.start();
  }

  freeze(): Promise<void> {
    return this.#server.kill('SIGSTOP');
  }

  thaw(): Promise<void> {
    return this.#server.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
    await this.#operator?.stop();
    await this.#server.stop();
  }
}
