import { note } from './output.js';

const exitCodesBySignal = { SIGINT: 130, SIGTERM: 143 } as const;
type Name = keyof typeof exitCodesBySignal;
const names = Object.keys(exitCodesBySignal) as Name[];

/**
 * The first SIGINT or SIGTERM asks for an end in good order; the second gets one at once. The library installs no
 * signal handlers: a command line may.
 */
export class StopSignal {
  readonly #asked = new AbortController();
  readonly #doing: string;
  #first: Name | undefined;

  /** `doing` is told to whoever sent the signal: what goes on until the end. */
  constructor(doing: string) {
    this.#doing = doing;
    for (const name of names) process.on(name, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const known = name as Name;
    if (this.#first !== undefined) process.exit(exitCodesBySignal[known]);
    this.#first = known;
    note(`${known}: ${this.#doing}`);
    this.#asked.abort();
  };

  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** 130 or 143 once a signal came. */
  get exitCode(): number | undefined {
    return this.#first && exitCodesBySignal[this.#first];
  }

  /** Resolves with the first signal. */
  wait(): Promise<void> {
    const { signal } = this.#asked;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  close(): void {
    for (const name of names) process.off(name, this.#onSignal);
  }
}
