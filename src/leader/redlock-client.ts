import type { Clock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import { within } from './deadline.js';

/** A connection to one Redis server that votes on who leads. */
export interface LockNode {
  /** Sends one command; rejects when it can't be sent, is not answered in time, or is answered with an error. */
  send(args: readonly string[], options: { timeoutMs: number }): Promise<unknown>;
  /** Throws the connection away, so that what was sent and not answered can't be sent again by it. */
  drop(reason: string): void;
}

export interface RedlockClientParts {
  node: LockNode;
  /** How the node is called in messages. */
  name: string;
  deadlineMs: number;
  clock: Clock;
  /** Called when the node begins to fail, not again until it has voted since. */
  onFault: (error: Error) => void;
}

/**
 * What redlock needs of a client, over one of our connections. (It does not say `implements`: no type of redlock's may be
 * seen from outside, for its package's types can't be resolved.)
 *
 * Promises: every call settles by the deadline, for redlock counts votes without a time limit and waits for ever for a
 * node that is silent. A call that is late costs the node its connection: a late SET must not come from us any more.
 * It always rejects with an Error, since redlock turns anything else into an unhandled rejection. NOSCRIPT errors pass
 * as they are: redlock answers them with EVAL.
 */
export class RedlockClient {
  readonly #parts: RedlockClientParts;
  #isFailing = false;

  constructor(parts: RedlockClientParts) {
    this.#parts = parts;
  }

  evalsha(sha: string, keyCount: number, args: readonly (string | number)[]): Promise<unknown> {
    return this.#call(['EVALSHA', sha, String(keyCount), ...args.map(String)]);
  }

  eval(script: string, keyCount: number, args: readonly (string | number)[]): Promise<unknown> {
    return this.#call(['EVAL', script, String(keyCount), ...args.map(String)]);
  }

  /** Nothing to do: whoever made the connection ends it. */
  async quit(): Promise<void> {}

  async #call(args: readonly string[]): Promise<unknown> {
    try {
      const reply = await this.#send(args);
      this.#isFailing = false;
      return reply;
    } catch (thrown) {
      const error =
        thrown instanceof Error
          ? thrown
          : new DuestreamError('ERR_REDIS_REPLY', `${this.#parts.name}: ${messageOf(thrown)}`);
      if (!error.message.startsWith('NOSCRIPT')) this.#report(error);
      throw error;
    }
  }

  #send(args: readonly string[]): Promise<unknown> {
    const { node, name, deadlineMs, clock } = this.#parts;
    const late = (): never => {
      const reason = `${name} did not answer within ${deadlineMs} ms`;
      node.drop(reason);
      throw new DuestreamError('ERR_OUTCOME_UNKNOWN', reason);
    };
    // The connection gets a little less time: it knows best what became of the call. Ours is for when it breaks its word.
    const timeoutMs = Math.floor(0.9 * deadlineMs);
    return within(node.send(args, { timeoutMs }), { ms: deadlineMs, clock, late });
  }

  #report(error: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    queueMicrotask(() => this.#parts.onFault(error)); // should it throw, then not into redlock's counting of votes
  }
}
