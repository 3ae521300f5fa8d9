import type { Clock } from '../clock.js';
import type { Call } from './call.js';
import type { Deadlines } from './deadlines.js';

/** After so long without any answer whoever waits for one has reason to doubt that it still comes. */
const silentMs = 1_000;
/** While that lasts it is told so often: a server that was replaced meanwhile takes, when it wakes, what is lost. */
const againMs = 250;

export interface SilenceParts {
  clock: Clock;
  calls: Deadlines<Call>;
  /** When something was heard last. */
  heardAtMs: () => number;
  /** Again and again, as long as it lasts. */
  onSilent: () => void;
}

/** Notices that a server says nothing. One timer, however many calls there are, and none while nothing is under way. */
export class Silence {
  readonly #parts: SilenceParts;
  #cancel: (() => void) | undefined;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
  }

  get isThere(): boolean {
    const oldest = this.#underWay();
    const sinceMs = Math.max(oldest?.madeAtMs ?? Number.POSITIVE_INFINITY, this.#parts.heardAtMs());
    return this.#parts.clock.monotonicMs() - sinceMs >= silentMs;
  }

  /** Something is under way. */
  watch(): void {
    this.#arm(silentMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    this.#cancel = undefined;
    if (this.#underWay() === undefined) return;
    const { isThere } = this;
    if (isThere) this.#parts.onSilent();
    this.#arm(isThere ? againMs : silentMs);
  }

  #arm(ms: number): void {
    this.#cancel ??= this.#parts.clock.after(ms, () => this.#look());
  }

  #underWay(): Call | undefined {
    return this.#parts.calls.find(({ sent }) => sent);
  }
}
