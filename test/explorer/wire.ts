import { DuestreamError } from '../../src/errors.js';
import type { SendOptions } from '../../src/redis/link-options.js';
import type { Caller } from '../../src/redis/script.js';
import type { Reply } from '../../src/redis/reply.js';
import type { VirtualClock } from '../support/virtual-clock.js';

/** A command on its way: parked until the scheduler lets it arrive. */
export interface Request {
  readonly args: readonly string[];
  readonly op: string;
  readonly blocking: boolean;
  readonly sentAtMs: number;
  /** It has run; its answer is on its way to somebody who is frozen. */
  hasRun: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** What a command came to: one of the two. */
export interface Outcome {
  readonly reply?: Reply;
  readonly error?: Error;
}

/**
 * A link as the product sees it (see src/redis/link.ts), whose network the scheduler is: commands are parked in the
 * order they were sent, and arrive one at a time, when they are told to. A connection that is lost takes along all that
 * is on its way, each with ERR_OUTCOME_UNKNOWN; a command that is late costs the connection; a new one is there at once.
 */
export class Wire implements Caller {
  readonly name: string;
  readonly clock: VirtualClock;
  life = 1;
  queue: Request[] = [];
  /** Hears of a connection that is lost, with what was on its way and may still arrive. */
  readonly #onLost: (wire: Wire, onTheWay: Request[]) => void;

  constructor(parts: { name: string; clock: VirtualClock; onLost: (wire: Wire, onTheWay: Request[]) => void }) {
    this.name = parts.name;
    this.clock = parts.clock;
    this.#onLost = parts.onLost;
  }

  readonly isUp = true;

  /** Whether a blocking read is on its way: what is sent here would wait for it. */
  get isBlocked(): boolean {
    return this.queue.some(({ blocking }) => blocking);
  }

  /** What arrives next. */
  get head(): Request | undefined {
    return this.queue.find(({ hasRun }) => !hasRun);
  }

  send(args: readonly string[], on: SendOptions = {}): Promise<Reply> {
    return this.#park(args, { ...on, timeoutMs: (on.timeoutMs ?? 5_000) + (on.behindMs ?? 0), blocking: false });
  }

  block(args: readonly string[], blockMs: number, on: { life?: number } = {}): Promise<Reply> {
    return this.#park(args, { ...on, timeoutMs: blockMs, blocking: true });
  }

  async connected(): Promise<number> {
    return this.life;
  }

  /** As if CLIENT UNBLOCK had come at once: what blocks returns with nothing. */
  async unblock(): Promise<void> {
    const blocked = this.head;
    if (blocked?.blocking === true) this.settle(blocked, { reply: null });
  }

  /** The connection is gone, and a new one there. */
  lose(): void {
    const onTheWay = this.queue;
    this.queue = [];
    this.life += 1;
    for (const { op, reject } of onTheWay) {
      reject(new DuestreamError('ERR_OUTCOME_UNKNOWN', `the connection was lost before ${op} was answered`));
    }
    this.#onLost(
      this,
      onTheWay.filter(({ hasRun }) => !hasRun),
    );
  }

  /** Gives a command its outcome, unless its connection is gone. */
  settle(request: Request, { reply, error }: Outcome): boolean {
    const at = this.queue.indexOf(request);
    if (at === -1) return false;
    this.queue.splice(at, 1);
    if (error) request.reject(new DuestreamError('ERR_REDIS_REPLY', error.message, { cause: error }));
    else request.resolve(reply ?? null);
    return true;
  }

  #park(
    args: readonly string[],
    on: { life?: number; op?: string; timeoutMs: number; blocking: boolean },
  ): Promise<Reply> {
    if (on.life !== undefined && on.life !== this.life) {
      return Promise.reject(new DuestreamError('ERR_REDIS_UNREACHABLE', 'that connection is gone, nothing was sent'));
    }
    return new Promise((resolve, reject) => {
      const disarm = this.clock.after(on.timeoutMs, () => {
        if (request.blocking) this.settle(request, { reply: null });
        else if (this.queue.includes(request)) this.lose();
      });
      const request: Request = {
        args,
        op: on.op ?? args[0] ?? '',
        blocking: on.blocking,
        sentAtMs: this.clock.monotonicMs(),
        hasRun: false,
        resolve: (reply) => {
          disarm();
          resolve(reply);
        },
        reject: (error) => {
          disarm();
          reject(error);
        },
      };
      this.queue.push(request);
    });
  }
}
