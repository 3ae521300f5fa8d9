import type { Waker } from '../loop.js';

/** What a duty is given for one bounded piece of work: the seat it writes under, trusted at this moment. */
export interface Reign {
  readonly term: number;
  readonly token: string;
  /** A script said that this term is not the accepted one: the leader steps down. */
  readonly refused: (op: string) => void;
}

/** Something only the leader does. Each lives in a file of its own; leader.ts runs them while it leads. */
export interface Duty {
  readonly name: string;
  readonly waker: Waker;
  /** In words, what part of it does not get on, for the health of who leads. */
  readonly trouble?: string | undefined;
  /** One bounded piece of work; returns how long to wait before the next, in ms. */
  tick(reign: Reign): Promise<number>;
}
