import type { Rules } from './rules.js';
import { movesFrom } from './moves.js';
import type { Bounds, Broken, State } from './state.js';

/** What must hold in every state, beside what is found broken as the scripts run; `endOf`: what is broken in the end. */
export function brokenIn(state: State, endOf: (state: State) => readonly Broken[]): Broken[] {
  const broken: Broken[] = [];
  const there = state.places.flatMap(({ schedule }) => (schedule === null ? [] : [schedule]));
  if (there.filter(({ moving }) => moving === null).length > 1) broken.push('TWO');
  const last = state.lives.length - 1;
  const lives = new Set(there.map(({ life }) => life));
  if (!state.lives[last]?.isGone && !lives.has(last)) broken.push('LOST');
  if (state.lives.some(({ isGone }, life) => isGone && there.some((one) => one.life === life && one.moving === null)))
    broken.push('BACK');
  if (broken.length === 0) broken.push(...endOf(state));
  return broken;
}

/** Many states have one end: it is looked for once. */
export function rememberedEnds(of: { bounds: Bounds; rules: Rules }): (state: State) => readonly Broken[] {
  const known = new Map<string, readonly Broken[]>();
  return (from) => {
    const kind = kindFrom(from);
    const key = JSON.stringify(kind);
    const end = known.get(key) ?? inTheEnd(structuredClone(kind), of);
    known.set(key, end);
    return end;
  };
}

/** When the world is kind from here on: another leader comes, the others take no further step, and time passes. */
function kindFrom(from: State): State {
  const terms = from.leaders.length;
  return {
    ...from,
    copies: [],
    left: { growths: 0, leaders: 1, copies: 0, deletions: 0, creations: 0, hours: 0 },
    leaders: Array.from({ length: terms }, (_, at) => ({ term: at + 1, work: null })),
    places: from.places.map((place) => ({ ...place, term: terms + 1 })), // the newcomer's, before the others can take another step
  };
}

function inTheEnd(from: State, { bounds, rules }: { bounds: Bounds; rules: Rules }): Broken[] {
  let state = from;
  const terms = from.leaders.length;
  for (let steps = 0; steps < 200; steps += 1) {
    const next = movesFrom(state, { bounds, rules }).find(({ says }) => isOfTheLast(says, terms + 1));
    if (next === undefined) break;
    state = next.next;
    if (state.broken.length > 0) return state.broken;
  }
  const { lives } = state;
  const isMissed = lives.some(({ from: first, isGone, fired }, life) => {
    if (isGone || life < lives.length - 1) return false;
    for (let time = first; time <= bounds.end; time += 1) if (fired[time] !== 1) return true;
    return false;
  });
  const isBack = state.places.some(({ schedule }) => schedule !== null && lives[schedule.life]?.isGone);
  return [...(isMissed ? ['MISSED' as const] : []), ...(isBack ? ['BACK' as const] : [])];
}

function isOfTheLast(says: string, leader: number): boolean {
  const isItsOwn = says.startsWith(`leader ${leader}`) && !says.includes('in the network');
  return says.startsWith('it is ') || isItsOwn;
}
