/**
 * Every key of Duestream is built here. A partition's keys carry one hash tag, `{queue:partition}`, so that a cluster
 * keeps them in one slot and a script may touch them all. docs/wire-format.md describes what each holds.
 */
export interface PartitionKeys {
  readonly meta: string;
  readonly epoch: string;
  readonly lanes: string;
  readonly due: string;
  readonly tasks: string;
  readonly runs: string;
  readonly stream: string;
  readonly live: string;
  readonly expiry: string;
  readonly consumers: string;
  readonly dead: string;
  readonly ended: string;
  readonly past: string;
  readonly counts: string;
  readonly schedules: string;
  readonly cursors: string;
  readonly upcoming: string;
  readonly passed: string;
  /** Written only while `meta` says so: what a fault campaign holds a history against. */
  readonly audit: string;
  /** A channel, not a key. */
  readonly wake: string;
  /** Lives on the lock nodes. */
  readonly lock: string;
}

/** The consumer group of every stream. The scripts have it in their text. */
export const group = 'workers';

export function partitionKeys(prefix: string, queue: string, partition: number): PartitionKeys {
  const key = (name: string): string => `${prefix}:{${queue}:${partition}}:${name}`;
  return {
    meta: key('meta'),
    epoch: key('epoch'),
    lanes: key('lanes'),
    due: key('due'),
    tasks: key('tasks'),
    runs: key('runs'),
    stream: key('stream'),
    live: key('live'),
    expiry: key('expiry'),
    consumers: key('consumers'),
    dead: key('dead'),
    ended: key('ended'),
    past: key('past'),
    counts: key('counts'),
    schedules: key('schedules'),
    cursors: key('cursors'),
    upcoming: key('upcoming'),
    passed: key('passed'),
    audit: key('audit'),
    wake: key('wake'),
    lock: key('lock'),
  };
}

/** The set of queue names, outside the tags: how `stats` finds the queues. */
export function queuesKey(prefix: string): string {
  return `${prefix}:queues`;
}
