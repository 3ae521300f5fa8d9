/**
 * The built command as people use it: child processes against a Redis of their own, which is a server on a unix socket
 * for each test file. Nothing of the library is imported: what a test looks at is argv, exit code, stdout and stderr.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from 'redis';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const main = join(root, 'dist/cli/main.js');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string | Buffer;
}

/** A running command: a role, or one that waits for its input. */
export class Command {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<Result>;
  readonly #seen = new Set<() => void>();

  constructor(args: readonly string[], { env = {}, cwd }: { env?: Record<string, string>; cwd: string }) {
    const { DUESTREAM_REDIS_URL: _one, REDIS_URL: _other, NODE_OPTIONS: _third, ...clean } = process.env;
    this.process = spawn(process.execPath, [main, ...args], { cwd, env: { ...clean, ...env } });
    this.process.stdout?.on('data', (chunk) => this.#read('stdout', String(chunk)));
    this.process.stderr?.on('data', (chunk) => this.#read('stderr', String(chunk)));
    this.process.stdin?.on('error', () => undefined); // a command that ends early reads no more
    this.ended = once(this.process, 'close').then(([code]) => {
      for (const look of this.#seen) look();
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  #read(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    for (const look of this.#seen) look();
  }

  /** Resolves once stderr holds it; rejects when the command ended without. */
  says(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(this.stderr)) resolve();
        else if (this.process.exitCode !== null) reject(new Error(`ended without ${pattern}: ${this.stderr}`));
        else return;
        this.#seen.delete(look);
      };
      this.#seen.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}

/** A folder, a Redis in it, and commands that talk to it. */
export class CommandLine {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'duestream-cli-'));
  readonly #running: Command[] = [];
  #redis: ChildProcess | undefined;
  #client: ReturnType<typeof createClient> | undefined;

  get #socket(): string {
    return join(this.folder, 'redis.sock');
  }

  get url(): string {
    return `unix://${this.#socket}`;
  }

  async startRedis(...more: string[]): Promise<void> {
    const flags = ['--port', '0', '--unixsocket', this.#socket, '--save', '', '--appendonly', 'no', ...more];
    const redis = spawn('redis-server', flags, { cwd: this.folder, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#redis = redis;
    for await (const line of createInterface({ input: redis.stdout })) {
      if (/ready to accept connections/i.test(line)) break;
    }
    redis.stdout.resume();
  }

  async stopRedis(): Promise<void> {
    const redis = this.#redis;
    await this.#client?.disconnect();
    this.#client = undefined;
    if (redis === undefined || redis.exitCode !== null || redis.signalCode !== null) return;
    redis.kill('SIGKILL');
    await once(redis, 'exit');
  }

  async send(...command: string[]): Promise<unknown> {
    this.#client ??= await createClient({ socket: { path: this.#socket } })
      .on('error', () => undefined)
      .connect();
    return this.#client.sendCommand(command);
  }

  start(args: readonly string[], { env = {} }: RunOptions = {}): Command {
    const command = new Command(args, { cwd: this.folder, env: { DUESTREAM_REDIS_URL: this.url, ...env } });
    this.#running.push(command);
    return command;
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const command = this.start(args, options);
    command.process.stdin?.end(options.stdin ?? '');
    return command.ended;
  }

  /** The document a command prints, which must end well. */
  async json<T>(args: readonly string[], options?: RunOptions): Promise<T> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], options);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Ends everything that was started. */
  async close(): Promise<void> {
    for (const { process, ended } of this.#running) {
      if (process.exitCode === null && process.signalCode === null) process.kill('SIGKILL');
      await ended;
    }
    await this.stopRedis();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
