import { scheduler } from 'node:timers/promises';
import type { Arena } from './arena.js';
import type { Fault, Making, Planned } from './faults/fault.js';
import { usage } from '../failure.js';
import { nowMs } from './history/instant.js';
import type { HistoryWriter } from './history/writer.js';
import type { Seeded } from './seeded.js';

export interface NemesisParts {
  readonly arena: Arena;
  readonly faults: readonly Fault[];
  readonly draws: Seeded;
  readonly writer: HistoryWriter;
  /** Ends all: what is broken at that moment is mended at once. */
  readonly signal: AbortSignal;
  readonly onFault: (text: string) => void;
}

const pauseMs = { min: 200, max: 1_500 };
const busyMs = 50;

/**
 * Breaks things, in an order drawn from the seed: a shuffled deck of all faults, and again when it is dealt out. Each
 * lane makes one fault after the other; two lanes never break the same thing at once.
 */
export class Nemesis {
  readonly #parts: NemesisParts;
  readonly #held = new Set<string>();
  #deck: Fault[] = [];
  #made = 0;

  constructor(parts: NemesisParts) {
    this.#parts = parts;
  }

  async run(lanes: number): Promise<number> {
    const { arena, faults } = this.#parts;
    const able = faults.filter((fault) => {
      const why = fault.missing?.(arena);
      if (why !== undefined) this.#leaveOut(fault.name, why);
      return why === undefined;
    });
    if (able.length > 0) await Promise.all(Array.from({ length: lanes }, () => this.#lane(able)));
    return this.#made;
  }

  /** Who names a fault wants it made. */
  #leaveOut(name: string, why: string): void {
    const { arena, writer, onFault } = this.#parts;
    if (arena.plan.faults !== undefined) throw usage(`${name} can't be made here: ${why}`);
    writer.note({ what: 'skipped', fault: name, why });
    onFault(`left out: ${name}, ${why}`);
  }

  async #lane(able: readonly Fault[]): Promise<void> {
    const { draws, signal } = this.#parts;
    while (!signal.aborted) {
      await this.#wait(draws.between(pauseMs.min, pauseMs.max));
      if (this.#deck.length === 0) this.#deck = draws.shuffled(able);
      const fault = this.#deck.pop();
      if (fault !== undefined && !signal.aborted) await this.#make(fault);
    }
  }

  async #make(fault: Fault): Promise<void> {
    const { arena, draws, writer, onFault } = this.#parts;
    const planned = await this.#hold(fault);
    if (planned === undefined) return;
    this.#made += 1;
    const told = {
      what: 'fault',
      n: this.#made,
      fault: fault.name,
      target: planned.target,
      costs: planned.costs,
    } as const;
    const fromMs = nowMs();
    writer.note({ ...told, phase: 'begin' });
    try {
      const note: Making['note'] = (fact) => writer.note(fact);
      await planned.run({ arena, draws, wait: (ms) => this.#wait(ms), note });
    } finally {
      writer.note({ ...told, phase: 'end' });
      onFault(`${fault.name} on ${planned.target}, for ${((nowMs() - fromMs) / 1_000).toFixed(1)} s`);
      for (const one of planned.holds) this.#held.delete(one);
    }
  }

  /** Waits until nobody else breaks what this one would. */
  async #hold(fault: Fault): Promise<Planned | undefined> {
    const { arena, draws, signal } = this.#parts;
    while (!signal.aborted) {
      const planned = fault.plan(arena, draws);
      if (!planned.holds.some((one) => this.#held.has(one))) {
        for (const one of planned.holds) this.#held.add(one);
        return planned;
      }
      await this.#wait(busyMs);
    }
    return undefined;
  }

  /** Ends early with the campaign. */
  async #wait(ms: number): Promise<void> {
    await scheduler.wait(ms, { signal: this.#parts.signal }).catch(() => {});
  }
}
