/** The scripts, as far as a growth matters to them: each as its file in lua/ does it. One run is one step. */
import { isGrowing, shape } from './layouts.js';
import { at, type Broken, type Letter, type Partition, type Sent, type State, type Task } from './state.js';
import type { Bound } from './world.js';

/** A word, or the layout that the partition has instead. */
export type Reply = string | { readonly layout: string };

export class Run {
  readonly state: State;
  readonly world: Bound;
  /** The partitions that were copied for this run. */
  readonly #own = new Set<number>();

  constructor(state: State, world: Bound) {
    this.state = state;
    this.world = world;
  }

  get rules(): Bound['rules'] {
    return this.world.rules;
  }

  get root(): Partition {
    return this.at(0);
  }

  at(index: number): Partition {
    const found = this.state.partitions[index];
    if (!found) throw new Error(`partition ${index} is not in this world`);
    if (this.#own.has(index)) return found;
    this.#own.add(index);
    const own = { ...found };
    this.state.partitions[index] = own;
    return own;
  }

  keyOf(id: number): number {
    return at(this.world.keys, id);
  }

  breaks(what: Broken): void {
    this.state.broken.push(what);
  }
}

const lists = ['later', 'due', 'stream', 'active'] as const;

export function tasksIn(partition: Partition): Task[] {
  return lists.flatMap((list) => partition[list]);
}

export const has = (partition: Partition, id: number): boolean => tasksIn(partition).some((task) => task.id === id);

function remove(partition: Partition, id: number): void {
  for (const list of lists) partition[list] = partition[list].filter((task) => task.id !== id);
}

function begin(run: Run, index: number, { id, op, isLater, layout }: Sent): void {
  const partition = run.at(index);
  const made = at(run.state.ghostMade, op);
  if (made > 0) run.breaks('ADDED_TWICE');
  run.state.ghostMade = run.state.ghostMade.with(op, made + 1);
  const ghostAddedAt = shape(layout).partitions;
  const task: Task = { id, op, isDueBySplit: false, isMarked: false, ghostAddedAt, ghostDueAt: 0 };
  const ready = partition.isPaused ? 'due' : 'stream';
  const list = isLater ? 'later' : ready;
  partition[list] = [...partition[list], task];
}

/** The first answer of a call that is repeated. */
function answered({ lanes }: Partition, { by, number }: Sent): string | undefined {
  const kept = lanes[by];
  if (kept?.number === number) return kept.reply;
  return kept && kept.number > number ? 'late call' : undefined;
}

function keep(partition: Partition, { by, number }: Sent, reply: string): string {
  partition.lanes = partition.lanes.with(by, { number, reply });
  return reply;
}

/** For the scripts that give a partition its first layout. */
function isOther(run: Run, { layout: has }: Partition, layout: string): boolean {
  if (has === layout) return false;
  return has !== '' || (isGrowing(layout) && run.rules.bareRefused);
}

export function add(run: Run, sent: Sent): Reply {
  const partition = run.at(sent.at);
  const { rules } = run;
  const first = answered(partition, sent);
  if (first !== undefined && rules.laneFirst) return first;
  const isBare = partition.layout === '' && sent.at > 0 && rules.bareAsks;
  if ((isOther(run, partition, sent.layout) && rules.otherRefused) || isBare) return { layout: partition.layout };
  if (first !== undefined) return first;
  if (partition.layout === '') partition.layout = sent.layout;
  if (has(partition, sent.id)) return keep(partition, sent, 'duplicate');
  begin(run, sent.at, sent);
  return keep(partition, sent, 'added');
}

/** has.lua. */
export function look(run: Run, index: number, { layout, id }: { layout: string; id: number }): Reply {
  const partition = run.at(index);
  if (partition.layout !== layout && run.rules.lookIsStrict) return { layout: partition.layout };
  return has(partition, id) ? 'there' : 'not there';
}

export function cancel(run: Run, sent: Sent): Reply {
  const partition = run.at(sent.at);
  const isOtherOne = partition.layout !== '' && partition.layout !== sent.layout;
  if (isOtherOne && run.rules.cancelIsStrict) return { layout: partition.layout };
  const first = answered(partition, sent);
  if (first !== undefined) return first;
  if (!has(partition, sent.id)) return keep(partition, sent, 'not found');
  remove(partition, sent.id);
  return keep(partition, sent, 'cancelled');
}

export function replay(run: Run, sent: Sent): Reply {
  const partition = run.at(sent.at);
  const first = answered(partition, sent);
  if (first !== undefined && run.rules.replayLaneFirst) return first;
  if (partition.layout !== '' && partition.layout !== sent.layout) return { layout: partition.layout };
  if (first !== undefined) return first;
  const letter = partition.dead.find(({ no }) => no === sent.letter);
  if (!letter) return keep(partition, sent, 'not found');
  if (has(partition, sent.id)) return keep(partition, sent, 'conflict');
  begin(run, sent.at, { ...sent, isLater: false });
  purge(run, sent.at, letter.no);
  return keep(partition, sent, 'replayed');
}

export function purge(run: Run, index: number, number: number): void {
  const partition = run.at(index);
  partition.dead = partition.dead.filter(({ no }) => no !== number);
}

export function pause(run: Run, index: number, { layout, paused }: { layout: string; paused: boolean }): Reply {
  const partition = run.at(index);
  const isBare = partition.layout === '';
  if (isOther(run, partition, layout) && (isBare || run.rules.pauseIsStrict)) return { layout: partition.layout };
  if (isBare) partition.layout = layout;
  if (partition.waits !== null && run.rules.pauseSaysWaits) partition.waits = paused;
  else partition.isPaused = paused;
  return 'ok';
}

export function grow(run: Run, { at: index, layout, from, waits }: Sent): Reply {
  const partition = run.at(index);
  if (partition.layout === layout) return 'ok';
  if (partition.layout !== from && run.rules.fromCompared) return { layout: partition.layout };
  partition.layout = layout;
  if (!isGrowing(layout)) {
    if (partition.waits !== null && run.rules.endReleases) partition.isPaused = partition.waits;
    if (run.rules.endReleases) partition.waits = null;
    partition.split = 'none';
  } else if (from !== '') split(run, partition);
  else if (waits !== null && run.rules.newWaits) Object.assign(partition, { waits, isPaused: true });
  return 'ok';
}

function split(run: Run, partition: Partition): void {
  const isAnew = partition.split === 'none' || run.rules.splitAnew;
  const count = shape(partition.layout).partitions;
  const now = (task: Task): Task => ({
    ...task,
    isDueBySplit: isAnew || task.isDueBySplit,
    ghostDueAt: task.ghostDueAt || count,
  });
  partition.due = partition.due.map(now);
  partition.stream = partition.stream.map((task) => ({ ...now(task), isMarked: task.isMarked && !isAnew }));
  if (isAnew) partition.split = 'open';
}

export function handedOut(run: Run, index: number, layout: string): Reply {
  const partition = run.at(index);
  if (partition.layout !== layout && run.rules.askIsStrict) return { layout: partition.layout };
  if (partition.waits !== null && run.rules.waitingIsNotDone) return 'not yet';
  if (partition.split === 'none') return 'done';
  if (partition.split === 'open') {
    if (partition.due.some(({ isDueBySplit }) => isDueBySplit) && run.rules.dueCounts) return 'not yet';
    partition.stream = partition.stream.map((task) => ({ ...task, isMarked: true }));
    partition.split = 'marked';
  }
  if (partition.stream.some(({ isMarked }) => isMarked) && run.rules.streamCounts) return 'not yet';
  partition.split = 'none';
  return 'done';
}

export function release(run: Run, index: number, layout: string): Reply {
  const partition = run.at(index);
  if (partition.layout !== layout && run.rules.releaseIsStrict) return { layout: partition.layout };
  if (partition.waits === null) return 'ok';
  partition.isPaused = partition.waits && run.rules.waitsAsQueue;
  partition.waits = null;
  return 'ok';
}

/** The head of the schedule, by the leader or without a term. */
export function promote(partition: Partition): void {
  if (partition.isPaused) return;
  const [head, ...rest] = partition.due;
  if (!head) return;
  partition.due = rest;
  partition.stream = [...partition.stream, head];
}

/** next.lua: read and opened in one. */
export function handOut(run: Run, index: number): void {
  const partition = run.at(index);
  const [task, ...rest] = partition.stream;
  if (partition.isPaused || !task) return;
  if (run.state.ghostQueue === 'paused') run.breaks('STARTED_PAUSED');
  const key = run.keyOf(task.id);
  const isBefore = ({ id, ghostDueAt }: Task): boolean =>
    ghostDueAt > 0 && ghostDueAt <= task.ghostAddedAt && run.keyOf(id) === key;
  const before = run.state.partitions.slice(0, index);
  if (before.some((one) => one && [...one.due, ...one.stream].some(isBefore))) run.breaks('ORDER');
  partition.stream = rest;
  partition.active = [...partition.active, { ...task, isDueBySplit: false, isMarked: false, ghostDueAt: 0 }];
}

export function settle(run: Run, index: number, { id, end }: { id: number; end: 'complete' | 'bury' }): void {
  const partition = run.at(index);
  remove(partition, id);
  const letter: Letter = { no: Math.max(0, ...partition.dead.map(({ no }) => no)) + 1, id };
  if (end === 'bury') partition.dead = [...partition.dead, letter];
}

export function execute(run: Run, sent: Sent): Reply {
  return { add, cancel, replay, grow }[sent.verb](run, sent);
}
