import type { Fact, Started } from './records.js';

/** Why a task started once more. */
export type Cause = 'first' | 'retried' | 'recovered' | 'unexplained';

/** All that was said of one task. */
interface Life {
  notBeforeMs: number | undefined;
  delayed: boolean;
  completions: number;
  readonly failures: Set<number>;
  readonly starts: Started[];
}

/** A start with what it must be judged by. */
export interface Start extends Started {
  readonly cause: Cause;
  /** The later of what the producer asked for and what Duestream said. */
  readonly owedMs: number;
}

/**
 * The facts of all processes, by task. They arrive in batches and out of order, so nothing is judged before it is
 * asked for.
 */
export class History {
  readonly #lives = new Map<string, Life>();
  #added = 0;
  #delayed = 0;
  #completed = 0;

  note(facts: readonly Fact[]): void {
    for (const fact of facts) this.#note(fact);
  }

  /** How many `add`s returned. */
  get added(): number {
    return this.#added;
  }

  get delayed(): number {
    return this.#delayed;
  }

  /** How many of these were completed, however often. */
  get completed(): number {
    return this.#completed;
  }

  /** Added, and never completed. */
  lost(): { id: string; wasStarted: boolean }[] {
    return [...this.#lives]
      .filter(([, life]) => life.notBeforeMs !== undefined && life.completions === 0)
      .map(([id, { starts }]) => ({ id, wasStarted: starts.length > 0 }));
  }

  completedTwice(): string[] {
    return [...this.#lives].filter(([, life]) => life.completions > 1).map(([id]) => id);
  }

  starts(): Start[] {
    return Array.from(this.#lives.values(), startsOf).flat();
  }

  #note(fact: Fact): void {
    const life = this.#life(fact.id);
    switch (fact.kind) {
      case 'added':
        life.notBeforeMs = fact.notBeforeMs;
        life.delayed = fact.delayed;
        this.#added += 1;
        if (fact.delayed) this.#delayed += 1;
        if (life.completions > 0) this.#completed += 1;
        break;
      case 'started':
        life.starts.push(fact);
        break;
      case 'failed':
        life.failures.add(fact.attempt);
        break;
      case 'completed':
        life.completions += 1;
        if (life.completions === 1 && life.notBeforeMs !== undefined) this.#completed += 1;
        break;
    }
  }

  #life(id: string): Life {
    let life = this.#lives.get(id);
    if (life === undefined) {
      life = { notBeforeMs: undefined, delayed: false, completions: 0, failures: new Set(), starts: [] };
      this.#lives.set(id, life);
    }
    return life;
  }
}

function startsOf({ starts, failures, notBeforeMs = 0 }: Life): Start[] {
  const inOrder = starts.toSorted((a, b) => a.at.ms - b.at.ms);
  return inOrder.map((start, at) => ({
    ...start,
    cause: causeOf(start, { before: inOrder.slice(0, at), failures }),
    owedMs: Math.max(notBeforeMs, start.dueMs),
  }));
}

/** A later attempt needs a failure of the one before; another start of an attempt needs a lost lease. */
function causeOf(
  { attempt, delivery }: Started,
  { before, failures }: { before: readonly Started[]; failures: ReadonlySet<number> },
): Cause {
  const ofAttempt = before.filter((other) => other.attempt === attempt);
  if (ofAttempt.length > 0) {
    return ofAttempt.every((other) => other.delivery < delivery) ? 'recovered' : 'unexplained';
  }
  if (attempt === 1) return before.length === 0 ? 'first' : 'unexplained';
  return failures.has(attempt - 1) ? 'retried' : 'unexplained';
}
