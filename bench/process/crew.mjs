import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(import.meta.dirname, 'actor.mjs');
const stderrKept = 2_000;
const closeMs = 15_000;

/** The processes of one run. None outlives it: `end` closes them in order, `kill` at once. */
export class Crew {
  #actors = [];
  #isKilled = false;

  /** @returns once the process has loaded its system's library */
  async hire(role, system) {
    if (this.#isKilled) throw new Error('the run was cut short');
    const actor = new Actor(role, system);
    this.#actors.push(actor);
    await actor.ready;
    return actor;
  }

  /** Throws when one has died that was not told to. */
  check() {
    for (const actor of this.#actors) actor.check();
  }

  async end() {
    await Promise.all(this.#actors.map((actor) => actor.end()));
  }

  kill() {
    this.#isKilled = true;
    for (const actor of this.#actors) actor.kill();
  }
}

/** A child process that answers calls. When it dies, what was asked of it fails with what it said last. */
class Actor {
  /** Resolves when it can be asked, rejects when it died before. */
  ready;
  #child;
  #name;
  #calls = new Map();
  #last = 0;
  #stderr = '';
  #exited;
  #isEnding = false;

  constructor(role, system) {
    this.#name = `${role} of ${system}`;
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'];
    this.#child = fork(program, [role, system], { serialization: 'advanced', stdio });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-stderrKept);
    });
    this.#exited = once(this.#child, 'close').then(() => this.#failAll());
    this.ready = this.#expect('ready');
    this.#child.on('message', (message) => this.#hear(message));
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {string} method one of working.mjs or producing.mjs */
  ask(method, args) {
    this.#last += 1;
    const call = this.#last;
    const answered = this.#expect(call);
    if (this.#child.connected) this.#child.send({ call, method, args });
    else this.#failAll();
    return answered;
  }

  check() {
    if (!this.#child.connected && !this.#isEnding) throw this.#death();
  }

  async end() {
    this.#isEnding = true;
    const hung = setTimeout(() => this.kill(), closeMs);
    if (this.#child.connected) await this.ask('close').catch(() => {});
    if (this.#child.connected) this.#child.send({ method: 'leave' }); // after disconnect() there would be no 'close'
    await this.#exited;
    clearTimeout(hung);
  }

  kill() {
    this.#child.kill('SIGKILL');
  }

  #expect(call) {
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
    });
  }

  #hear({ ready, call = ready && 'ready', value, failure }) {
    const waiting = this.#calls.get(call);
    this.#calls.delete(call);
    if (failure === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.#name}: ${failure}`));
  }

  #failAll() {
    for (const { reject } of this.#calls.values()) reject(this.#death());
    this.#calls.clear();
  }

  #death() {
    const said = this.#stderr.trim();
    return new Error(`${this.#name} ended before it was told to${said ? `: ${said}` : ''}`);
  }
}
