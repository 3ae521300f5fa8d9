import { Leader, Queue, Worker } from '../../dist/index.js';
import { SteppedClock } from './stepped-clock.mjs';

const stopStepMs = 50;

/** What one case works with: a queue, workers and leaders on a clock that stands still. */
export class Ground {
  #connection;
  #running = [];
  #queues = [];
  /** What a worker or leader told of: nothing may go wrong here, for it would be counted. */
  errors = [];
  meter;
  clock = new SteppedClock();

  constructor(server, meter) {
    this.#connection = server.connection;
    this.meter = meter;
  }

  get #common() {
    return { connection: this.#connection, clock: this.clock, random: () => 0.5 };
  }

  queue() {
    const queue = new Queue('guarded', this.#common);
    this.#queues.push(queue);
    return queue;
  }

  /** A worker that does not lead, and no other handler than `handle`. */
  async worker(handle, concurrency) {
    const worker = new Worker('guarded', { task: handle }, { ...this.#common, concurrency, leader: 'never' });
    worker.on('error', (error) => this.errors.push(error));
    this.#running.push(worker);
    await worker.start();
    await this.meter.quiet();
  }

  /** A process that only leads, elected. */
  async leader() {
    const leader = new Leader('guarded', this.#common);
    leader.on('error', (error) => this.errors.push(error));
    this.#running.push(leader);
    await leader.start();
    while (leader.seat !== 'leader') await this.pass(stopStepMs);
    await this.meter.quiet();
  }

  /** Lets time pass, and all that is due in it happen. */
  async pass(ms) {
    await this.clock.pass(ms, () => this.meter.quiet());
    await this.meter.quiet();
  }

  async stop() {
    let isOver = false;
    const over = Promise.all(this.#running.map((one) => one.stop({ force: true }))).finally(() => {
      isOver = true;
    });
    while (!isOver) await this.clock.pass(stopStepMs, () => new Promise((resolve) => setImmediate(resolve)));
    await over;
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }
}

/** Lets handlers wait for company: all go on at once when as many are at work as may be, or as are left. */
export class Gate {
  #waiting = [];
  #left;
  #width;

  constructor(width, tasks) {
    this.#width = width;
    this.#left = tasks;
  }

  /** From now on they go. Until then they wait, so that a worker can be brought to rest with its hands full. */
  isOpen = false;

  pass() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#look();
    });
  }

  open() {
    this.isOpen = true;
    this.#look();
  }

  get left() {
    return this.#left;
  }

  #look() {
    if (!this.isOpen || this.#waiting.length < Math.min(this.#width, this.#left)) return;
    this.#left -= this.#waiting.length;
    for (const go of this.#waiting.splice(0)) go();
  }
}
