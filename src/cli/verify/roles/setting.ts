import type { RoleName } from '../history/records.js';

/** What a role's process is told. It goes by IPC, for an address may hold a password. */
export interface Setting {
  readonly role: RoleName;
  /** Which life of which actor: `worker-2.3`. */
  readonly name: string;
  readonly connection: string;
  readonly lockNodes: readonly string[];
  readonly durability: 'memory' | 'replicated';
  readonly prefix: string;
  readonly queue: string;
  readonly historyFolder: string;
  readonly seed: number;
  readonly leaseMs: number;
  readonly lockTtlMs: number;
  readonly concurrency: number;
  /** Of this producer. */
  readonly tasksPerSecond: number;
}

/** From the campaign to a role's process. */
export type Order =
  | { readonly type: 'prepare'; readonly setting: Setting }
  /** Producers: add no more; resolve what is under way. */
  | { readonly type: 'quiet' }
  /** Producers: so many tasks of 100 KB, due now. */
  | { readonly type: 'bulk'; readonly tasks: number }
  /** Workers: SIGKILL itself, at the next chance, inside a handler or when one has returned and is not settled yet. */
  | { readonly type: 'die'; readonly where: 'handler' | 'before_settle' }
  /** Block the event loop. */
  | { readonly type: 'block'; readonly ms: number }
  | { readonly type: 'stop' };

/** From a role's process to the campaign. */
export type Message =
  | { readonly type: 'ready' }
  /** A producer adds no more, and every add has its answer. */
  | { readonly type: 'quiet' }
  | { readonly type: 'failed'; readonly text: string };
