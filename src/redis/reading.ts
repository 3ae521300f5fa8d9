import type { Clock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import { failureWaitMs } from '../loop.js';
import type { Random } from '../random.js';
import { isPassing } from './passing.js';
import type { Reply } from './reply.js';
import type { Caller } from './script.js';

/**
 * For reads alone: sends again while the reply is lost, or the server can't serve just now. A read changes nothing, so unlike a write it needs no lane. What
 * is not answered after `repeatForMs` is `ERR_REDIS_UNREACHABLE`: there is no outcome that could be unknown.
 */
export class Reading implements Caller {
  readonly #caller: Caller;
  readonly #parts: { clock: Clock; random: Random; repeatForMs: number };

  constructor(caller: Caller, parts: { clock: Clock; random: Random; repeatForMs: number }) {
    this.#caller = caller;
    this.#parts = parts;
  }

  async send(args: readonly string[], options?: { timeoutMs?: number; op?: string }): Promise<Reply> {
    const { clock, random, repeatForMs } = this.#parts;
    const endMs = clock.monotonicMs() + repeatForMs;
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#caller.send(args, options);
      } catch (error) {
        if (!isLost(error) && !isAway(error)) throw error;
        const leftMs = endMs - clock.monotonicMs();
        if (leftMs <= 0 && isAway(error)) throw error;
        if (leftMs <= 0) throw new DuestreamError('ERR_REDIS_UNREACHABLE', messageOf(error), { cause: error });
        await clock.sleep(Math.min(leftMs, failureWaitMs(failures, random) / 2));
      }
    }
  }
}

function isAway(error: unknown): boolean {
  return error instanceof DuestreamError && isPassing(error);
}

function isLost(error: unknown): boolean {
  if (!(error instanceof DuestreamError)) return false;
  return error.code === 'ERR_OUTCOME_UNKNOWN' || error.code === 'ERR_REDIS_UNREACHABLE';
}
