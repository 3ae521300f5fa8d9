import { launchRedis, newToken, RedisLink, type RedisServer, ServerClock } from '../../testing.js';
import { exitCodes, Failure, lineOf } from '../failure.js';
import { hostOf } from '../redis-address.js';
import { removeKeys } from './own-keys.js';

const commandTimeoutMs = 4_000;

/**
 * The Redis the demo plays on: one of its own, or one that is there, under a prefix that nobody else has. Closing it
 * leaves nothing behind: the own server goes with its folder, in another's the keys of that prefix go.
 */
export class Stage {
  readonly connection: string;
  /** Where that is, for people. */
  readonly place: string;
  readonly prefix: string;
  readonly link: RedisLink;
  readonly clock: ServerClock;
  readonly #server: RedisServer | undefined;

  private constructor(connection: string, server?: RedisServer) {
    this.connection = connection;
    this.place = server === undefined ? `Redis at ${hostOf(connection)}` : `a Redis of its own, pid ${server.pid}`;
    this.#server = server;
    this.prefix = `duestream-demo-${newToken()}`;
    this.link = new RedisLink({ connection, purpose: 'demo', commandTimeoutMs });
    this.clock = new ServerClock({ link: this.link });
  }

  /** Without a connection it starts a server. */
  static async open(connection: string | undefined): Promise<Stage> {
    const stage = connection === undefined ? await Stage.#onOwnServer() : new Stage(connection);
    try {
      await stage.clock.start();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  static async #onOwnServer(): Promise<Stage> {
    try {
      const server = await launchRedis({ port: 'free' });
      return new Stage(server.url, server);
    } catch (error) {
      const otherwise = 'or name a Redis that runs: duestream demo --redis redis://127.0.0.1:6379';
      throw new Failure(exitCodes.failed, `${lineOf(error)}; ${otherwise}`, { cause: error });
    }
  }

  /** Those that run for it, in words. */
  get processes(): string[] {
    return this.#server === undefined ? [] : [`Redis (pid ${this.#server.pid})`];
  }

  /** A partition's key, as docs/wire-format.md has it. */
  key(queue: string, name: string): string {
    return `${this.prefix}:{${queue}:0}:${name}`;
  }

  async close(): Promise<void> {
    this.clock.stop();
    try {
      if (this.#server === undefined && this.link.life > 0) await removeKeys(this.link, this.prefix);
    } finally {
      await this.link.stop();
      await this.#server?.stop();
    }
  }
}
