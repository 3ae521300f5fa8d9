/** All a campaign is told; a seed repeats its draws, as far as a machine lets it. */
export interface Plan {
  readonly seed: number;
  /** How long faults are made; warming up and draining come on top. */
  readonly seconds: number;
  readonly form: 'quick' | 'long';
  /** Somebody's Redis. Undefined: one of its own is started, and may be killed. */
  readonly connection: string | undefined;
  readonly appendonly: 'always' | 'everysec';
  /** One of its own that has replicas, and Sentinels that promote one when the master is gone. */
  readonly replicated: boolean;
  /** How many replicas must keep up with the master, or it accepts no writes. */
  readonly minReplicas: number;
  /** Of the queue. */
  readonly partitions: number;
  /** 0: the queue's own Redis votes. */
  readonly lockNodes: number;
  readonly producers: number;
  readonly leaders: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly tasksPerSecond: number;
  readonly leaseMs: number;
  readonly lockTtlMs: number;
  /** How many faults at a time. */
  readonly lanes: number;
  /** Names of faults; all that can be made when none is given. */
  readonly faults: readonly string[] | undefined;
  readonly historyFolder: string;
}

export type Variant = Pick<Plan, 'appendonly' | 'lockNodes' | 'minReplicas' | 'partitions'>;

/**
 * By the seed: half the campaigns fsync always, half have lock nodes of their own, half want a replica that keeps up, and a
 * third have a queue of several partitions.
 */
export function variantOf(seed: number): Variant {
  return {
    appendonly: seed % 2 === 1 ? 'always' : 'everysec',
    lockNodes: Math.floor(seed / 2) % 2 === 0 ? 3 : 0,
    minReplicas: Math.floor(seed / 4) % 2,
    partitions: seed % 3 === 2 ? 4 : 1,
  };
}
