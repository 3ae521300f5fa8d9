/** Every order in which those who use a queue that grows can take their steps. */
import { breadthFirst, type Found, type Move } from '../breadth-first.js';
import { brokenIn, rememberedEnds } from './invariants.js';
import { keyOf } from './key.js';
import { leaderMoves } from './leader.js';
import { Moves } from './moves.js';
import { followerMoves, growerMoves, pauserMoves, taskMoves, worldMoves } from './processes.js';
import { producerMoves } from './producers.js';
import { type Rule, rulesWithout } from './rules.js';
import type { Broken, State } from './state.js';
import { type Bound, firstState, type World } from './world.js';

function movesFrom(state: State, world: Bound): readonly Move<State>[] {
  const moves = new Moves(state, world);
  state.producers.forEach((_, by) => producerMoves(moves, by));
  state.growers.forEach((_, g) => growerMoves(moves, g));
  followerMoves(moves);
  pauserMoves(moves);
  leaderMoves(moves);
  taskMoves(moves);
  worldMoves(moves);
  return moves.all;
}

export function search(over: World, without: readonly Rule[] = [], judged?: Broken): Found<Broken> {
  const world: Bound = { ...over, rules: rulesWithout(without) };
  const ends = rememberedEnds(world);
  const model = {
    first: firstState(world),
    keyOf,
    movesFrom: (state: State) => movesFrom(state, world),
    brokenIn: (state: State) => brokenIn(state, { world, ends }),
  };
  return breadthFirst(model, judged);
}
