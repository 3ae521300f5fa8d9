import type { Fact, Message } from './records.js';

const flushEveryMs = 100;

/** A role's way to the demo: facts are gathered for a moment, so that measuring does not disturb what it measures. */
export class Post {
  #facts: Fact[] = [];
  #timer: NodeJS.Timeout | undefined;

  note(fact: Fact): void {
    this.#facts.push(fact);
    this.#timer ??= setTimeout(() => this.#flush(), flushEveryMs);
  }

  send(message: Message): void {
    this.#flush();
    post(message);
  }

  /** Resolves when all of it has left this process. */
  async close(): Promise<void> {
    this.#flush();
    await new Promise<void>((resolve) => {
      if (process.connected) process.send?.({ type: 'facts', facts: [] } satisfies Message, () => resolve());
      else resolve();
    });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const facts = this.#facts;
    this.#facts = [];
    if (facts.length > 0) post({ type: 'facts', facts });
  }
}

function post(message: Message): void {
  if (process.connected) process.send?.(message);
}
