import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Random } from '../random.js';
import { Life, type LifeParts } from './life.js';

/**
 * Keeps one connection alive by replacing it: life after life, each with a client of its own, with a jittered wait
 * between two tries (50 ms, doubling, 500 ms at most: after an outage every consumer must be back well within the
 * shortest lease, 1 s, for so long recovery is held) so that a crowd does not come back as one. Nothing it meets makes it
 * give up, not even a wrong password: an operator may set that right.
 *
 * While it runs it keeps the process alive, by its socket or by its wait: a caller that waits for a dead Redis gets an
 * error, and not a process that quietly came to its end.
 */
export interface SupervisorParts extends Omit<LifeParts, 'onEnd'> {
  clock: Clock;
  random: Random;
  onUp: (life: Life) => void;
  /** A life that was up is over, not by stop(). */
  onDown: (error: Error) => void;
  /** A try to connect failed. */
  onFailed: (error: Error) => void;
}

const waitMsMin = 50;
const waitMsMax = 500;

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #life: Life | undefined;
  #up = false;
  /** How many connections there have been. */
  lives = 0;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** The present life, once it is up. */
  get life(): Life | undefined {
    return this.#up ? this.#life : undefined;
  }

  /** Why the connection that is being made takes so long, if that is known. */
  get delay(): Error | undefined {
    return this.#up ? undefined : this.#life?.delay;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Throws the present connection away. */
  drop(reason: string): void {
    this.life?.end(new Error(reason));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#life?.end(new Error('stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#parts;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      failures = (await this.#live()) ? 0 : failures + 1;
      if (!signal.aborted) await clock.sleep(waitMs(failures, random), signal);
    }
  }

  /** One life, whole. True when it got up. */
  async #live(): Promise<boolean> {
    let ended = (): void => {};
    const over = new Promise<void>((resolve) => {
      ended = resolve;
    });
    try {
      const life = new Life({ ...this.#parts, onEnd: (error) => this.#onEnd(error, ended) });
      this.#life = life;
      await life.open();
      if (life.endedBy) throw life.endedBy; // dropped or stopped since
      this.#up = true;
      this.lives += 1;
      this.#parts.onUp(life);
    } catch (error) {
      if (!this.#stop.signal.aborted)
        this.#parts.onFailed(error instanceof Error ? error : new Error(messageOf(error)));
      return false;
    }
    await over;
    return true;
  }

  #onEnd(error: Error, ended: () => void): void {
    const wasUp = this.#up;
    this.#up = false;
    if (wasUp && !this.#stop.signal.aborted) this.#parts.onDown(error);
    ended();
  }
}

function waitMs(failures: number, random: Random): number {
  if (failures === 0) return waitMsMin * random();
  return Math.min(waitMsMax, waitMsMin * 2 ** (failures - 1)) * (0.5 + random() / 2);
}

/** Tells a listener, whose fault must not stop a connection half-way: it surfaces by itself. */
export function tell<E>(listener: ((event: E) => void) | undefined, event: E): void {
  try {
    listener?.(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
