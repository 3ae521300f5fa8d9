import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.js';
import { invalid } from '../errors.js';
import type { ConnectionOption } from './connection.js';
import { ask, findServer, freePort, guard } from './machine.js';

/**
 * Starts the redis-server (or valkey-server) of this machine, for tests and the demo: on a socket file or a free port
 * of the loopback, in a folder of its own, ready when it answers. Nothing is downloaded.
 *
 * It does not outlive this process, however that ends: a shell at its side holds the other end of a pipe, and kills it
 * when the pipe closes. An 'exit' listener would miss every signal, and a library installs no signal handlers.
 */
export interface RedisLaunchOptions {
  /** A port of the loopback; `'free'` picks one. Without it the server listens on a socket file only. */
  port?: number | 'free';
  /** Listen on a socket file. Default: when no port is asked for. With both, `connection` goes to the socket file. */
  socket?: boolean;
  /** How Redis writes its append-only file. Default `'no'`: no file. */
  appendonly?: 'always' | 'everysec' | 'no';
  /** More arguments for the server, as on its command line. */
  args?: readonly string[];
  /** More environment for it, at every start: a library to preload. Default: that of this process and no more. */
  env?: Readonly<Record<string, string>>;
  /** Run as a Sentinel, with these lines of configuration; it writes what it learns to the same file. */
  sentinel?: readonly string[];
  /** Where it keeps its files. Default: a new folder, which `stop()` removes. */
  dir?: string;
  /** The server to start. Default: redis-server or valkey-server of the PATH. */
  binary?: string;
}

const startMs = 10_000;
const graceMs = 5_000;
const probeAgainMs = 5;
const portTries = 5;

interface Place {
  readonly binary: string;
  readonly dir: string;
  readonly ownDir: boolean;
  readonly port: number | undefined;
  readonly socketPath: string | undefined;
  /** A file that comes before all flags, as redis-server wants it. */
  readonly config: string | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export async function launchRedis(options: RedisLaunchOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await findServer());
  const { env = {} } = options;
  const ownDir = options.dir === undefined;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'duestream-')));
  const config = options.sentinel && join(dir, 'sentinel.conf');
  for (let tries = 1; ; tries += 1) {
    const port = options.port === 'free' ? await freePort() : options.port;
    const wantsSocket = options.socket ?? port === undefined;
    const socketPath = wantsSocket ? join(dir, 'redis.sock') : undefined;
    const place = { binary, dir, ownDir, port, socketPath, config, args: argsOf(options), env };
    const server = new RedisServer(place);
    try {
      if (config) await writeFile(config, `${options.sentinel?.join('\n')}\n`);
      await server.start();
      return server;
    } catch (error) {
      if (options.port !== 'free' || tries === portTries) {
        await server.stop();
        throw error;
      }
      await server.kill('SIGKILL'); // somebody may have been faster to the port
    }
  }
}

function argsOf({ appendonly = 'no', args = [], sentinel }: RedisLaunchOptions): string[] {
  if (sentinel) return ['--sentinel', ...args];
  const aof = appendonly === 'no' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', appendonly];
  return ['--save', '', ...aof, ...args];
}

/** A server that was started here. Its address stays the same through `kill` and `restart`. */
export class RedisServer {
  readonly #place: Place;
  #child: ChildProcess | undefined;

  constructor(place: Place) {
    if (place.port === undefined && place.socketPath === undefined) {
      throw invalid('a Redis server needs a port or a socket');
    }
    this.#place = place;
  }

  get dir(): string {
    return this.#place.dir;
  }

  get port(): number | undefined {
    return this.#place.port;
  }

  get socketPath(): string | undefined {
    return this.#place.socketPath;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** redis://127.0.0.1:port, or unix:///path, which Duestream understands as well. */
  get url(): string {
    const { port, socketPath } = this.#place;
    return socketPath === undefined ? `redis://127.0.0.1:${port}` : `unix://${encodeURI(socketPath)}`;
  }

  /** For a Queue, a Worker, a Link, and `createClient` of node-redis too. */
  get connection(): ConnectionOption {
    const { port, socketPath } = this.#place;
    return { socket: socketPath === undefined ? { host: '127.0.0.1', port: port ?? 0 } : { path: socketPath } };
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const { binary, dir, port = 0, socketPath, config, args, env } = this.#place;
    const log = openSync(join(dir, 'redis.log'), 'a');
    const unixsocket = socketPath === undefined ? [] : ['--unixsocket', socketPath];
    const flags = [
      ...(config === undefined ? [] : [config]),
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      ...unixsocket,
      '--dir',
      dir,
      '--daemonize',
      'no',
      ...args,
    ];
    // A group of its own: Ctrl-C at the terminal is for the demo, which still needs its Redis to stop in order.
    const child = spawn(binary, flags, {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, ...env },
    });
    closeSync(log);
    child.on('error', () => {}); // it has no pid then
    this.#child = child;
    if (child.pid === undefined) throw invalid(`${binary} could not be started`);
    const shell = guard(child.pid, this.#place.ownDir ? dir : undefined);
    child.once('exit', () => shell.kill('SIGKILL')); // its pid may be another's soon
    await this.#answers(child);
    child.unref();
  }

  /** Sends a signal. Those that end it are waited for; SIGSTOP and SIGCONT are not. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
      child.kill(signal);
      return;
    }
    child.ref();
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Starts it again where it was; kill it before. */
  async restart(): Promise<void> {
    await this.kill('SIGTERM');
    await this.start();
  }

  /** Ends it and removes the folder, if it was made here. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child && isRunning(child)) {
      child.kill('SIGCONT'); // a frozen one would not hear
      const cancel = systemClock.after(graceMs, () => child.kill('SIGKILL'));
      await this.kill('SIGTERM');
      cancel();
    }
    if (this.#place.ownDir) await rm(this.#place.dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answers(child: ChildProcess): Promise<void> {
    const endMs = systemClock.monotonicMs() + startMs;
    const { socketPath, port = 0 } = this.#place;
    while (isRunning(child)) {
      const socket = socketPath === undefined ? connect(port, '127.0.0.1') : connect(socketPath);
      const answer = await ask(socket);
      // With a password it does not say who it is. Without, another server that holds our port is found out.
      if (answer.startsWith('-NOAUTH') || (answer.startsWith('+PONG') && answer.includes(`process_id:${child.pid}\r`)))
        return;
      if (systemClock.monotonicMs() > endMs) break;
      await systemClock.sleep(probeAgainMs);
    }
    const log = await readFile(join(this.#place.dir, 'redis.log'), 'utf8').catch(() => '');
    const ending = log.trimEnd().split('\n').slice(-5).join('\n');
    throw new Error(`${this.#place.binary} did not ${isRunning(child) ? 'answer' : 'start'}: ${ending}`);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
