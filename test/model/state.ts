/**
 * What the model remembers: a Redis with one partition, what each process knows of it, and what is still in the network.
 * Ids, entries, names and instants are small whole numbers. What starts with `ghost` no script can see: it is the truth
 * that the invariants are judged by.
 */
export interface TaskRecord {
  readonly ghostLife: number;
  readonly isWhole: boolean;
}

export interface Entry {
  readonly no: number;
  readonly id: number;
  readonly due: number;
}

export interface Pending {
  readonly no: number;
  readonly owner: number;
  readonly count: number;
  /** The instant of the last sign of life. */
  readonly sign: number;
  /** How long its owner was silent while Redis was there to hear it. */
  readonly ghostSilent: number;
  /** Each handing-over has its own number. */
  readonly ghostDelivery: number;
}

export interface Letter {
  readonly no: number;
  readonly id: number;
  readonly record: TaskRecord;
}

/** One life of an id: from its record's first write to its removal. */
export interface Life {
  readonly no: number;
  readonly id: number;
  due: number;
  expires: number | null;
  /** The call that made it. */
  by: string;
  /** Starts of the present attempt. */
  starts: number;
  /** Why the present attempt may start once more: a lost lease, a lost write, a group made anew. */
  isExcused: boolean;
  end: 'completed' | 'dead' | 'cancelled' | 'expired' | 'replayed' | null;
  /** The delivery whose settle last had an effect. */
  settledBy: number;
}

export interface Epoch {
  readonly term: number;
  readonly token: number;
}

export interface Kept {
  readonly number: number;
  readonly reply: string;
}

/** All that a failover can set back. */
export interface Redis {
  paused: boolean;
  due: (number | null)[];
  tasks: (TaskRecord | null)[];
  live: (number | null)[];
  expiry: (number | null)[];
  stream: Entry[];
  lastEntry: number;
  /** The last entry that was delivered; null = there is no group. */
  delivered: number | null;
  pending: Pending[];
  dead: Letter[];
  lastLetter: number;
  epoch: Epoch;
  lanes: (Kept | null)[];
  /** When each consumer beat last. */
  beats: number[];
  looks: { readonly seen: number; readonly gap: number; readonly last: number; readonly gapEnd: number };
  ghostLives: Life[];
}

/** What a consumer knows of one delivery. `read`: not opened yet; `run`: its handler is at work. */
export interface Held {
  readonly no: number;
  readonly owner: number;
  readonly count: number;
  readonly id: number;
  readonly due: number;
  readonly phase: 'read' | 'run';
  readonly ghostDelivery: number;
  readonly ghostLife: number;
}

export interface Consumer {
  readonly lease: number;
  name: number;
  held: Held[];
  /** Number of its lane's last call. */
  number: number;
  unanswered: Call | null;
  /** Its settles never get through any more. */
  isStuck: boolean;
}

export interface Producer {
  number: number;
  unanswered: Call | null;
  /** How often it may still make each of its calls. */
  left: number[];
}

export interface Leader {
  /** The epoch it read before its bid; null = it does not bid. */
  read: Epoch | null;
  hasWon: boolean;
  seat: Epoch | null;
}

/** A call that can be sent again. */
export interface Call {
  readonly lane: number;
  readonly number: number;
  readonly verb: Verb;
  readonly id: number;
  /** Of an add and a reschedule: when. */
  readonly at: number;
  readonly expires: number | null;
  readonly held: Held | null;
  /** Of a cancel or reschedule: the life it was called for. 'any' after a failover. */
  readonly ghostLife: number | null | 'any';
}

export type Verb = 'add' | 'cancel' | 'reschedule' | 'runNow' | 'replay' | 'complete' | 'retry' | 'bury';

/** How often the world may still do each of these. */
export interface Left {
  ticks: number;
  lost: number;
  copies: number;
  torn: number;
  failovers: number;
  groups: number;
  reconnects: number;
  pauses: number;
  freezes: number;
  bids: number;
  hands: number;
  stuck: number;
  forgets: number;
}

export interface State {
  now: number;
  redis: Redis;
  /** What a failover would fall back to. */
  replica: Redis | null;
  consumers: Consumer[];
  producers: Producer[];
  leaders: Leader[];
  /** Who has won the vote. */
  lock: number | null;
  copies: Call[];
  left: Left;
  lives: number;
  deliveries: number;
  tokens: number;
  /** A torn script or an operator's hand was here: things may lie in two places until they are met. */
  isBent: boolean;
  broken: Broken[];
}

export const meanings = {
  EARLY: 'a task starts before it is due',
  TWICE: 'an attempt starts again without a reason',
  STARTED_PAUSED: 'a task starts in a paused queue',
  STARTED_EXPIRED: 'a task starts after it has expired',
  OTHER_DELIVERY: 'a settle ends a delivery that is not the one it was made for',
  WRONG_LIFE: 'a call hits another life of the id than it was made for',
  ADDED_TWICE: 'one call adds two tasks',
  FALSE_DUPLICATE: 'an add is told duplicate for its own task',
  FALSE_LOST: 'a settle that had its effect is told that it lost its lease',
  TAKEN: 'a delivery is taken from an owner whose lease is not over',
  STALE_WRITE: 'a leader writes whose term is not the accepted one',
  DISPLACED: 'the winner of an older vote takes the seat of a newer one',
  ENDED_AT_WORK: 'a task expires while its handler is at work',
  LETTER_LOST: 'a dead letter is gone without a replay',
  SPOILED: 'a record comes out other than it went in',
  TWO_PLACES: 'a task is not in exactly one place',
  READY: 'ready is not XLEN less what is pending',
  LOST: 'a task never ends, whoever comes',
} as const;

export type Broken = keyof typeof meanings;

export function cloneRedis(redis: Redis): Redis {
  return {
    ...redis,
    due: [...redis.due],
    tasks: [...redis.tasks],
    live: [...redis.live],
    expiry: [...redis.expiry],
    stream: [...redis.stream],
    pending: [...redis.pending],
    dead: [...redis.dead],
    lanes: [...redis.lanes],
    beats: [...redis.beats],
    ghostLives: redis.ghostLives.map((life) => ({ ...life })),
  };
}

/** A replica and what is marked readonly are shared: nobody changes them. */
export function clone(state: State): State {
  return {
    ...state,
    redis: cloneRedis(state.redis),
    consumers: state.consumers.map((one) => ({ ...one, held: [...one.held] })),
    producers: state.producers.map((one) => ({ ...one, left: [...one.left] })),
    leaders: state.leaders.map((one) => ({ ...one })),
    copies: [...state.copies],
    left: { ...state.left },
    broken: [],
  };
}
