import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { oneLine } from '../failure.js';
import type { Fact, LeaderNews, Message, Order, RoleName, Setting } from './records.js';

export interface ChildEvents {
  readonly onFacts: (facts: readonly Fact[]) => void;
  readonly onNews: (news: LeaderNews) => void;
  readonly onDone: () => void;
  readonly onTrouble: (text: string) => void;
  /** It is gone, or can't go on, and nobody asked it to. */
  readonly onFailed: (text: string) => void;
}

const entry = fileURLToPath(new URL('./role-process.js', import.meta.url));
const stopMsMax = 4_000;
const errorCharsKept = 2_000;

/** One role, in a process of its own. */
export class Child {
  readonly name: string;
  readonly role: RoleName;
  readonly #process: ChildProcess;
  readonly #events: ChildEvents;
  /** Its process has ended and all it sent has been heard. */
  readonly #gone: Promise<void>;
  readonly #onReady: () => void;
  readonly ready: Promise<void>;
  #errors = '';
  #state: 'running' | 'killed' | 'stopping' = 'running';
  starts = 0;

  constructor(role: RoleName, setting: Setting, events: ChildEvents) {
    this.role = role;
    this.name = setting.name;
    this.#events = events;
    let onReady = (): void => {};
    this.ready = new Promise((resolve) => {
      onReady = resolve;
    });
    this.#onReady = onReady;
    this.#process = fork(entry, [role], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    this.#gone = this.#watch();
    this.#process.on('message', (message: Message) => this.#hear(message));
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-errorCharsKept);
    });
    this.#order({ type: 'prepare', setting });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get wasKilled(): boolean {
    return this.#state === 'killed';
  }

  begin(): void {
    this.#order({ type: 'begin' });
  }

  /** SIGKILL: no time for a word. */
  kill(): void {
    this.#state = 'killed';
    this.#process.kill('SIGKILL');
  }

  /** In good order, and if that takes too long, not. Whatever it still had to say has arrived then. */
  async stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'stopping';
      this.#order({ type: 'stop' });
    }
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopMsMax);
    await this.#gone;
    clearTimeout(timer);
  }

  /** 'exit' may come before the last messages, 'close' does not. */
  #watch(): Promise<void> {
    return new Promise((resolve) => {
      this.#process.on('error', (error) => {
        if (this.#process.pid === undefined) resolve(); // it never began
        this.#fail(error.message);
      });
      this.#process.on('close', (code, signal) => {
        resolve();
        this.#onEnd(signal ?? `exit code ${code}`);
      });
    });
  }

  #order(order: Order): void {
    this.#process.send(order, () => {}); // when it is gone, its exit tells
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'ready':
        return this.#onReady();
      case 'facts':
        this.starts += message.facts.filter(({ kind }) => kind === 'started').length;
        return this.#events.onFacts(message.facts);
      case 'leader':
        return this.#events.onNews(message.news);
      case 'done':
        return this.#events.onDone();
      case 'trouble':
        return this.#events.onTrouble(`${this.name}: ${message.text}`);
      case 'failed':
        return this.#fail(message.text);
    }
  }

  #onEnd(how: string): void {
    const words = oneLine(this.#errors);
    this.#fail(`its process ended by itself (${how})${words === '' ? '' : `: ${words}`}`);
  }

  #fail(text: string): void {
    if (this.#state === 'running') this.#events.onFailed(`${this.name}: ${text}`);
  }
}
