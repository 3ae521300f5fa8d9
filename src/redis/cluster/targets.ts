import type { Random } from '../../random.js';
import type { ConnectionOption, RedisConnection } from '../connection.js';
import type { Target } from '../target.js';
import type { ClusterAddress } from './cluster-options.js';
import type { Topology } from './topology.js';

export interface ClusterWay {
  readonly cluster: ClusterAddress;
  readonly topology: Topology;
}

/** One node, whatever becomes of it. What it says of other nodes is for those who sent it something. */
export function nodeTarget({ cluster, topology }: ClusterWay, node: string): Target {
  return {
    shown: node,
    kind: 'cluster',
    locate: () => Promise.resolve(cluster.serverAt(node)),
    misleads: () => false,
    onSilent: () => void topology.look().catch(() => {}), // it may have been replaced meanwhile
  };
}

/** The master of a slot, for a connection that is there for that slot alone. */
export class MasterTarget implements Target {
  readonly shown: string;
  readonly kind = 'cluster';
  readonly #way: ClusterWay;
  readonly #slot: number;
  #node: string | undefined;

  constructor(way: ClusterWay, slot: number) {
    this.shown = `${way.cluster.shown} (slot ${slot})`;
    this.#way = way;
    this.#slot = slot;
  }

  /** Whether it leads to another node than this map has for its slot. */
  get isOutdated(): boolean {
    const master = this.#way.topology.masterOf(this.#slot);
    return this.#node !== undefined && master !== undefined && master !== this.#node;
  }

  /** The first time what is known will do; later something has happened. */
  async locate(): Promise<ConnectionOption> {
    const { cluster, topology } = this.#way;
    if (this.#node !== undefined || !topology.isKnown) await topology.look();
    const node = topology.masterOf(this.#slot);
    if (node === undefined) throw new Error(`no node of the cluster serves slot ${this.#slot}`);
    this.#node = node;
    return cluster.serverAt(node);
  }

  /** A master that comes back after its failover may be a replica before the others tell so. */
  async confirm(client: RedisConnection): Promise<void> {
    const info = await client.sendCommand(['INFO', 'replication']).catch(() => ''); // not ours to read: nothing is known
    if (!/^role:slave/m.test(String(info))) return;
    this.#way.topology.doubt();
    throw new Error(`${this.#node} is a replica now`);
  }

  misleads({ message }: Error): boolean {
    const isMisled = /^(?:MOVED|CLUSTERDOWN)\b/.test(message);
    if (isMisled) this.#way.topology.doubt();
    return isMisled;
  }
}

/** Any master: what is published at one of them is heard at all. Each time another, for the last one may be down. */
export function anyMasterTarget({ cluster, topology }: ClusterWay, random: Random): Target {
  let last: string | undefined;
  const locate = async (): Promise<ConnectionOption> => {
    if (last !== undefined || !topology.isKnown) await topology.look();
    const masters = topology.masters.filter((node) => node !== last || topology.masters.length === 1);
    last = masters[Math.floor(random() * masters.length)];
    if (last === undefined) throw new Error('no node of the cluster serves any slot');
    return cluster.serverAt(last);
  };
  return { shown: cluster.shown, kind: 'cluster', locate, misleads: () => false };
}
