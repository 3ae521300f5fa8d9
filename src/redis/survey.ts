import type { Caller } from './script.js';

/** A server that takes writes. Its commands wait for no other. */
export interface Master {
  readonly name: string;
  readonly caller: Caller;
}

export interface Survey {
  readonly masters: readonly Master[];
  /** Of a cluster: the slots that no master serves, as [first, last]. Of a server by itself: undefined. */
  readonly uncovered: readonly (readonly [first: number, last: number])[] | undefined;
}
