/** Every order in which the processes of a scenario and the world can take their steps. */
import { hash } from 'node:crypto';
import { breadthFirst, type Found, type Move } from './breadth-first.js';
import { lateCopies } from './calls.js';
import { worldMoves } from './environment.js';
import { brokenIn, everythingEnds } from './invariants.js';
import { keyOf } from './key.js';
import { Moves } from './moves.js';
import { consumerMoves, leaderMoves, producerMoves } from './processes.js';
import { type Rule, rulesWithout } from './rules.js';
import type { Broken, State } from './state.js';
import { type Bound, firstState, type World } from './world.js';

export function movesFrom(state: State, world: Bound): readonly Move<State>[] {
  const moves = new Moves(state, world);
  state.producers.forEach((_, by) => producerMoves(moves, by));
  state.consumers.forEach((_, c) => consumerMoves(moves, c));
  state.leaders.forEach((_, l) => leaderMoves(moves, l));
  lateCopies(moves);
  worldMoves(moves);
  return moves.all;
}

/** Goes over every state the scenario can reach, and stops at the first that breaks one of `judged`, or anything. */
export function search(over: World, without: readonly Rule[] = [], judged?: Broken): Found<Broken> {
  const world: Bound = { ...over, rules: rulesWithout(without) };
  const ends = rememberedEnds(world);
  const model = {
    first: firstState(world),
    keyOf,
    movesFrom: (state: State) => movesFrom(state, world),
    brokenIn: (state: State) => brokenIn(state, ends),
  };
  return breadthFirst(model, judged);
}

/** Whether everything ends depends on Redis, and on who beats without an end: far fewer states than there are. */
function rememberedEnds(world: Bound): (state: State) => boolean {
  const known = new Map<string, boolean>();
  return (state) => {
    const stuck = state.consumers.filter(({ isStuck }) => isStuck).map(({ held }) => held);
    const { ghostLives: _, lanes: _lanes, ...redis } = state.redis;
    const key = hash('sha1', JSON.stringify([redis, stuck]), 'base64');
    const ends = known.get(key) ?? everythingEnds(state, world);
    known.set(key, ends);
    return ends;
  };
}
