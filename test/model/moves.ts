/** The moves of one state, as they are collected. */
import type { Move } from './breadth-first.js';
import type { Bound } from './world.js';
import { Run, Torn } from './redis.js';
import { clone, type Left, type State } from './state.js';

export const letterOf = (id: number): string => String.fromCharCode(65 + id);

export class Moves {
  readonly all: Move<State>[] = [];
  readonly state: State;
  readonly world: Bound;

  constructor(state: State, world: Bound) {
    this.state = state;
    this.world = world;
  }

  /** A step that no script can tear. */
  step(says: string, change: (next: State, run: Run) => void, costs?: keyof Left): void {
    const next = clone(this.state);
    if (costs) next.left[costs] -= 1;
    change(next, new Run(next, this.world));
    this.all.push({ says, next });
  }

  /** A script, whole or, while the world still tears one, after each of its writes. `onTear`: what its caller then knows. */
  script(says: string, change: (next: State, run: Run) => void, onTear?: (next: State) => void): void {
    this.step(says, change);
    for (let writes = 1; this.state.left.torn > 0; writes += 1) {
      const next = clone(this.state);
      if (!tears(() => change(next, new Run(next, this.world, writes)))) break;
      next.left.torn -= 1;
      next.isBent = true;
      onTear?.(next);
      this.all.push({ says: `${says}: torn after ${writes} ${writes === 1 ? 'write' : 'writes'}`, next });
    }
  }
}

function tears(run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof Torn) return true;
    throw error;
  }
}
