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
  readonly #able: readonly Fault[];
  made = 0;

  constructor(parts: NemesisParts) {
    this.#parts = parts;
    this.#able = parts.faults.filter((fault) => {
      const why = fault.missing?.(parts.arena);
      if (why !== undefined) this.#leaveOut(fault.name, why);
      return why === undefined;
    });
  }

  /** Until it is aborted: what is broken at that moment is mended at once. */
  async run(lanes: number, signal: AbortSignal): Promise<void> {
    if (this.#able.length > 0) await Promise.all(Array.from({ length: lanes }, () => this.#lane(signal)));
  }

  /** Who names a fault wants it made. */
  #leaveOut(name: string, why: string): void {
    const { arena, writer, onFault } = this.#parts;
    if (arena.plan.faults !== undefined) throw usage(`${name} can't be made here: ${why}`);
    writer.note({ what: 'skipped', fault: name, why });
    onFault(`left out: ${name}, ${why}`);
  }

  async #lane(signal: AbortSignal): Promise<void> {
    const { draws } = this.#parts;
    while (!signal.aborted) {
      await waited(draws.between(pauseMs.min, pauseMs.max), signal);
      if (this.#deck.length === 0) this.#deck = draws.shuffled(this.#able);
      if (signal.aborted) return;
      const fault = this.#deck.pop();
      if (fault !== undefined) await this.#make(fault, signal);
    }
  }

  async #make(fault: Fault, signal: AbortSignal): Promise<void> {
    const { arena, draws, writer, onFault } = this.#parts;
    const planned = await this.#hold(fault, signal);
    if (planned === undefined) return;
    this.made += 1;
    const told = {
      what: 'fault',
      n: this.made,
      fault: fault.name,
      target: planned.target,
      costs: planned.costs,
      ...(planned.partitions && { partitions: planned.partitions }),
    } as const;
    const fromMs = nowMs();
    writer.note({ ...told, phase: 'begin' });
    try {
      const note: Making['note'] = (fact) => writer.note(fact);
      await planned.run({ arena, draws, wait: (ms) => waited(ms, signal), note });
    } finally {
      writer.note({ ...told, phase: 'end' });
      onFault(`${fault.name} on ${planned.target}, for ${((nowMs() - fromMs) / 1_000).toFixed(1)} s`);
      for (const one of planned.holds) this.#held.delete(one);
    }
  }

  /** Waits until nobody else breaks what this one would. */
  async #hold(fault: Fault, signal: AbortSignal): Promise<Planned | undefined> {
    const { arena, draws } = this.#parts;
    while (!signal.aborted) {
      const planned = fault.plan(arena, draws);
      if (!planned.holds.some((one) => this.#held.has(one))) {
        for (const one of planned.holds) this.#held.add(one);
        return planned;
      }
      await waited(busyMs, signal);
    }
    return undefined;
  }
}

/** Ends early with the time for faults. */
async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await scheduler.wait(ms, { signal }).catch(() => {});
}
