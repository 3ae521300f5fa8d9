/** Breadth first, so that the trace to what is broken is the shortest there is. */

/** A step of one process or of the world, with a sentence that says it. */
export interface Move<S> {
  readonly says: string;
  readonly next: S;
}

/** What is searched. A move may break something on its way: it says so in `broken`. */
export interface Searched<S extends { broken: B[] }, B extends string> {
  readonly first: S;
  readonly keyOf: (state: S) => string;
  readonly movesFrom: (state: S) => readonly Move<S>[];
  /** What is broken in a state, however it was reached. */
  readonly brokenIn: (state: S) => readonly B[];
}

export interface Found<B extends string> {
  readonly states: number;
  /** What breaks first, if anything does, and the shortest way to it. */
  readonly broken: readonly B[];
  readonly trace: readonly string[];
}

/** Where a state was reached from, and by what. */
interface Step {
  readonly from: Step | null;
  readonly says: string;
}

const statesMax = 300_000;

/** Goes over every state that can be reached, and stops at the first that breaks `judged`, or anything. */
export function breadthFirst<S extends { broken: B[] }, B extends string>(
  { first, keyOf, movesFrom, brokenIn }: Searched<S, B>,
  judged?: B,
): Found<B> {
  const seen = new Set([keyOf(first)]);
  let level: { state: S; step: Step | null }[] = [{ state: first, step: null }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { state, step } of level) {
      for (const move of movesFrom(state)) {
        const key = keyOf(move.next);
        const isKnown = seen.has(key);
        // A step may break something on its way to a state that was seen before.
        const all = isKnown ? move.next.broken : [...move.next.broken, ...brokenIn(move.next)];
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
