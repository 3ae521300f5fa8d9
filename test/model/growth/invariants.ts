/** What must hold in every state, beside what is found broken as the scripts run and calls are answered. */
import { inAny } from './followers.js';
import { isGrowing, placesOf, shape } from './layouts.js';
import { prospectKey } from './key.js';
import { leaderSteps, takeStep } from './leader.js';
import { beginPause, pauseOne } from './processes.js';
import { handOut, promote, Run, settle, tasksIn } from './scripts.js';
import { at, type Broken, clone, type State } from './state.js';
import type { Bound } from './world.js';

export function brokenIn(state: State, { world, ends }: { world: Bound; ends: (state: State) => boolean }): Broken[] {
  const broken: Broken[] = [];
  const layout = at(state.partitions, 0)?.layout ?? '';
  const seen = new Set<number>();
  state.partitions.forEach((partition, place) => {
    for (const { id } of partition ? tasksIn(partition) : []) {
      if (seen.has(id)) broken.push('TWO_PLACES');
      seen.add(id);
      const isSought = layout === '' || placesOf(layout, at(world.keys, id)).includes(place);
      if (!isSought && world.left.failovers === undefined) broken.push('OUT_OF_SIGHT');
    }
  });
  if (!ends(state)) broken.push('STUCK');
  return [...new Set(broken)];
}

/**
 * Whether all goes on when the world is kind from here on: the queue is resumed, the leader with all that it remembers
 * and a worker do their work. What is due ends, no partition waits, and when nothing lies elsewhere the past is forgotten;
 * what is far ahead may stay. Who was in the middle of something takes no further step.
 *
 * That depends on the partitions and on what the leader knows: far fewer states than there are, and many of those meet.
 */
export function rememberedEnds(world: Bound): (state: State) => boolean {
  const known = new Map<string, boolean>();
  return (from) => {
    const way = [prospectKey(from)];
    const first = known.get(way[0] as string);
    if (first !== undefined) return first;
    const state = clone(from);
    const run = new Run(state, world);
    resume(run);
    let ends = isOver(run);
    for (let round = 0; round < 12 && !ends; round += 1) {
      goRound(run);
      const key = prospectKey(state);
      ends = known.get(key) ?? isOver(run);
      if (known.has(key)) break;
      way.push(key);
    }
    for (const key of way) known.set(key, ends);
    return ends;
  };
}

function goRound(run: Run): void {
  const { state, world } = run;
  touchAll(run);
  for (const step of leaderSteps(state, world)) takeStep(run, state.leader, step);
  for (const place of world.partitions) if (place < shape(state.leader.belief).partitions) work(run, place);
}

function isOver({ state: { partitions, leader }, world }: Run): boolean {
  const { belief } = leader;
  const isElsewhere = (id: number, place: number): boolean => placesOf(belief, at(world.keys, id))[0] !== place;
  const isKept = partitions.some((one, place) => one?.later.some(({ id }) => isElsewhere(id, place)));
  if (isGrowing(belief) && !isKept) return false;
  return partitions.every((one, place) => {
    if (one === null) return true;
    const isUsed = one.layout !== '' && place < shape(belief).partitions;
    if (!isUsed) return tasksIn(one).length === 0;
    return one.layout === belief && one.waits === null && one.later.length === tasksIn(one).length;
  });
}

function resume(run: Run): void {
  const pauser = { belief: run.state.leader.belief, made: 0, text: null, left: [] };
  beginPause(run, pauser);
  for (let turn = 0; turn < 20 && pauser.text !== null; turn += 1) {
    pauseOne(run, pauser, { place: at(pauser.left, 0), paused: false });
  }
}

/** Leader and worker call each partition all the time: so they learn, and bring up. */
function touchAll(run: Run): void {
  const { leader, partitions } = run.state;
  partitions.forEach((partition, place) => {
    if (!partition || place >= shape(leader.belief).partitions) return;
    inAny(run, leader, place, (layout) => {
      const { layout: has } = run.at(place);
      return has !== layout && (has !== '' || isGrowing(layout)) ? { layout: has } : 'ok';
    });
  });
}

function work(run: Run, place: number): void {
  const partition = run.at(place);
  for (let turn = 0; turn < run.world.keys.length; turn += 1) promote(partition);
  while (partition.stream.length > 0 && !partition.isPaused) handOut(run, place);
  for (const { id } of partition.active) settle(run, place, { id, end: 'complete' });
}
