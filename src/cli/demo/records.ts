import type { ServerInstant } from '../../testing.js';
import type { Plan } from './plan.js';

/** What the processes of the demo say they did. The verdict is made from these, and from no counter. */
export type Fact =
  /** `add` returned: from here on Duestream owes a completion. It must not start before `notBeforeMs`. */
  | { readonly kind: 'added'; readonly id: string; readonly notBeforeMs: number; readonly delayed: boolean }
  /** The first line of a handler. */
  | {
      readonly kind: 'started';
      readonly id: string;
      readonly attempt: number;
      readonly delivery: number;
      readonly dueMs: number;
      readonly at: ServerInstant;
    }
  /** A handler threw. */
  | { readonly kind: 'failed'; readonly id: string; readonly attempt: number }
  /** The worker was told by Redis that this completion counts. */
  | { readonly kind: 'completed'; readonly id: string };

export type Started = Extract<Fact, { kind: 'started' }>;

/** What a leader candidate tells. */
export type LeaderNews =
  | { readonly kind: 'elected'; readonly at: ServerInstant }
  /** The first promotion after that. */
  | { readonly kind: 'promoted'; readonly at: ServerInstant }
  | { readonly kind: 'stepped_down'; readonly reason: string };

/** Where the stage is. It goes by IPC, for it may hold a password. */
export interface Setting {
  readonly connection: string;
  readonly prefix: string;
  readonly queue: string;
  /** Who this is, for people. */
  readonly name: string;
  readonly plan: Plan;
}

export type RoleName = 'producer' | 'leader' | 'worker';

/** From the demo to a role's process. */
export type Order =
  | { readonly type: 'prepare'; readonly setting: Setting }
  /** Only the producer waits for it. */
  | { readonly type: 'begin' }
  | { readonly type: 'stop' };

/** From a role's process to the demo. */
export type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'facts'; readonly facts: readonly Fact[] }
  | { readonly type: 'leader'; readonly news: LeaderNews }
  /** The producer has added all. */
  | { readonly type: 'done' }
  /** The world's fault, and it goes on. */
  | { readonly type: 'trouble'; readonly text: string }
  /** It can't go on. */
  | { readonly type: 'failed'; readonly text: string };
