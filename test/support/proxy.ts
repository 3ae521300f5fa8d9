import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { RedisServer } from '../../src/redis/embedded.js';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** How many bytes of replies may still pass. */
  budget: number;
}

export type Direction = 'requests' | 'replies' | 'both';

/**
 * A network between a client and Redis that can fail as networks do: a reply that ends in the middle, a host that
 * swallows everything without a word, latency, resets, a port where nobody listens.
 */
export class Proxy {
  /** Where new connections go. Those that are there stay where they are. */
  target: RedisServer;
  readonly #pairs = new Set<Pair>();
  #server: Server;
  #holds: ReadonlySet<Direction> = new Set();
  #latencyMs = 0;
  port = 0;
  /** Connections that came so far. */
  connections = 0;
  /** Connections that were cut by `cutAfter`. */
  cuts = 0;
  /** Bytes of replies that came from Redis. */
  replyBytes = 0;
  /** Asked for each new connection: after how many bytes of replies it is cut. */
  cutAfter: () => number = () => Number.POSITIVE_INFINITY;

  private constructor(target: RedisServer) {
    this.target = target;
    this.#server = this.#newServer();
  }

  static async before(target: RedisServer): Promise<Proxy> {
    const proxy = new Proxy(target);
    await proxy.#listen(0);
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Nothing arrives any more and nobody is told, as with a host that lost its power. What is under way waits. */
  blackHole(direction: Direction = 'both'): void {
    this.#holds = new Set(direction === 'both' ? ['requests', 'replies', 'both'] : [direction]);
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Everything flows again, and what waited arrives. */
  heal(): void {
    this.#holds = new Set();
    this.#latencyMs = 0;
    this.cutAfter = () => Number.POSITIVE_INFINITY;
    for (const pair of this.#pairs) {
      pair.budget = Number.POSITIVE_INFINITY;
      this.#apply(pair);
    }
  }

  /** Every chunk takes this much longer, either way. */
  delay(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  /** Ends all connections with a reset. */
  reset(): void {
    for (const pair of this.#pairs) {
      pair.client.resetAndDestroy();
      pair.server.destroy();
    }
  }

  /** From now on connections are refused, and those that are there reset. */
  async close(): Promise<void> {
    this.reset();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  /** Listens again, on the same port. */
  async reopen(): Promise<void> {
    this.#server = this.#newServer();
    await this.#listen(this.port);
  }

  async stop(): Promise<void> {
    this.heal();
    await this.close();
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address) this.port = address.port;
  }

  #newServer(): Server {
    return createServer({ noDelay: true }, (client) => this.#join(client));
  }

  #join(client: Socket): void {
    this.connections += 1;
    const { socketPath, port = 0 } = this.target;
    const server = socketPath === undefined ? connect(port, '127.0.0.1') : connect(socketPath);
    const pair: Pair = { client, server, budget: this.cutAfter() };
    this.#pairs.add(pair);
    const end = (): void => {
      client.destroy();
      server.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, server]) socket.on('error', end);
    client.on('close', end);
    server.on('close', () => client.end()); // not destroyed: what was passed on must still arrive
    client.on('data', (chunk) => this.#pass(server, chunk));
    server.on('data', (chunk) => this.#reply(pair, chunk));
    this.#apply(pair);
  }

  #apply({ client, server }: Pair): void {
    if (this.#holds.has('requests')) client.pause();
    else client.resume();
    if (this.#holds.has('replies')) server.pause();
    else server.resume();
  }

  #reply(pair: Pair, chunk: Buffer): void {
    this.replyBytes += chunk.length;
    const passing = chunk.subarray(0, Math.max(0, pair.budget));
    pair.budget -= chunk.length;
    if (pair.budget > 0) return this.#pass(pair.client, passing);
    if (pair.client.destroyed) return;
    this.cuts += 1;
    pair.server.destroy();
    pair.client.end(passing);
  }

  #pass(to: Socket, chunk: Buffer): void {
    const write = (): void => {
      if (!to.destroyed && to.writable) to.write(chunk);
    };
    if (this.#latencyMs === 0) write();
    else setTimeout(write, this.#latencyMs);
  }
}
