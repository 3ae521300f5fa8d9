import type { Observation } from '../events.js';

/** What is done with each observation. A variant that is added to Observation and not here does not compile. */
export type Recording = {
  [T in Observation['type']]: (seen: Extract<Observation, { type: T }>) => void;
};

/** The series of one part, and what moves them. */
export interface Part<T extends Observation['type']> {
  readonly record: Pick<Recording, T>;
  /** A queue is seen for the first time: its series start at 0, else the first increase is invisible to `rate()`. */
  meetQueue?(queue: string): void;
  /** A handler's name is known: the same for its series. */
  meetName?(queue: string, name: string): void;
}
