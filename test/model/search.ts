/** Breadth first, so that the trace to what is broken is the shortest there is. */
import { hash } from 'node:crypto';
import { lateCopies } from './calls.js';
import { worldMoves } from './environment.js';
import { brokenIn, everythingEnds } from './invariants.js';
import { keyOf } from './key.js';
import { type Move, Moves } from './moves.js';
import { consumerMoves, leaderMoves, producerMoves } from './processes.js';
import { type Rule, rulesWithout } from './rules.js';
import type { Broken, State } from './state.js';
import { type Bound, firstState, type World } from './world.js';

export interface Found {
  readonly states: number;
  /** What breaks first, if anything does, and the shortest way to it. */
  readonly broken: readonly Broken[];
  readonly trace: readonly string[];
}

/** Where a state was reached from, and by what. */
interface Step {
  readonly from: Step | null;
  readonly says: string;
}

export function movesFrom(state: State, world: Bound): readonly Move[] {
  const moves = new Moves(state, world);
  state.producers.forEach((_, by) => producerMoves(moves, by));
  state.consumers.forEach((_, c) => consumerMoves(moves, c));
  state.leaders.forEach((_, l) => leaderMoves(moves, l));
  lateCopies(moves);
  worldMoves(moves);
  return moves.all;
}

const statesMax = 300_000;

/** Goes over every state the scenario can reach, and stops at the first that breaks one of `judged`, or anything. */
export function search(over: World, without: readonly Rule[] = [], judged?: Broken): Found {
  const world: Bound = { ...over, rules: rulesWithout(without) };
  const ends = rememberedEnds(world);
  const first = firstState(world);
  const seen = new Set([keyOf(first)]);
  let level: { state: State; step: Step | null }[] = [{ state: first, step: null }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { state, step } of level) {
      for (const move of movesFrom(state, world)) {
        const key = keyOf(move.next);
        const isKnown = seen.has(key);
        // A step may break something on its way to a state that was seen before.
        const all = isKnown ? move.next.broken : [...move.next.broken, ...brokenIn(move.next, ends)];
        const broken = all.filter((one) => judged === undefined || one === judged);
        const reached = { from: step, says: move.says };
        if (broken.length > 0) return { states: seen.size, broken, trace: traceTo(reached) };
        move.next.broken = [];
        if (isKnown) continue;
        seen.add(key);
        next.push({ state: move.next, step: reached });
      }
    }
    if (seen.size > statesMax) throw new Error(`more than ${statesMax} states: the bounds are too wide`);
    level = next;
  }
  return { states: seen.size, broken: [], trace: [] };
}

function traceTo(last: Step): string[] {
  const trace: string[] = [];
  for (let step: Step | null = last; step; step = step.from) trace.unshift(step.says);
  return trace;
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
