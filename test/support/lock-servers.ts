import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from 'redis';
import type { LockNode } from '../../src/leader/redlock-client.js';

type Client = ReturnType<typeof createClient>;

/** A Redis server that votes, and can be killed, frozen, thawed, and restarted with an empty memory. */
export class LockServer {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  readonly #nodes: ClientNode[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<LockServer> {
    const server = new LockServer(await mkdtemp(join(tmpdir(), 'lock-')));
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const flags = ['--port', '0', '--unixsocket', this.#path, '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', flags, { cwd: this.#folder, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('Ready to accept connections')) break;
    }
    child.stdout.resume();
  }

  /** A new connection of its own, as each process has one. */
  connect(): LockNode {
    const node = new ClientNode(this.#path);
    this.#nodes.push(node);
    return node;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async restartEmpty(): Promise<void> {
    await this.kill();
    await this.start();
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async command(...args: string[]): Promise<unknown> {
    const node = new ClientNode(this.#path);
    try {
      return await node.send(args);
    } finally {
      node.drop();
    }
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) node.drop();
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, 's');
  }
}

/** One client object per life of a connection, and never the same again. */
class ClientNode implements LockNode {
  readonly #path: string;
  #client: Promise<Client> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async send(args: readonly string[]): Promise<unknown> {
    this.#client ??= this.#open();
    const client = await this.#client;
    return client.sendCommand([...args]);
  }

  drop(): void {
    const dropped = this.#client;
    this.#client = undefined;
    dropped?.then((client) => client.disconnect()).catch(() => {});
  }

  async #open(): Promise<Client> {
    const client = createClient({ socket: { path: this.#path, reconnectStrategy: false }, disableClientInfo: true });
    client.on('error', () => {
      this.#client = undefined;
    });
    try {
      await client.connect();
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
    return client;
  }
}
