import type { Move } from '../breadth-first.js';
import type { Rules } from './rules.js';
import { type Answer, fire, placeAt, type Run, scripts } from './scripts.js';
import type { Bounds, Copy, Leader, State, Work } from './state.js';

type Change = (run: Run) => void;

/** Every step that anybody can take. A leader's are those of src/leader/scheduler.ts and schedule-mover.ts. */
export function movesFrom(state: State, { bounds, rules }: { bounds: Bounds; rules: Rules }): Move<State>[] {
  const moves: Move<State>[] = [];
  const add = (says: string, change: Change): void => {
    const next = structuredClone(state);
    change({ state: next, rules });
    moves.push({ says, next });
  };
  world(state, bounds, add);
  user(state, rules, add);
  for (const at of state.leaders.keys()) leader(state, { at, rules }, add);
  state.copies.forEach((copy, at) => {
    add(`a copy of ${saysCall(copy)} comes late`, (run) => {
      run.state.copies.splice(at, 1);
      scripts[copy.verb](run, copy);
    });
  });
  return moves;
}

/** Of whoever led while those who sleep slept. */
const anotherTerm = 99;

type Add = (says: string, change: Change) => void;

function world({ now, home, left, leaders }: State, { end }: Bounds, add: Add): void {
  if (now < end) add(`it is ${now + 1}`, ({ state }) => void (state.now += 1));
  if (left.growths > 0) {
    add(`the queue grows, the schedule belongs to ${home + 1}`, ({ state }) => {
      state.home += 1;
      state.left.growths -= 1;
    });
  }
  if (left.hours > 0) {
    add('an hour passes: the names of moves are forgotten, and another has led since', ({ state }) => {
      for (const place of state.places) {
        place.lanes = [];
        place.term = anotherTerm;
      }
      state.copies = [];
      state.left.hours -= 1;
    });
  }
  if (left.leaders > 0) {
    add(`leader ${leaders.length + 1} is elected`, ({ state }) => {
      state.leaders.push({ term: state.leaders.length + 1, work: null });
      state.left.leaders -= 1;
    });
  }
}

/** As src/producer/schedule-store.ts: a read and a compare-and-set, so one step. */
function user(state: State, rules: Rules, add: Add): void {
  const { left, places, lives, now } = state;
  const order = [state.home, ...places.keys()];
  const isMarked = places.some(({ schedule }) => schedule?.moving);
  if (isMarked && rules.usersWait) return;
  const at = order.find((one) => places[one]?.schedule?.moving === null) ?? order.find((one) => places[one]?.schedule);
  if (left.deletions > 0 && at !== undefined) {
    add(`somebody takes the schedule away in ${at}`, (run) => {
      const place = placeAt(run.state, at);
      const life = run.state.lives[place.schedule?.life ?? 0];
      if (life) life.isGone = true;
      place.schedule = null;
      run.state.left.deletions -= 1;
    });
  }
  if (left.creations > 0 && at === undefined) {
    add(`somebody makes it anew in ${state.home}`, (run) => {
      const schedule = { life: lives.length, next: now + 1, moving: null };
      placeAt(run.state, run.state.home).schedule = schedule;
      run.state.lives.push({ from: now + 1, isGone: false, fired: [] });
      run.state.left.creations -= 1;
    });
  }
}

function leader(state: State, { at, rules }: { at: number; rules: Rules }, add: Add): void {
  const { term, work } = state.leaders[at] as Leader;
  const name = `leader ${at + 1}`;
  const set = (run: Run, next: Work | null): void => void ((run.state.leaders[at] as Leader).work = next);
  state.places.forEach((place, where) => {
    if (place.term < term) {
      add(`${name} claims its term in ${where}`, (run) => void (placeAt(run.state, where).term = term));
    }
    const { schedule } = place;
    const isMet = schedule !== null && (schedule.next <= state.now || schedule.moving !== null);
    if (work === null && isMet && place.term >= term) {
      const read: Work = { ...schedule, place: where, stage: 'read' };
      add(`${name} reads the schedule in ${where}`, (run) => set(run, read));
    }
  });
  if (work === null) return;
  const call = callOf(state, work, { term, rules });
  const take = (run: Run): void => {
    const answer = scripts[call.verb](run, call);
    if (call.verb === 'mark' && answer === 'ok') run.state.moves += 1;
    set(run, after(work, call, answer));
    // In two calls where it is not one: whoever dies between them leaves it undone.
    if (call.verb === 'tick' && answer === 'ok' && !rules.tickInOne) run.state.leaders.splice(at, 1);
  };
  add(`${name}: ${saysCall(call)}`, take);
  if (state.left.copies > 0) {
    add(`${name}: ${saysCall(call)}, and a copy stays in the network`, (run) => {
      run.state.left.copies -= 1;
      run.state.copies.push(call);
      take(run);
    });
  }
  if (call.verb === 'tick' && !rules.tickInOne) {
    add(`${name}: ${saysCall(call)}, and adds the occurrence`, (run) => {
      const answer = scripts.tick(run, call);
      set(run, after(work, call, answer));
      if (answer === 'ok') fire(run, call);
    });
  }
}

/** What a leader does next with what it has read. */
function callOf(state: State, work: Work, { term, rules }: { term: number; rules: Rules }): Copy {
  const { place, life, next, moving, stage } = work;
  const call = { place, term, life, next, moving };
  const there = rules.markSaysWhere ? (moving?.to ?? state.home) : state.home;
  if (stage === 'made') return { ...call, verb: 'take' };
  if (stage === 'marked') return { ...call, verb: 'make', place: there };
  if (moving !== null && rules.moveKeepsMark) return { ...call, verb: 'make', place: there };
  if (place === state.home || moving !== null) return { ...call, verb: 'tick' };
  if (!rules.moveMarks) return { ...call, verb: 'make', place: there };
  return { ...call, verb: 'mark', moving: { to: state.home, id: state.moves + 1 } };
}

function after(work: Work, { verb, moving }: Copy, answer: Answer): Work | null {
  if (answer === 'stale') return null;
  switch (verb) {
    case 'tick':
    case 'take':
      return null;
    case 'mark':
      return answer === 'ok' ? { ...work, moving, stage: 'marked' } : null;
    case 'make':
      return { ...work, stage: 'made' };
  }
}

function saysCall({ verb, place, next, life }: Copy): string {
  const what = life === 0 ? '' : ` of life ${life + 1}`;
  const says = { tick: `fires ${next}`, mark: 'marks it', make: 'makes it', take: 'takes it away' } as const;
  return `${says[verb]}${what} in ${place}`;
}
