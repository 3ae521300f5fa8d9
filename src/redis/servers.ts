import { queuesKey } from '../keys.js';
import type { Common } from '../options.js';
import { clusterAddress } from './cluster/cluster-options.js';
import { ClusterServers } from './cluster/cluster-servers.js';
import { checkConnection, type ConnectionOption } from './connection.js';
import type { Link } from './link.js';
import { openLink } from './observed-link.js';
import type { Caller } from './script.js';
import type { Survey } from './survey.js';
import { type Target, targetOf } from './target.js';

/**
 * The Redis servers of a queue, as one process reaches them: to which of its connections the commands on a key go, and
 * where a reader of that key connects. What is on top of it does not know how many servers there are.
 */
export interface Servers {
  /** Sends commands on this key to where it lives, whatever becomes of that. */
  callerFor(key: string): Caller;
  /** The connection that a command on this key takes now. */
  linkFor(key: string): Link;
  /** One more connection to where this key lives, for what blocks or has to be by itself. Whoever opens it stops it. */
  openLink(purpose: string, key: string): Link;
  /** Where to hear what is published, whatever the channel. */
  readonly publisher: Target;
  /** Every server that takes writes, looked up anew. Rejects when nobody of a cluster tells. */
  survey(): Promise<Survey>;
  /** Whether commands get through, as far as is known. */
  readonly isUp: boolean;
  stop(): Promise<void>;
}

/** `purpose` is for messages: queue, worker, leader … Throws ERR_INVALID_ARGUMENT when that is no connection. */
export function openServers(common: Common<ConnectionOption>, purpose: string): Servers {
  const cluster = clusterAddress(common.connection);
  return cluster ? new ClusterServers(common, purpose, cluster) : new SingleServer(common, purpose);
}

/** Throws ERR_INVALID_ARGUMENT when a queue can't be reached so. No I/O. */
export function checkServers(connection: ConnectionOption): void {
  const cluster = clusterAddress(connection);
  checkConnection(cluster ? cluster.serverAt(cluster.seeds[0]) : connection);
}

/** All keys on one server. */
class SingleServer implements Servers {
  readonly publisher: Target;
  readonly #common: Common<ConnectionOption>;
  readonly #link: Link;

  constructor(common: Common<ConnectionOption>, purpose: string) {
    this.#common = common;
    this.#link = openLink(common, purpose);
    this.publisher = targetOf(common.connection);
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  callerFor(_key: string): Caller {
    return this.#link;
  }

  linkFor(_key: string): Link {
    return this.#link;
  }

  openLink(purpose: string, _key: string): Link {
    return openLink(this.#common, purpose);
  }

  survey(): Promise<Survey> {
    return Promise.resolve({ masters: [{ name: this.publisher.shown, caller: this.#link }], uncovered: undefined });
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }
}

/** Makes a queue's name known, for `stats` and the doctor. False when it could not be done: nothing else depends on it. */
export async function introduce(servers: Servers, prefix: string, queue: string): Promise<boolean> {
  const names = queuesKey(prefix);
  try {
    await servers.callerFor(names).send(['SADD', names, queue]);
    return true;
  } catch {
    return false;
  }
}
