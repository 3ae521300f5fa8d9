import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LockNode } from '../../src/leader/redlock-client.js';
import { Link } from '../../src/redis/link.js';

/** A Redis server that votes, and can be killed, frozen, thawed, and restarted with an empty memory. */
export class LockServer {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  readonly #links: Link[] = [];
  #operator: Link | undefined;

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
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => /ready to accept connections/i.test(line) && resolve());
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`redis-server ended with ${signal ?? code}`)));
    });
  }

  /** A new connection of its own, as each process has one. */
  connect(): LockNode {
    const link = new Link({ connection: { socket: { path: this.#path } }, purpose: 'lock' });
    this.#links.push(link);
    return link;
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
    this.#operator ??= new Link({ connection: { socket: { path: this.#path } }, purpose: 'operator' });
    return this.#operator.send(args);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#links, this.#operator].map((link) => link?.stop()));
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, 's');
  }
}
