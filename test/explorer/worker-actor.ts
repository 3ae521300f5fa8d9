import type { ResolvedHandler } from '../../src/handler.js';
import { Consumer } from '../../src/consumer/consumer.js';
import { Slots } from '../../src/consumer/slots.js';
import type { Link } from '../../src/redis/link.js';
import { RejectTask } from '../../src/errors.js';
import type { Task } from '../../src/task.js';
import { Actor, type Stage } from './actor.js';
import { Violation } from './case.js';

export type Ending = 'return' | 'throw' | 'reject';

interface Running {
  readonly id: string;
  readonly serial: number;
  readonly end: (how: Ending) => void;
}

/** What a record must bring unharmed: a script that decoded it and encoded it again would spoil both. */
export const fragile: readonly unknown[] = [[], 1_234_567_890_123_456];

/** A worker process: a real consumer, whose handlers end when the scheduler says so. */
export class WorkerActor extends Actor {
  override readonly leaseMs: number;
  readonly #consumer: Consumer;
  readonly #slots: Slots;
  #running: Running[] = [];
  #isStopping = false;

  constructor(name: string, stage: Stage, of: { leaseMs: number; knows: readonly string[] }) {
    super(name, stage);
    this.leaseMs = of.leaseMs;
    const handler: ResolvedHandler = {
      run: (task) => this.#run(task),
      schema: undefined,
      timeoutMs: undefined,
      attemptsMax: 3,
      backoff: { type: 'fixed', delayMs: 1_000, maxMs: 1_000 },
    };
    this.#slots = new Slots(2, this.clock);
    this.#consumer = new Consumer({
      partition: this.partitions.home,
      commands: () => this.wires[0] as unknown as Link,
      reader: this.wire('reader') as unknown as Link,
      handlers: new Map(of.knows.map((known) => [known, handler])),
      worker: name,
      slots: this.#slots,
      share: () => 1,
      release: async () => {},
      leaseMs: of.leaseMs,
      lostMax: 2,
      lockTtlMs: 5_000,
      clock: this.clock,
      random: stage.draws.fraction,
      observe: () => {},
      emit: (event, ...args) => {
        if (event === 'error') this.failed(args[0]);
        if (event === 'leaseLost') stage.met('a lease was lost');
      },
    });
    this.#consumer.start();
  }

  get running(): number {
    return this.#running.length;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Ends one of the handlers at work. */
  end(at: number, how: Ending): void {
    const [running] = this.#running.splice(at % Math.max(1, this.#running.length), 1);
    if (running === undefined) return;
    this.stage.finish(running.serial, how === 'return' ? 'returned' : 'failed');
    running.end(how);
  }

  stop(drainMs: number): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#slots.close();
    void this.#consumer.stop(drainMs, new AbortController().signal).then(() => {
      this.isOver = true;
    });
  }

  #run(task: Task): Promise<void> {
    const [n, ...rest] = task.payload as [number, ...unknown[]];
    // The latest: an earlier one may have been left, and its group been destroyed.
    const at = this.handed.findLastIndex(
      (one) => one.n === n && one.attempt === task.attempt && one.count === task.delivery,
    );
    const [handed] = at === -1 ? [] : this.handed.splice(at, 1);
    const of = `${task.id} #${n}, attempt ${task.attempt}, delivery ${task.delivery}`;
    if (handed === undefined) this.stage.violated(new Violation('starts-what-was-handed', of));
    else if (this.clock.monotonicMs() >= handed.untilMs) this.stage.violated(new Violation('starts-in-its-lease', of));
    if (JSON.stringify(rest) !== JSON.stringify(fragile)) {
      this.stage.violated(new Violation('record-unharmed', `${of}: ${JSON.stringify(rest)}`));
    }
    return new Promise((resolve, reject) => {
      const end = (how: Ending): void => {
        if (how === 'return') resolve();
        else reject(how === 'throw' ? new Error('thrown') : new RejectTask('rejected'));
      };
      this.#running.push({ id: task.id, serial: handed?.serial ?? 0, end });
    });
  }
}
