import type { Arena } from '../arena.js';
import type { Cost, NemesisRecord } from '../history/records.js';
import type { Seeded } from '../seeded.js';

/** What a fault is made with. `wait` ends early when the campaign does: then the fault is mended at once. */
export interface Making {
  readonly arena: Arena;
  readonly draws: Seeded;
  readonly wait: (ms: number) => Promise<void>;
  /** For what the checker must know and can't see. */
  readonly note: (fact: NemesisRecord) => void;
}

/** A fault that has been drawn: on whom, at what cost, and how it is made and mended. */
export interface Planned {
  /** A process by its actor's name, `all`, `redis`, `operator`, `lock-nodes`. */
  readonly target: string;
  /** What by the promises it may cost; nothing else does. */
  readonly costs: readonly Cost[];
  /** On these partitions alone. Default: on all. */
  readonly partitions?: readonly number[];
  /** What it takes for itself: no other fault is made on the same at the same time. */
  readonly holds: readonly string[];
  /** Makes it, holds it and mends it. */
  run(making: Making): Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** Beyond what the promises cover: made only when it is named. */
  readonly alone?: boolean;
  /** Where it can't be made, why not: nothing to kill, a tool that is missing. */
  readonly missing?: (arena: Arena) => string | undefined;
  /** Draws on whom, and how. */
  readonly plan: (arena: Arena, draws: Seeded) => Planned;
}
