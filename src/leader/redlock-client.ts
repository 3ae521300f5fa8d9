import type { RedlockNode } from 'redlock';
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
}

/**
 * What redlock needs of a client, over one of our connections.
 *
 * Promises: every call settles by the deadline, for redlock counts votes without a time limit and waits for ever for a
 * node that is silent. A call that is late costs the node its connection: a late SET must not come from us any more.
 * It always rejects with an Error, since redlock turns anything else into an unhandled rejection. NOSCRIPT errors pass
 * as they are: redlock answers them with EVAL.
 */
export class RedlockClient implements RedlockNode {
  readonly #parts: RedlockClientParts;

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
    const { node, name, deadlineMs, clock } = this.#parts;
    const late = (): never => {
      const reason = `${name} did not answer within ${deadlineMs} ms`;
      node.drop(reason);
      throw new DuestreamError('ERR_OUTCOME_UNKNOWN', reason);
    };
    try {
      return await within(node.send(args, { timeoutMs: deadlineMs }), { ms: deadlineMs, clock, late });
    } catch (error) {
      if (error instanceof Error) throw error;
      throw new DuestreamError('ERR_REDIS_REPLY', `${name}: ${messageOf(error)}`);
    }
  }
}
