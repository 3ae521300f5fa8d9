/** A schedule as a partition has it; its nominal times are the whole numbers. */
export interface Schedule {
  /** Which of those that were ever made under its name. */
  readonly life: number;
  next: number;
  /** The mark of a move: where to, and its number. */
  moving: { readonly to: number; readonly id: number } | null;
}

export interface Place {
  /** The term that is accepted here. */
  term: number;
  schedule: Schedule | null;
  /** Numbers of the moves that were made here, until they are forgotten. */
  lanes: number[];
}

/** What a leader is in the middle of: what it read, and how far a move has come. */
export interface Work extends Schedule {
  readonly place: number;
  stage: 'read' | 'marked' | 'made';
}

export interface Leader {
  readonly term: number;
  work: Work | null;
}

/** A call whose copy is still in the network. */
export interface Copy extends Schedule {
  readonly verb: 'tick' | 'mark' | 'make' | 'take';
  readonly place: number;
  readonly term: number;
}

export const meanings = {
  DOUBLE: 'a nominal time is fired twice',
  MISSED: 'a nominal time is never fired, whoever leads',
  TWO: 'a schedule may be fired in two partitions',
  LOST: 'a schedule is gone that nobody took away',
  BACK: 'a schedule that was taken away is there again',
} as const;

export type Broken = keyof typeof meanings;

export interface State {
  now: number;
  /** Where the schedule belongs: one further with each growth. */
  home: number;
  places: Place[];
  leaders: Leader[];
  copies: Copy[];
  moves: number;
  /** By life: its first nominal time, and how often each time was fired. Null: it was taken away. */
  lives: { readonly from: number; isGone: boolean; fired: number[] }[];
  left: { growths: number; leaders: number; copies: number; deletions: number; creations: number; hours: number };
  broken: Broken[];
}

/** So many instants there are. */
export interface Bounds {
  readonly end: number;
  readonly left: State['left'];
}

export function firstState({ left }: Bounds): State {
  const place = (): Place => ({ term: 0, schedule: null, lanes: [] });
  const places = Array.from({ length: left.growths + 1 }, place);
  const [home] = places as [Place];
  home.schedule = { life: 0, next: 1, moving: null };
  const lives = [{ from: 1, isGone: false, fired: [] }];
  return { now: 0, home: 0, places, leaders: [], copies: [], moves: 0, lives, left: { ...left }, broken: [] };
}
