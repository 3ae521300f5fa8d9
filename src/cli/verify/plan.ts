/** All a campaign is told; a seed repeats its draws, as far as a machine lets it. */
export interface Plan {
  readonly seed: number;
  /** How long faults are made; warming up and draining come on top. */
  readonly seconds: number;
  readonly form: 'quick' | 'long';
  /** Somebody's Redis. Undefined: one of its own is started, and may be killed. */
  readonly connection: string | undefined;
  readonly appendonly: 'always' | 'everysec';
  /**
   * `one`: by itself. `replicated`: of its own, with replicas, and Sentinels that promote one when the master is gone.
   * `cluster`: of its own, three masters with a replica each.
   */
  readonly servers: 'one' | 'replicated' | 'cluster';
  /** How many replicas must keep up with the master, or it accepts no writes. Of `replicated`. */
  readonly minReplicas: number;
  /** Of the adds. */
  readonly durability: 'memory' | 'replicated';
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

export type Variant = Pick<Plan, 'appendonly' | 'lockNodes' | 'minReplicas' | 'partitions' | 'durability'>;

/**
 * By the seed: half the campaigns fsync always, half have lock nodes of their own, half want a replica that keeps up, and a
 * third have a queue of several partitions. On a cluster a third have four partitions, the rest twelve, and in half of them
 * an add waits for a replica.
 */
export function variantOf(seed: number, servers: Plan['servers'] = 'one'): Variant {
  const isCluster = servers === 'cluster';
  const isThird = seed % 3 === 2;
  const usual = isCluster ? 12 : 1;
  return {
    appendonly: seed % 2 === 1 ? 'always' : 'everysec',
    lockNodes: Math.floor(seed / 2) % 2 === 0 ? 3 : 0,
    minReplicas: Math.floor(seed / 4) % 2,
    partitions: isThird ? 4 : usual,
    durability: isCluster && Math.floor(seed / 4) % 2 === 1 ? 'replicated' : 'memory',
  };
}
