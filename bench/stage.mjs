import { setTimeout as sleep } from 'node:timers/promises';
import { Crew } from './process/crew.mjs';
import { systems } from './systems/systems.mjs';

const queue = 'bench';
const lookMs = 25;
const stuckMs = 60_000;

/** What one run has at hand: a Redis that is empty, the system, and processes that work with it. */
export class Stage {
  /** Which measures were asked for: a case that gives figures of two may leave one out. */
  wanted;
  system;
  server;
  sizes;
  queue = queue;
  #crew = new Crew();
  #killed = new AbortController();

  constructor({ system, server, sizes, wanted }) {
    this.system = system;
    this.server = server;
    this.sizes = sizes;
    this.wanted = wanted;
  }

  async producer() {
    const producer = await this.#crew.hire('producer', this.system);
    await producer.ask('begin', this.#where());
    return producer;
  }

  /** It waits, all loaded, for `begin`. */
  worker() {
    return this.#crew.hire('worker', this.system);
  }

  /** @param {{ concurrency: number, capacity: number, sleepMs?: number, role?: string }} options */
  async begin(worker, options) {
    await worker.ask('begin', { ...this.#where(), ...options });
  }

  /** Tasks that are due now, numbered from 0, while no worker runs. */
  async place({ count, bytes }) {
    const producer = await this.producer();
    await producer.ask('addBulk', { count, bytes });
    await producer.end();
    await this.expectRemaining(count);
  }

  async remaining() {
    return systems[this.system].remaining(this.server.send, queue);
  }

  async expectRemaining(count) {
    const found = await this.remaining();
    if (found !== count) throw new Error(`${found} tasks are in the queue, where ${count} should be`);
  }

  /** Until Redis holds no task any more. */
  untilEmpty() {
    return this.untilLeft(0);
  }

  /** Until Redis holds so few tasks; for a minute without progress there is none to wait for. */
  async untilLeft(few) {
    let left = Number.POSITIVE_INFINITY;
    for (let idleMs = 0; idleMs < stuckMs; idleMs += lookMs) {
      const found = await this.remaining();
      if (found <= few) return;
      if (found < left) idleMs = 0;
      left = Math.min(left, found);
      this.#crew.check();
      await this.sleep(lookMs);
    }
    throw new Error(`${left} tasks are stuck: none ended within ${stuckMs / 1000} s`);
  }

  /** Until the worker has started so many handlers. */
  async untilRan(worker, { count, withinMs }) {
    const late = new AbortController();
    const tooLate = this.sleep(withinMs, late.signal).then(() => {
      throw new Error(`${count} tasks did not all start within ${Math.round(withinMs / 1000)} s`);
    });
    tooLate.catch(() => {}); // what the race has left behind
    await Promise.race([worker.ask('untilRan', { count }), tooLate]).finally(() => late.abort());
  }

  /** Ends early, with an error, when the run is cut short. */
  sleep(ms, signal = this.#killed.signal) {
    return sleep(ms, undefined, { signal: AbortSignal.any([signal, this.#killed.signal]) });
  }

  async end() {
    await this.#crew.end();
  }

  kill() {
    this.#killed.abort();
    this.#crew.kill();
  }

  #where() {
    return { system: this.system, url: this.server.url, queue };
  }
}
