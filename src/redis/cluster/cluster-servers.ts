import { DuestreamError, messageOf } from '../../errors.js';
import type { Common } from '../../options.js';
import { checkConnection, type ConnectionOption } from '../connection.js';
import type { Link } from '../link.js';
import { openLink } from '../observed-link.js';
import type { Caller } from '../script.js';
import type { Survey } from '../survey.js';
import type { Target } from '../target.js';
import type { ClusterAddress } from './cluster-options.js';
import { Errand, type Ways } from './errand.js';
import { NodeLinks } from './node-links.js';
import { slotOf } from './slot.js';
import type { SlotMap } from './slot-map.js';
import { anyMasterTarget, type ClusterWay, MasterTarget, nodeTarget } from './targets.js';
import { Topology } from './topology.js';

/**
 * The masters of a Redis Cluster, as one process reaches them: one connection to each, for the commands of whatever keys
 * live there; and those that are opened for one key, which lead to its master and move with it. Nothing here needs more
 * than the present master of a slot: a partition is one slot, and no script touches two.
 *
 * Why not the cluster client of node-redis: after a failover it hangs or errors for ever, and rebuilding it would cut off
 * what is under way at the masters that are well.
 */
export class ClusterServers {
  readonly publisher: Target;
  readonly #common: Common<ConnectionOption>;
  readonly #purpose: string;
  readonly #way: ClusterWay;
  readonly #ways: Ways;
  readonly #placed: { target: MasterTarget; link: Link }[] = [];
  #nowhere: Link | undefined;
  #isClosed = false;

  constructor(common: Common<ConnectionOption>, purpose: string, cluster: ClusterAddress) {
    checkConnection(cluster.serverAt(cluster.seeds[0]));
    const { clock, random } = common;
    const topology = new Topology({ cluster, clock, random, onMap: (map) => this.#onMap(map) });
    const way = { cluster, topology };
    this.#common = common;
    this.#purpose = purpose;
    this.#way = way;
    this.#ways = {
      topology,
      nodes: new NodeLinks({ clock, open: (node) => openLink(common, purpose, nodeTarget(way, node)) }),
      clock,
      random,
      where: `the Redis Cluster at ${cluster.shown} (${purpose})`,
      isClosed: () => this.#isClosed,
    };
    this.publisher = anyMasterTarget(way, random);
  }

  get isUp(): boolean {
    return this.#ways.nodes.isUp;
  }

  callerFor(key: string): Caller {
    const slot = slotOf(key);
    return {
      send: (args, options = {}) => {
        const timeoutMs = options.timeoutMs ?? this.#common.commandTimeoutMs;
        return new Errand(this.#ways, { slot, args, timeoutMs, options }).run();
      },
    };
  }

  /** Before anything is known of the cluster: one that leads to any master, and has no connection until it is used. */
  linkFor(key: string): Link {
    const node = this.#way.topology.masterOf(slotOf(key));
    if (node !== undefined && !this.#isClosed) return this.#ways.nodes.to(node).link;
    this.#nowhere ??= openLink(this.#common, this.#purpose, this.publisher);
    return this.#nowhere;
  }

  openLink(purpose: string, key: string): Link {
    const target = new MasterTarget(this.#way, slotOf(key));
    const link = openLink(this.#common, purpose, target);
    this.#placed.push({ target, link });
    return link;
  }

  async survey(): Promise<Survey> {
    const { topology } = this.#way;
    await topology.look().catch((error: unknown) => {
      if (error instanceof DuestreamError) throw error;
      const message = `${this.#ways.where}: ${messageOf(error)}`;
      throw new DuestreamError('ERR_REDIS_UNREACHABLE', message, { cause: error });
    });
    const masters = topology.masters.toSorted().map((name) => ({ name, caller: this.#ways.nodes.to(name).link }));
    return { masters, uncovered: topology.uncovered };
  }

  async stop(): Promise<void> {
    this.#isClosed = true;
    this.#way.topology.stop();
    await Promise.all([this.#ways.nodes.stop(), this.#nowhere?.stop()]);
  }

  /** A blocked read would wait for its time to run out where nothing is added any more. */
  #onMap(map: SlotMap): void {
    this.#ways.nodes.keep(map.masters);
    for (const { target, link } of this.#placed) if (target.isOutdated) link.drop('its slot has another master now');
  }
}
