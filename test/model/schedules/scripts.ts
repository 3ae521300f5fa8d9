/** What the scripts do to one partition: lua/tick.lua, and lua/schedule.lua as who moves a schedule calls it. */
import type { Rules } from './rules.js';
import type { Copy, Place, Schedule, State } from './state.js';

export interface Run {
  readonly state: State;
  readonly rules: Rules;
}

export function placeAt({ places }: State, at: number): Place {
  const place = places[at];
  if (place === undefined) throw new Error(`there is no place ${at}`);
  return place;
}

function isAsRead(stands: Schedule | null, { life, next, moving }: Schedule): stands is Schedule {
  const isSameMark = stands?.moving?.id === moving?.id;
  return stands !== null && stands.life === life && stands.next === next && isSameMark;
}

export function fire({ state }: Run, { life, next }: Schedule): void {
  const fired = state.lives[life]?.fired ?? [];
  fired[next] = (fired[next] ?? 0) + 1;
  if ((fired[next] ?? 0) > 1) state.broken.push('DOUBLE');
}

/** Done, or refused: `stale` for its term, `changed` for what it found. */
export type Answer = 'ok' | 'stale' | 'changed';

export function tick(run: Run, call: Copy): Answer {
  const place = placeAt(run.state, call.place);
  if (place.term !== call.term) return 'stale';
  const { schedule } = place;
  if (schedule === null || (run.rules.tickCompares && !isAsRead(schedule, call))) return 'changed';
  schedule.next = call.next + 1;
  if (run.rules.tickInOne) fire(run, { ...call, life: schedule.life });
  return 'ok';
}

export function mark(run: Run, call: Copy): Answer {
  const place = placeAt(run.state, call.place);
  if (place.term !== call.term) return 'stale';
  if (!isAsRead(place.schedule, { ...call, moving: null })) return 'changed';
  place.schedule.moving = call.moving;
  return 'ok';
}

export function make({ state, rules }: Run, call: Copy): Answer {
  const place = placeAt(state, call.place);
  const id = call.moving?.id ?? 0;
  if (rules.moveOnce && place.lanes.includes(id)) return 'ok';
  if (rules.moveFenced && place.term !== call.term) return 'stale';
  if (place.schedule !== null) return 'changed';
  place.schedule = { life: call.life, next: call.next, moving: null };
  place.lanes.push(id);
  return 'ok';
}

export function take({ state }: Run, call: Copy): Answer {
  const place = placeAt(state, call.place);
  if (!isAsRead(place.schedule, call)) return 'changed';
  place.schedule = null;
  return 'ok';
}

export const scripts: Readonly<Record<Copy['verb'], (run: Run, call: Copy) => Answer>> = { tick, mark, make, take };
