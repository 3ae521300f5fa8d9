// redlock 5.0.0-beta.2 ships types that NodeNext can't resolve, and they speak of ioredis. This is the part we use, as
// its code behaves. Only lock.ts and redlock-client.ts import it, and neither shows it in an exported type.
declare module 'redlock' {
  /** What redlock asks of a client. It must reject with an Error: anything else ends as an unhandled rejection. */
  export interface RedlockNode {
    evalsha(sha: string, keyCount: number, args: readonly (string | number)[]): Promise<unknown>;
    eval(script: string, keyCount: number, args: readonly (string | number)[]): Promise<unknown>;
    quit(): Promise<unknown>;
  }

  export interface Votes {
    readonly membershipSize: number;
    readonly quorumSize: number;
    readonly votesFor: ReadonlySet<RedlockNode>;
    readonly votesAgainst: ReadonlyMap<RedlockNode, Error>;
  }

  /** One entry per try; each resolves when every node has voted. */
  export type Attempts = readonly Promise<Votes>[];

  export class ResourceLockedError extends Error {}

  export class ExecutionError extends Error {
    readonly attempts: Attempts;
  }

  export class Lock {
    constructor(redlock: Redlock, resources: string[], value: string, attempts: Attempts, expiration: number);
    readonly value: string;
    readonly attempts: Attempts;
  }

  /** Each is given redlock's own script and returns the one to use. */
  export interface ScriptChanges {
    readonly acquireScript: (script: string) => string;
    readonly extendScript: (script: string) => string;
    readonly releaseScript: (script: string) => string;
  }

  export default class Redlock {
    constructor(nodes: readonly RedlockNode[], settings: { retryCount: number }, scripts: ScriptChanges);
    acquire(resources: string[], durationMs: number): Promise<Lock>;
    extend(lock: Lock, durationMs: number): Promise<Lock>;
    release(lock: Lock): Promise<{ readonly attempts: Attempts }>;
  }
}
