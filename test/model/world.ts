/** What a scenario lets happen, and its first state. */
import type { Rules } from './rules.js';
import type { Left, State, Verb } from './state.js';

/** What an operator or another program may do to the keys. */
export type Hand = 'schedules it' | 'adds a stray entry' | 'trims the stream' | 'makes the group anew at $';

/** A call that a producer makes, so many times at most. Two producers may share a list, by its place. */
export interface Asked {
  readonly by: number;
  readonly verb: Verb;
  readonly id?: number;
  readonly at?: number;
  readonly expires?: number;
  readonly times?: number;
}

export interface World {
  readonly ids: number;
  readonly asked: readonly Asked[];
  /** One for each consumer. */
  readonly leases: readonly number[];
  readonly slots: number;
  readonly ends: readonly Verb[];
  readonly handsBack: boolean;
  /** Beats are a move only where they matter. */
  readonly beats: boolean;
  readonly standsIn: boolean;
  readonly lostMax: number;
  readonly leaders: number;
  /** The first leader leads already. */
  readonly isSeated: boolean;
  readonly freezeFor: number;
  readonly hands: readonly Hand[];
  readonly left: Partial<Left>;
}

export interface Bound extends World {
  readonly rules: Rules;
}

const plain: World = {
  ids: 1,
  asked: [],
  leases: [1, 1],
  slots: 1,
  ends: ['complete'],
  handsBack: false,
  beats: false,
  standsIn: false,
  lostMax: 9,
  leaders: 1,
  isSeated: true,
  freezeFor: 0,
  hands: [],
  left: {},
};

export function world(over: Partial<World>): World {
  return { ...plain, ...over };
}

const nothingLeft: Left = {
  ticks: 0,
  lost: 0,
  copies: 0,
  torn: 0,
  failovers: 0,
  groups: 0,
  reconnects: 0,
  pauses: 0,
  freezes: 0,
  bids: 0,
  hands: 0,
  stuck: 0,
  forgets: 0,
};

export function producersOf({ asked }: World): number {
  return Math.max(0, ...asked.map(({ by }) => by + 1));
}

/** Producers have the first lanes, consumers those after them. */
export function firstState(world: World): State {
  const { ids, asked, leases, leaders, isSeated, left } = world;
  const producers = producersOf(world);
  const none = Array.from({ length: ids }, () => null);
  const epoch = isSeated ? { term: 1, token: 1 } : { term: 0, token: 0 };
  return {
    now: 0,
    redis: {
      paused: false,
      due: [...none],
      tasks: [...none],
      live: [...none],
      expiry: [...none],
      stream: [],
      lastEntry: 0,
      delivered: 0,
      pending: [],
      dead: [],
      lastLetter: 0,
      epoch,
      lanes: Array.from({ length: producers + leases.length }, () => null),
      beats: leases.map(() => 0),
      looks: { seen: 0, gap: 0, last: 0, gapEnd: 0 },
      ghostLives: [],
    },
    replica: null,
    consumers: leases.map((lease, at) => ({ lease, name: at, held: [], number: 0, unanswered: null, isStuck: false })),
    producers: Array.from({ length: producers }, (_, by) => ({
      number: 0,
      unanswered: null,
      left: asked.map((one) => (one.by === by ? (one.times ?? 1) : 0)),
    })),
    leaders: Array.from({ length: leaders }, (_, at) => ({
      read: null,
      hasWon: false,
      seat: isSeated && at === 0 ? epoch : null,
    })),
    lock: isSeated ? 0 : null,
    copies: [],
    left: { ...nothingLeft, ...left },
    lives: 0,
    deliveries: 0,
    tokens: isSeated ? 1 : 0,
    isBent: false,
    broken: [],
  };
}
