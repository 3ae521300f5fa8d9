import type { Clock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import { failureWaitMs } from '../loop.js';
import { newToken, type Random } from '../random.js';
import { isPassing } from './passing.js';
import { ofAllTries } from './tries.js';

/**
 * Repeatable calls. A write whose reply was lost may or may not have happened; sent again under the same lane and call
 * number it has its effect once and gets its first answer, for the script keeps the last number and reply of each lane
 * (as an idempotent Kafka producer does). So a lane has one call under way, and the next number is taken only when
 * this one is answered or given up: an older copy still in the network is then refused by its number.
 *
 * What can't be told after `repeatForMs` is `ERR_OUTCOME_UNKNOWN`, never a guess. That time counts from when the call was
 * made, the wait for a free lane included: without Redis all that wait are told together, not one batch after the other.
 * But a call that waits behind others while Redis answers them has not begun to lose time: a long queue that moves is no
 * outage.
 */
export interface LanesParts {
  clock: Clock;
  random: Random;
  /** How long a call is repeated. Far below the age at which the leader forgets a silent lane (1 h). */
  repeatForMs: number;
  /** How long one try waits for its reply before its connection is thrown away. */
  tryMs: number;
  /** Also after an error reply: for what must be placed if it can be at all. Default: only while Redis can't serve. */
  repeatRefused?: boolean;
  /** The longest wait before the next try, for what must be placed soon after an outage. Default: 2.5 s, with jitter. */
  waitMsMax?: number;
  /** Calls under way at once; further ones wait for a free lane. */
  lanesMax: number;
}

/** What a call carries. The time left is for the deadline of the command. */
export interface LaneCall {
  readonly lane: string;
  readonly call: number;
  readonly timeoutMs: number;
}

interface Lane {
  readonly name: string;
  call: number;
}

/** The least a try is given for its reply. */
const tryMsMin = 50;

export class Lanes {
  readonly #parts: LanesParts;
  readonly #free: Lane[] = [];
  readonly #waiting = new Set<(lane: Lane) => void>();
  #made = 0;
  #answeredAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LanesParts) {
    this.#parts = parts;
  }

  /** How long a call has. At least one try's worth, so that a call that had no wait is sent. */
  get patienceMs(): number {
    return Math.max(this.#parts.repeatForMs, tryMsMin);
  }

  /** Whether a call would be sent at once. */
  get isFree(): boolean {
    return this.#free.length > 0 || this.#made < this.#parts.lanesMax;
  }

  /**
   * Makes the call, again and again with the same number while its reply is lost. `madeAtMs`: when what it carries was
   * given to us, if that was before now. When a lane is free the first try is made before this returns.
   */
  async call<R>(send: (call: LaneCall) => Promise<R>, madeAtMs: number = this.#parts.clock.monotonicMs()): Promise<R> {
    const lane = this.#idle() ?? (await this.#wait(madeAtMs));
    try {
      const { clock, tryMs } = this.#parts;
      const startMs = clock.monotonicMs();
      const endMs = startMs + this.#leftMs(madeAtMs);
      if (endMs <= startMs) throw this.#notSent();
      lane.call += 1;
      const { name, call } = lane;
      let mayHaveHappened = false;
      for (let tries = 1; ; tries += 1) {
        try {
          const timeoutMs = Math.max(tryMsMin, Math.min(tryMs, endMs - clock.monotonicMs()));
          const answer = await send({ lane: name, call, timeoutMs });
          this.#answeredAtMs = clock.monotonicMs();
          return answer;
        } catch (error) {
          const fault = this.#faultOf(error);
          mayHaveHappened ||= fault === 'unknown';
          if (fault !== 'final' && clock.monotonicMs() < endMs) await this.#pause(tries, endMs);
          else
            throw mayHaveHappened
              ? outcomeUnknown(error)
              : ofAllTries(error, { tries, ms: clock.monotonicMs() - startMs });
        }
      }
    } finally {
      this.#give(lane);
    }
  }

  #pause(failures: number, endMs: number): Promise<void> {
    const { clock, random, waitMsMax = Number.POSITIVE_INFINITY } = this.#parts;
    return clock.sleep(Math.min(endMs - clock.monotonicMs(), waitMsMax, failureWaitMs(failures, random) / 2));
  }

  #faultOf(error: unknown): 'unknown' | 'not done' | 'final' {
    if (!(error instanceof DuestreamError)) return 'final';
    if (error.code === 'ERR_OUTCOME_UNKNOWN') return 'unknown';
    if (error.code === 'ERR_REDIS_UNREACHABLE') return 'not done';
    if (error.code !== 'ERR_REDIS_REPLY') return 'final';
    return this.#parts.repeatRefused || isPassing(error) ? 'not done' : 'final';
  }

  /** Of the time of a call that waits or begins. */
  #leftMs(madeAtMs: number): number {
    return Math.max(madeAtMs, this.#answeredAtMs) + this.patienceMs - this.#parts.clock.monotonicMs();
  }

  /** A lane that nobody uses; undefined when all are in use. */
  #idle(): Lane | undefined {
    const free = this.#free.pop();
    if (free || this.#made >= this.#parts.lanesMax) return free;
    this.#made += 1;
    return { name: newToken(), call: 0 };
  }

  #wait(madeAtMs: number): Promise<Lane> {
    return new Promise((resolve, reject) => {
      const waiter = (lane: Lane): void => {
        disarm();
        resolve(lane);
      };
      const arm = (): (() => void) => this.#parts.clock.after(this.#leftMs(madeAtMs), look);
      const look = (): void => {
        if (this.#leftMs(madeAtMs) > 0) {
          disarm = arm(); // Redis has answered others since
          return;
        }
        this.#waiting.delete(waiter);
        reject(this.#notSent());
      };
      let disarm = arm();
      this.#waiting.add(waiter);
    });
  }

  #give(lane: Lane): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free.push(lane);
      return;
    }
    this.#waiting.delete(next);
    next(lane);
  }

  #notSent(): DuestreamError {
    const { repeatForMs } = this.#parts;
    return new DuestreamError(
      'ERR_REDIS_UNREACHABLE',
      `not sent: Redis has answered nothing for ${repeatForMs} ms, and other calls were waiting before it`,
    );
  }
}

function outcomeUnknown(cause: unknown): DuestreamError {
  return new DuestreamError(
    'ERR_OUTCOME_UNKNOWN',
    `the call was sent and its reply was lost, so it may or may not have happened: ${messageOf(cause)}`,
    { cause },
  );
}
