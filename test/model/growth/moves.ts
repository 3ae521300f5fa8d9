/** The moves of one state, as they are collected. */
import type { Move } from '../breadth-first.js';
import { has, Run } from './scripts.js';
import { clone, type Left, type State } from './state.js';
import type { Bound } from './world.js';

export class Moves {
  readonly all: Move<State>[] = [];
  readonly state: State;
  readonly world: Bound;

  constructor(state: State, world: Bound) {
    this.state = state;
    this.world = world;
  }

  step(says: string, change: (run: Run) => void, costs?: keyof Left): void {
    const next = clone(this.state);
    const run = new Run(next, this.world);
    if (costs) next.left[costs] -= 1;
    change(run);
    for (const producer of next.producers) {
      if (!producer.doing) continue;
      const isAlive = livesSomewhere(next, producer.doing.id);
      const { ghostAlive, ghostGone } = producer.doing;
      producer.doing = { ...producer.doing, ghostAlive: ghostAlive || isAlive, ghostGone: ghostGone || !isAlive };
    }
    this.all.push({ says, next });
  }
}

export function livesSomewhere({ partitions }: State, id: number): boolean {
  return partitions.some((one) => one && has(one, id));
}
