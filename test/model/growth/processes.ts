/** Growers, the operator who pauses, workers, and the world. */
import { letterOf } from '../moves.js';
import { bring, bringing, bringOld, growing, inAny, learn } from './followers.js';
import { isAfter, isGrowing, isNewIn, layoutOf, shape } from './layouts.js';
import type { Moves } from './moves.js';
import { execute, grow, handOut, pause, promote, type Run, settle, tasksIn } from './scripts.js';
import { at, type Pauser } from './state.js';
import { emptyPartition } from './world.js';

/** One may crash after any of its steps: then it takes no more, and somebody brings up the others. */
export function growerMoves(moves: Moves, g: number): void {
  const { state, world } = moves;
  const { read, left } = at(state.growers, g);
  const to = at(world.growers, g);
  const who = `G${g + 1}`;
  if (read === '') {
    moves.step(`${who} reads the layout`, (run) => {
      at(run.state.growers, g).read = run.root.layout;
    });
    return;
  }
  const { partitions, former } = shape(read);
  const layout = layoutOf(to, [partitions, ...former]);
  if (!isAfter(layout, read)) return;
  for (const place of world.rules.rootFirst ? left.slice(0, 1) : left) {
    moves.step(`${who} makes ${place} one of ${layout}`, (run) => {
      const from = place < partitions ? read : '';
      const waits = isNewIn(layout, place) ? run.root.isPaused : null;
      const reply = grow(run, growing(place, layout, { from, waits }));
      const grower = at(run.state.growers, g);
      grower.left = world.rules.rootFirst ? [] : grower.left.filter((one) => one !== place);
      if (typeof reply !== 'string') Object.assign(grower, { read: '', left: [...world.partitions] });
    });
  }
}

/** Anybody who knows what the first partition has, and meets one that is behind. */
export function followerMoves(moves: Moves): void {
  const { state, world } = moves;
  const belief = at(state.partitions, 0)?.layout ?? '';
  for (const place of belief === '' ? [] : world.partitions) {
    const from = state.partitions[place]?.layout ?? '';
    if (place >= shape(belief).partitions || from === belief) continue;
    if (from === '' ? !isGrowing(belief) : !isAfter(belief, from)) continue;
    moves.step(
      `somebody brings ${place} up to ${belief}`,
      (run) => void bring(run, { belief }, { at: place, taken: from }),
    );
    if (state.left.lateBrings === 0) continue;
    moves.step(
      `somebody is about to bring ${place} up to ${belief}`,
      (run) => {
        if (world.rules.oldFirst) bringOld(run, { belief }, { at: place, from });
        run.state.copies = [...run.state.copies, bringing(run, { belief }, { at: place, from })];
      },
      'lateBrings',
    );
  }
}

export function pauserMoves(moves: Moves): void {
  const { state, world } = moves;
  const { text, left, made } = state.pauser;
  const paused = world.pauses[made];
  if (paused === undefined) return;
  const says = paused ? 'pause' : 'resume';
  if (text === null) {
    moves.step(`${says} begins`, (run) => {
      beginPause(run, run.state.pauser);
      run.state.ghostQueue = 'between';
    });
  }
  for (const place of text === null ? [] : left) {
    moves.step(`${says} of ${place}`, (run) => {
      pauseOne(run, run.state.pauser, { place, paused });
      if (run.state.pauser.text === null) run.state.ghostQueue = paused ? 'paused' : 'runs';
    });
  }
}

export function beginPause(run: Run, pauser: Pauser): void {
  learn(run, pauser, run.root.layout);
  pauser.text = pauser.belief;
  pauser.left = run.world.partitions.filter((place) => place < shape(pauser.belief).partitions);
}

/** When all have answered and the queue has grown meanwhile, all are told again. */
export function pauseOne(run: Run, pauser: Pauser, { place, paused }: { place: number; paused: boolean }): void {
  inAny(run, pauser, place, (layout) => pause(run, place, { layout, paused }));
  pauser.left = pauser.left.filter((one) => one !== place);
  if (pauser.left.length > 0) return;
  if (pauser.belief !== pauser.text && run.rules.pauseAgain) {
    pauser.text = pauser.belief;
    pauser.left = run.world.partitions.filter((one) => one < shape(pauser.belief).partitions);
  } else {
    pauser.text = null;
    pauser.made += 1;
  }
}

export function taskMoves(moves: Moves): void {
  const { state, world } = moves;
  if (!world.works) return;
  state.partitions.forEach((partition, place) => {
    const [first] = partition?.stream ?? [];
    if (partition && !partition.isPaused && first) {
      moves.step(`a worker is handed ${letterOf(first.id)} by ${place}`, (run) => handOut(run, place));
    }
    if (partition && !partition.isPaused && partition.due.length > 0) {
      moves.step(`${place} promotes`, (run) => promote(run.at(place)));
    }
    const [sleeping] = partition?.later ?? [];
    if (sleeping) {
      moves.step(`${letterOf(sleeping.id)} falls due at ${place}`, (run) => {
        const one = run.at(place);
        one.due = [...one.due, sleeping];
        one.later = one.later.slice(1);
      });
    }
    for (const { id } of partition?.active ?? []) {
      for (const end of world.ends) {
        moves.step(`${end} of ${letterOf(id)} at ${place}`, (run) => settle(run, place, { id, end }));
      }
    }
  });
}

export function worldMoves(moves: Moves): void {
  const { state, world } = moves;
  state.copies.forEach((sent, nth) => {
    const what = sent.verb === 'grow' ? `grow to ${sent.layout}` : `${sent.verb} ${letterOf(sent.id)}`;
    moves.step(`late at ${sent.at}: ${what}`, (run) => {
      run.state.copies = run.state.copies.toSpliced(nth, 1);
      execute(run, sent);
    });
  });
  for (const place of state.left.losses > 0 ? world.mayLose : []) {
    moves.step(
      `${place} loses all it has`,
      (run) => {
        const lost = tasksIn(run.at(place)).map(({ op }) => op);
        run.state.ghostMade = run.state.ghostMade.map((made, op) => (lost.includes(op) ? 0 : made));
        run.state.partitions[place] = emptyPartition('', { ...world, isPaused: false });
      },
      'losses',
    );
  }
  failover(moves);
}

/**
 * The first partition falls back to a replica that stood still, and loses one change of its layout at most; what lies in
 * the network lies in an old connection.
 */
function failover(moves: Moves): void {
  const { replica, partitions, left } = moves.state;
  if (left.failovers === 0) return;
  if (replica === null) {
    moves.step('the replica of 0 stands still', ({ state }) => {
      state.replica = at(partitions, 0);
    });
    return;
  }
  const [was, is] = [shape(replica.layout), shape(at(partitions, 0)?.layout ?? '')];
  if (was.partitions !== is.partitions && is.former.length === 0) return;
  moves.step(
    '0 fails over to its replica',
    ({ state }) => {
      state.partitions[0] = replica;
      state.replica = null;
      state.copies = state.copies.filter((sent) => sent.at !== 0);
    },
    'failovers',
  );
}
