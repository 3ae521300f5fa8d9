/**
 * What the model of growing remembers: the partitions of a queue, what each process knows of their layout, and what is
 * still in the network. A task is in one of four lists of its partition, its due time nothing but that. What starts with
 * `ghost` no script can see: it is the truth that the invariants are judged by.
 */
export interface Task {
  readonly id: number;
  /** The call that made it; -1: it was there at first. */
  readonly op: number;
  /** Its due time is not after split_ms. */
  readonly isDueBySplit: boolean;
  /** Its entry is not after split_mark. */
  readonly isMarked: boolean;
  /** Of how many partitions its queue was by then, as who added it believed. */
  readonly ghostAddedAt: number;
  /** It was due when its partition became one of so many, and has not been handed out since; 0: it was not. */
  readonly ghostDueAt: number;
}

export interface Letter {
  readonly no: number;
  readonly id: number;
}

export interface Kept {
  readonly number: number;
  readonly reply: string;
}

export interface Partition {
  /** '' = none. */
  layout: string;
  isPaused: boolean;
  waits: boolean | null;
  split: 'none' | 'open' | 'marked';
  /** In the schedule, for later. */
  later: readonly Task[];
  /** In the schedule, due. */
  due: readonly Task[];
  /** In the stream, unread. */
  stream: readonly Task[];
  active: readonly Task[];
  dead: readonly Letter[];
  /** One for each producer. */
  lanes: readonly (Kept | null)[];
}

/** A call of a producer that is under way. */
export interface Doing {
  readonly op: number;
  readonly verb: 'add' | 'cancel' | 'replay';
  readonly id: number;
  readonly stage: 'decide' | 'add' | 'cancel' | 'replay' | 'purge';
  /** In which its place was found. */
  readonly layout: string;
  readonly at: number;
  /** Where it still has to be looked for. */
  readonly others: readonly number[];
  /** Of the call on its lane; 0 = none was sent yet. */
  readonly number: number;
  readonly letter: { readonly at: number; readonly no: number } | null;
  /** Whether the id lived, and did not, at some moment since it began. */
  readonly ghostAlive: boolean;
  readonly ghostGone: boolean;
}

export interface Producer {
  /** The layout it believes. */
  belief: string;
  /** How many of its calls it has made. */
  made: number;
  doing: Doing | null;
  /** Of the last call on its lane, at each partition. */
  numbers: readonly number[];
}

export interface Pauser {
  belief: string;
  made: number;
  /** Null: it has not begun. */
  text: string | null;
  left: readonly number[];
}

export interface Leader {
  belief: string;
  /** That of its memory. */
  seen: string;
  handedOut: readonly number[];
  released: readonly number[];
  /** Partition by partition how many ids it has walked over, or done. */
  cursors: readonly (number | 'done')[];
}

export interface Grower {
  /** What it read at the first partition; '' = nothing yet. */
  read: string;
  /** Where it still has to begin: empty once it has. */
  left: readonly number[];
}

/** A call as it lies in the network. */
export interface Sent {
  readonly verb: 'add' | 'cancel' | 'replay' | 'grow';
  readonly at: number;
  readonly layout: string;
  readonly by: number;
  readonly number: number;
  readonly op: number;
  readonly id: number;
  readonly isLater: boolean;
  readonly letter: number;
  readonly from: string;
  readonly waits: boolean | null;
}

/** How often the world may still do each of these. */
export interface Left {
  lost: number;
  copies: number;
  lateBrings: number;
  losses: number;
  failovers: number;
}

export interface State {
  partitions: (Partition | null)[];
  producers: Producer[];
  growers: Grower[];
  pauser: Pauser;
  leader: Leader;
  copies: readonly Sent[];
  /** What a failover of the first partition would fall back to. */
  replica: Partition | null;
  left: Left;
  /** How many tasks each call has made. */
  ghostMade: readonly number[];
  /** What the last pause or resume that was answered said. */
  ghostQueue: 'runs' | 'between' | 'paused';
  broken: Broken[];
}

export const meanings = {
  TWO_PLACES: 'an id lives in two partitions',
  ADDED_TWICE: 'one call adds two tasks',
  FALSE_ADDED: 'a call is told that it made a task, and it made none',
  FALSE_DUPLICATE: 'a call is told duplicate for its own task, or for one that never lived meanwhile',
  MISSED: 'a cancel finds nothing of a task that was there all the time',
  FALSE_NOT_FOUND: 'a replay that had its effect is told that there is no such letter',
  LETTER_LOST: 'a dead letter is gone without a replay',
  ORDER: 'a new partition hands out before what was due before it',
  STARTED_PAUSED: 'a task starts in a paused queue',
  OUT_OF_SIGHT: 'a task lies where nobody would look for it',
  STUCK: 'a task, a partition or the growth waits for ever',
} as const;

export type Broken = keyof typeof meanings;

export function at<T>(list: readonly T[], place: number): T {
  const found = list[place];
  if (found === undefined) throw new Error(`there is no ${place} of ${list.length}`);
  return found;
}

/** Lists are shared, for nobody changes one: it is replaced. So are the partitions, until a step touches one. */
export function clone(state: State): State {
  return {
    ...state,
    partitions: [...state.partitions],
    producers: state.producers.map((one) => ({ ...one })),
    growers: state.growers.map((one) => ({ ...one })),
    pauser: { ...state.pauser },
    leader: { ...state.leader },
    left: { ...state.left },
    broken: [],
  };
}
