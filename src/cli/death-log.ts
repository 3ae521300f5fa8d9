import type { Worker } from '../index.js';
import { oneLine } from './failure.js';
import { note } from './output.js';

/** So long the deaths of one kind are counted after the first was told. */
const countForMs = 60_000;

/**
 * What a worker says of tasks that died. A broken handler kills every task it gets: of each name and reason the first is
 * told, and what follows within a minute, or until the end, is counted and told after it.
 */
export class DeathLog {
  /** Kind → how many of it died since the first, which was told. */
  readonly #more = new Map<string, number>();

  listen(worker: Worker, queue: string): void {
    worker.on('dead', ({ id, name, attempt, reason }) => {
      const death = `${name} ${id} died at attempt ${attempt}: ${reason}`;
      this.#tell(`${queue}: ${name}: ${reason}`, `${queue}: ${death}; see duestream dead show ${queue} ${id}`);
    });
  }

  #tell(kind: string, line: string): void {
    const more = this.#more.get(kind);
    if (more !== undefined) {
      this.#more.set(kind, more + 1);
      return;
    }
    this.#more.set(kind, 0);
    note(oneLine(line));
    setTimeout(() => this.#tellMore(kind), countForMs).unref();
  }

  /** Tells what was counted until now. */
  close(): void {
    for (const kind of this.#more.keys()) this.#tellMore(kind);
  }

  #tellMore(kind: string): void {
    const more = this.#more.get(kind) ?? 0;
    this.#more.delete(kind);
    if (more > 0) note(oneLine(`${kind}: ${more} more died since`));
  }
}
