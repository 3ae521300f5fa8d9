/** What a scenario lets happen, and its first state. */
import type { Rules } from './rules.js';
import { at, type Left, type Partition, type State, type Task } from './state.js';

type Place = 'later' | 'due' | 'stream';

/** later: an add for later. new: an add of an id that is new. learn: asks the first partition how many there are. */
type Verb = 'add' | 'later' | 'new' | 'cancel' | 'replay' | 'learn';

export interface World {
  /** The layout it begins with. */
  readonly layout: string;
  /** The partitions that matter, the first among them; the others of the layout are left out. */
  readonly partitions: readonly number[];
  /** Of those, which nobody has used yet: they have no layout. */
  readonly bare: readonly number[];
  /** The key of each id. */
  readonly keys: readonly number[];
  /** What lies there at first, where it belongs. */
  readonly tasks: readonly { readonly id: number; readonly in: Place }[];
  readonly letters: readonly number[];
  /** The calls of each producer, in its order. All believe the first layout. */
  readonly producers: readonly (readonly (readonly [verb: Verb, id: number])[])[];
  /** To what each of them grows it. */
  readonly growers: readonly number[];
  /** The calls of an operator: true = pause. */
  readonly pauses: readonly boolean[];
  readonly isPaused: boolean;
  readonly hasLeader: boolean;
  /** Tasks fall due, and are promoted and handed out. */
  readonly works: boolean;
  readonly ends: readonly ('complete' | 'bury')[];
  /** Which partitions may lose all they have. */
  readonly mayLose: readonly number[];
  readonly left: Partial<Left>;
}

export interface Bound extends World {
  readonly rules: Rules;
}

const plain: World = {
  layout: '1/2',
  partitions: [0, 1, 3],
  bare: [],
  keys: [3],
  tasks: [],
  letters: [],
  producers: [],
  growers: [4],
  pauses: [],
  isPaused: false,
  hasLeader: false,
  works: false,
  ends: [],
  mayLose: [],
  left: {},
};

export function world(over: Partial<World>): World {
  return { ...plain, ...over };
}

const nothingLeft: Left = { lost: 0, copies: 0, lateBrings: 0, losses: 0, failovers: 0 };

export function firstTask(id: number): Task {
  return { id, op: -1, isDueBySplit: false, isMarked: false, ghostAddedAt: 0, ghostDueAt: 0 };
}

export function emptyPartition(
  layout: string,
  { isPaused, producers }: Pick<World, 'isPaused' | 'producers'>,
): Partition {
  return {
    layout,
    isPaused,
    waits: null,
    split: 'none',
    later: [],
    due: [],
    stream: [],
    active: [],
    dead: [],
    lanes: producers.map(() => null),
  };
}

export function firstState(world: World): State {
  const { layout, partitions, bare, keys, tasks, letters, producers, growers, left } = world;
  const count = Number(layout.replace('1/', ''));
  const all: (Partition | null)[] = Array.from({ length: Math.max(...partitions) + 1 }, (_, index) => {
    if (!partitions.includes(index)) return null;
    const has = index < count && !bare.includes(index);
    return emptyPartition(has ? layout : '', { ...world, isPaused: has && world.isPaused });
  });
  const belongs = (id: number): number => at(keys, id) % count;
  all.forEach((one, index) => {
    if (!one) return;
    for (const { id, in: list } of tasks) if (belongs(id) === index) one[list] = [...one[list], firstTask(id)];
    one.dead = letters.filter((id) => belongs(id) === index).map((id) => ({ no: 1, id }));
  });
  return {
    partitions: all,
    producers: producers.map(() => ({ belief: layout, made: 0, doing: null, numbers: all.map(() => 0) })),
    growers: growers.map(() => ({ read: '', left: [...partitions] })),
    pauser: { belief: layout, made: 0, text: null, left: [] },
    leader: { belief: layout, seen: '', handedOut: [], released: [], cursors: all.map(() => 0) },
    copies: [],
    replica: null,
    left: { ...nothingLeft, ...left },
    ghostMade: producers.flatMap((calls) => calls.map(() => 0)),
    ghostQueue: world.isPaused ? 'paused' : 'runs',
    broken: [],
  };
}
