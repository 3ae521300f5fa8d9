import { breadthFirst, type Found } from '../breadth-first.js';
import { brokenIn, rememberedEnds } from './invariants.js';
import { movesFrom } from './moves.js';
import { type Rule, rulesWithout } from './rules.js';
import { type Bounds, type Broken, firstState } from './state.js';

export function search(bounds: Bounds, removed: readonly Rule[] = [], judged?: Broken): Found<Broken> {
  const of = { bounds, rules: rulesWithout(removed) };
  const endOf = rememberedEnds(of);
  return breadthFirst(
    {
      first: firstState(bounds),
      keyOf: (state) => JSON.stringify(state),
      movesFrom: (state) => movesFrom(state, of),
      brokenIn: (state) => brokenIn(state, endOf),
    },
    judged,
  );
}
