import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** How many bytes of replies may still pass. */
  budget: number;
  /** Requests that are under way for long: they arrive, even when their sender has given them up. */
  readonly late: Buffer[];
  /** What is under way to each side, in order, when everything takes its time. */
  readonly lines: { readonly client: Line; readonly server: Line };
}

/** One way of one connection: chunks arrive in the order they left, however long each takes. */
class Line {
  readonly #to: Socket;
  readonly #waiting: { readonly chunk: Buffer; readonly atMs: number }[] = [];
  #freeAtMs = 0;

  constructor(to: Socket) {
    this.#to = to;
  }

  /** `latencyMs` from now, and `ms` after what is under way already. */
  pass(chunk: Buffer, { latencyMs, ms }: { latencyMs: number; ms: number }): void {
    const atMs = Math.max(performance.now() + latencyMs, this.#freeAtMs) + ms;
    if (latencyMs + ms === 0 && this.#waiting.length === 0) return this.#write(chunk);
    this.#freeAtMs = atMs;
    this.#waiting.push({ chunk, atMs });
    if (this.#waiting.length === 1) this.#arm();
  }

  #arm(): void {
    const [head] = this.#waiting;
    if (head !== undefined) setTimeout(() => this.#arrive(), Math.max(0, head.atMs - performance.now()));
  }

  #arrive(): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].atMs <= performance.now() + 1) {
      this.#write(this.#waiting.shift()?.chunk as Buffer);
    }
    this.#arm();
  }

  #write(chunk: Buffer): void {
    if (!this.#to.destroyed && this.#to.writable) this.#to.write(chunk);
  }
}

export type Direction = 'requests' | 'replies' | 'both';

/** Where a proxy leads: a socket file, or a port. */
export interface Target {
  readonly socketPath?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** A slow network: bytes at a time, and how long each such piece takes. */
interface Drip {
  readonly bytes: number;
  readonly everyMs: number;
}

const local = '127.0.0.1';

/**
 * A network between a client and Redis that can fail as networks do: a reply that ends in the middle, a host that
 * swallows everything without a word, latency, a slow drip, resets, a port where nobody listens.
 */
export class Proxy {
  /** Where new connections go. Those that are there stay where they are. */
  target: Target;
  readonly #pairs = new Set<Pair>();
  #server: Server;
  #holds: ReadonlySet<Direction> = new Set();
  #latencyMs = 0;
  #drip: Drip | undefined;
  #keepsRequests = false;
  port = 0;
  /** Connections that came so far. */
  connections = 0;
  /** Connections that were cut by `cutAfter`. */
  cuts = 0;
  /** Bytes of replies that came from Redis. */
  replyBytes = 0;
  /** Asked for each new connection: after how many bytes of replies it is cut. */
  cutAfter: () => number = () => Number.POSITIVE_INFINITY;
  /** Told of every piece of a request, before it is passed on. */
  onRequest: ((chunk: Buffer) => void) | undefined;
  /** Told of every piece of a reply, before it is passed on. */
  onReply: ((bytes: number) => void) | undefined;

  constructor(target: Target) {
    this.target = target;
    this.#server = this.#newServer();
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, local);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address) this.port = address.port;
  }

  get url(): string {
    return `redis://${local}:${this.port}`;
  }

  /** Nothing arrives any more and nobody is told, as with a host that lost its power. What is under way waits. */
  blackHole(direction: Direction = 'both'): void {
    this.#holds = new Set(direction === 'both' ? ['requests', 'replies', 'both'] : [direction]);
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Requests stay under way until it is healed, and then arrive: also those of connections that have ended since. */
  keepRequests(): void {
    this.#keepsRequests = true;
  }

  /** Everything flows again, and what waited arrives. */
  heal(): void {
    this.#keepsRequests = false;
    this.#holds = new Set();
    this.#latencyMs = 0;
    this.#drip = undefined;
    this.cutAfter = () => Number.POSITIVE_INFINITY;
    for (const pair of this.#pairs) {
      pair.budget = Number.POSITIVE_INFINITY;
      this.#apply(pair);
      for (const chunk of pair.late.splice(0)) pair.lines.server.pass(chunk, { latencyMs: 0, ms: 0 });
      if (pair.client.destroyed) pair.server.end();
    }
  }

  /** Every chunk takes this much longer, either way. */
  delay(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  /** Replies come in pieces of so many bytes, each after so long. */
  drip(bytes: number, everyMs: number): void {
    this.#drip = { bytes, everyMs };
  }

  /** Connections that are there are cut after so many more bytes of replies: in the middle of one, mostly. */
  cutWithin(bytes: number): void {
    for (const pair of this.#pairs) pair.budget = Math.min(pair.budget, bytes);
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
    await this.listen(this.port);
  }

  async stop(): Promise<void> {
    this.heal();
    await this.close();
  }

  #newServer(): Server {
    return createServer({ noDelay: true }, (client) => this.#join(client));
  }

  #join(client: Socket): void {
    this.connections += 1;
    const { socketPath, host = local, port = 0 } = this.target;
    const server = socketPath === undefined ? connect(port, host) : connect(socketPath);
    const lines = { client: new Line(client), server: new Line(server) };
    const pair: Pair = { client, server, budget: this.cutAfter(), late: [], lines };
    this.#pairs.add(pair);
    const end = (): void => {
      client.destroy();
      server.destroy();
      this.#pairs.delete(pair);
    };
    server.on('error', end);
    client.on('error', () => client.destroy());
    client.on('close', () => {
      if (pair.late.length === 0) end();
    });
    server.on('close', () => client.end()); // not destroyed: what was passed on must still arrive
    client.on('data', (chunk: Buffer) => {
      this.onRequest?.(chunk);
      if (this.#keepsRequests) pair.late.push(chunk);
      else lines.server.pass(chunk, { latencyMs: this.#latencyMs, ms: 0 });
    });
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
    this.onReply?.(chunk.length);
    const passing = chunk.subarray(0, Math.max(0, pair.budget));
    pair.budget -= chunk.length;
    if (pair.budget > 0) return this.#passReply(pair, passing);
    if (pair.client.destroyed) return;
    this.cuts += 1;
    pair.server.destroy();
    pair.client.end(passing);
  }

  #passReply({ lines }: Pair, chunk: Buffer): void {
    const { bytes, everyMs: ms } = this.#drip ?? { bytes: chunk.length, everyMs: 0 };
    for (let from = 0; from < chunk.length; from += bytes) {
      lines.client.pass(chunk.subarray(from, from + bytes), { latencyMs: this.#latencyMs, ms });
    }
  }
}

/** A proxy that listens already. */
export async function proxyTo(target: Target): Promise<Proxy> {
  const proxy = new Proxy(target);
  await proxy.listen();
  return proxy;
}
