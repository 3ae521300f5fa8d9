import { type ChildProcess, fork } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RoleName } from './history/records.js';
import type { HistoryWriter } from './history/writer.js';
import type { Proxy } from './proxy.js';
import type { Message, Order, Setting } from './roles/setting.js';

const entry = fileURLToPath(new URL('./roles/role-process.js', import.meta.url));
const stopMsMax = 15_000;

export interface ActorParts {
  readonly role: RoleName;
  /** `worker-2`: all its lives together. */
  readonly name: string;
  /** Its own network: to the queue's Redis, and to each lock node. */
  readonly proxies: readonly Proxy[];
  readonly writer: HistoryWriter;
  readonly setting: (name: string) => Setting;
  /** More environment for its processes: a shim that steps their clock. */
  readonly env?: Readonly<Record<string, string>>;
  /** It ended, and nobody asked it to. */
  readonly onTrouble: (text: string) => void;
}

/** One part in the campaign: a process that is killed and started again, each time as another life with a new name. */
export class Actor {
  readonly role: RoleName;
  readonly name: string;
  readonly proxies: readonly Proxy[];
  readonly #parts: ActorParts;
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #lives = 0;
  #isAsked = false;
  readonly #waiting = new Map<Message['type'], () => void>();

  constructor(parts: ActorParts) {
    this.role = parts.role;
    this.name = parts.name;
    this.proxies = parts.proxies;
    this.#parts = parts;
  }

  /** Of its present life. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isAlive(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Starts the next life; resolves when that is at work. */
  async start(): Promise<void> {
    this.#lives += 1;
    const { writer, setting, env = {}, onTrouble } = this.#parts;
    const life = `${this.name}.${this.#lives}`;
    const wanted = setting(life);
    const log = openSync(join(wanted.historyFolder, `${life}.log`), 'a');
    const child = fork(entry, [this.role], {
      stdio: ['ignore', log, log, 'ipc'],
      execArgv: [],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    this.#process = child;
    this.#isAsked = false;
    const ready = this.#told('ready');
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        const asked = this.#isAsked;
        writer.note({ what: 'process', name: life, phase: 'exited', code, signal, asked });
        if (!asked) onTrouble(`${life} ended by itself: ${signal ?? code}`);
        for (const release of this.#waiting.values()) release();
        resolve();
      });
    });
    child.on('error', (error) => onTrouble(`${life}: ${error.message}`));
    child.on('message', (message: Message) => {
      if (message.type === 'failed') onTrouble(`${life}: ${message.text}`);
      this.#waiting.get(message.type)?.();
    });
    writer.note({ what: 'process', name: life, phase: 'started' });
    this.order({ type: 'prepare', setting: wanted });
    await ready;
  }

  order(order: Order): void {
    if (this.#process?.connected) this.#process.send(order, () => {}); // when it is gone, its exit tells
  }

  /** Asks for it, and resolves when it is so, or the process is gone. */
  async ask(order: Order, answer: Message['type']): Promise<void> {
    if (!this.isAlive) return;
    const told = this.#told(answer);
    this.order(order);
    await told;
  }

  /** No time for a word. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#parts.writer.note({ what: 'process', name: `${this.name}.${this.#lives}`, phase: 'killed' });
    this.#isAsked = true;
    this.signal('SIGKILL');
    await this.#exited;
  }

  /** It will kill itself: its end is no surprise. */
  async dies(order: Order, withinMs: number): Promise<void> {
    this.#parts.writer.note({ what: 'process', name: `${this.name}.${this.#lives}`, phase: 'killed' });
    this.#isAsked = true;
    this.order(order);
    const timer = setTimeout(() => this.signal('SIGKILL'), withinMs);
    await this.#exited;
    clearTimeout(timer);
  }

  signal(name: NodeJS.Signals): void {
    if (this.isAlive) this.#process?.kill(name);
  }

  /** In good order, by SIGTERM. */
  async stop(): Promise<void> {
    this.#isAsked = true;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => {
      this.#parts.onTrouble(`${this.name} did not stop within ${stopMsMax} ms`);
      this.signal('SIGKILL');
    }, stopMsMax);
    await this.#exited;
    clearTimeout(timer);
  }

  #told(what: Message['type']): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(what, () => {
        this.#waiting.delete(what);
        resolve();
      });
    });
  }
}
