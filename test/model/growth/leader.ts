/** The duty that sees a growth through, as in src/leader/growth.ts: each of its calls is a step. */
import { growing, inAny, learn } from './followers.js';
import { isAfter, layoutOf, placesOf, shape } from './layouts.js';
import type { Moves } from './moves.js';
import { grow, handedOut, release, type Run, tasksIn } from './scripts.js';
import type { Leader, State } from './state.js';

/** A step of its duty; the last of them makes the past forgotten. */
export interface LeaderStep {
  readonly says: string;
  readonly change: (run: Run, leader: Leader) => void;
}

export function leaderSteps({ leader, partitions }: State, { partitions: known, rules }: Moves['world']): LeaderStep[] {
  const { belief } = leader;
  const { former } = shape(belief);
  if (former.length === 0) return [];
  const isFresh = leader.seen !== belief;
  const memory: Pick<Leader, 'handedOut' | 'released'> = isFresh ? { handedOut: [], released: [] } : leader;
  const cursors = isFresh && rules.walkAnew ? leader.cursors.map(() => 0 as const) : leader.cursors;
  const old = known.filter((place) => place < Math.max(...former));
  const added = known.filter((place) => place >= Math.min(...former) && place < shape(belief).partitions);
  const steps: LeaderStep[] = [];
  const step = (says: string, change: (run: Run, leader: Leader) => void): void =>
    void steps.push({ says: `the leader ${says}`, change });
  for (const place of old) {
    if (!memory.handedOut.includes(place)) step(`asks ${place} whether it has handed out`, askHandedOut(place));
  }
  for (const place of added) {
    const before = former.map((count) => place % count).filter((one) => one !== place);
    const isDue = before.every((one) => memory.handedOut.includes(one)) || !rules.releaseAfter;
    const isAgain = memory.released.includes(place);
    const hasWork = !isAgain || (partitions[place]?.waits ?? null) !== null || partitions[place]?.layout !== belief;
    if (isDue && hasWork && (!isAgain || rules.releasedAgain)) step(`releases ${place}`, releaseOne(place));
  }
  if (added.every((place) => memory.released.includes(place))) {
    const walking = old.filter((place) => cursors[place] !== 'done');
    for (const place of walking) step(`walks over ${place}`, walk(place));
    if (walking.length === 0) step('forgets the past', finish);
  }
  return steps;
}

const askHandedOut = (place: number) => (run: Run, leader: Leader) => {
  if (inAny(run, leader, place, (layout) => handedOut(run, place, layout)) === 'done') {
    leader.handedOut = [...leader.handedOut, place];
  }
};

const releaseOne = (place: number) => (run: Run, leader: Leader) => {
  const reply = inAny(run, leader, place, (layout) => release(run, place, layout));
  if (reply !== undefined && !leader.released.includes(place)) leader.released = [...leader.released, place];
};

/** A page is the place of one id. */
const walk = (place: number) => (run: Run, leader: Leader) => {
  const cursor = Number(leader.cursors[place]);
  let isElsewhere = false;
  const reply = inAny(run, leader, place, (layout) => {
    const partition = run.at(place);
    if (partition.layout !== layout && run.rules.walkIsStrict) return { layout: partition.layout };
    const isThere = tasksIn(partition).some(({ id }) => id === cursor);
    isElsewhere = isThere && placesOf(layout, run.keyOf(cursor))[0] !== place;
    return 'ok';
  });
  if (reply === undefined || (isElsewhere && run.rules.walkStays)) return;
  leader.cursors = leader.cursors.with(place, cursor + 1 < run.world.keys.length ? cursor + 1 : 'done');
};

function finish(run: Run, leader: Leader): void {
  const layout = layoutOf(shape(leader.belief).partitions);
  const reply = grow(run, growing(0, layout, { from: leader.belief, waits: null }));
  if (typeof reply === 'string') learn(run, leader, layout);
}

/** Its memory is that of one layout. */
export function takeStep(run: Run, leader: Leader, { change }: LeaderStep): void {
  if (leader.seen !== leader.belief) {
    leader.seen = leader.belief;
    leader.handedOut = [];
    leader.released = [];
    if (run.rules.walkAnew) leader.cursors = leader.cursors.map(() => 0);
  }
  change(run, leader);
}

export function leaderMoves(moves: Moves): void {
  const { state, world } = moves;
  if (!world.hasLeader) return;
  for (const step of leaderSteps(state, world)) {
    moves.step(step.says, (run) => takeStep(run, run.state.leader, step));
  }
  const root = state.partitions[0]?.layout ?? '';
  if (root === state.leader.belief || !isAfter(root, state.leader.belief)) return;
  moves.step(`the leader learns that it is ${root}`, (run) => learn(run, run.state.leader, root));
}
