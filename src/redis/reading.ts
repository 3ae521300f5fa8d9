import type { Clock } from '../clock.js';
import { DuestreamError } from '../errors.js';
import { failureWaitMs } from '../loop.js';
import type { Random } from '../random.js';
import { isPassing } from './passing.js';
import type { Reply } from './reply.js';
import type { Caller } from './script.js';
import { unreachableAfter } from './tries.js';

export interface ReadingParts {
  clock: Clock;
  random: Random;
  repeatForMs: number;
  /** How long one try waits for its reply. */
  tryMs: number;
}

/** The least that a further try is given. */
const tryMsMin = 50;

/**
 * For reads alone: sends again while the reply is lost, or the server can't serve just now. A read changes nothing, so unlike a write it needs no lane. What
 * is not answered after `repeatForMs` is `ERR_REDIS_UNREACHABLE`: there is no outcome that could be unknown.
 */
export class Reading implements Caller {
  readonly #caller: Caller;
  readonly #parts: ReadingParts;

  constructor(caller: Caller, parts: ReadingParts) {
    this.#caller = caller;
    this.#parts = parts;
  }

  async send(args: readonly string[], options: { timeoutMs?: number; op?: string } = {}): Promise<Reply> {
    const { clock, random, repeatForMs, tryMs } = this.#parts;
    const startMs = clock.monotonicMs();
    const leftMs = (): number => startMs + repeatForMs - clock.monotonicMs();
    for (let failures = 1; ; failures += 1) {
      try {
        const wholeMs = options.timeoutMs ?? tryMs;
        const timeoutMs = failures === 1 ? wholeMs : Math.max(tryMsMin, Math.min(wholeMs, leftMs()));
        return await this.#caller.send(args, { ...options, timeoutMs });
      } catch (error) {
        if (!isLost(error) && !isAway(error)) throw error;
        if (leftMs() <= 0 && isAway(error)) throw error;
        if (leftMs() <= 0) throw unreachableAfter(error, { tries: failures, ms: clock.monotonicMs() - startMs });
        await clock.sleep(Math.min(leftMs(), failureWaitMs(failures, random) / 2));
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
