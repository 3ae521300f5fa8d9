import type { Clock } from '../clock.js';
import type { Link } from './link.js';

const againMs = 10_000;
const againMsMax = 640_000;

/**
 * Connections that have to lead to the same server. After a failover behind an address that stays one may have moved
 * while another still holds on to the former master: then a consumer runs what it can't settle, or waits for tasks where
 * nobody adds any, and a leader has the vote of a server that the others have left. Who looks, before a read or a bid,
 * leaves them all when they differ. Where an address means several servers for good that would never end: it does so
 * after ten seconds at the earliest, and then after twice as long each time, until they agree.
 */
export class OneServer {
  readonly #clock: Clock;
  readonly #links: () => readonly Link[];
  #leftAtMs = Number.NEGATIVE_INFINITY;
  #waitMs = againMs;

  constructor(clock: Clock, links: () => readonly Link[]) {
    this.#clock = clock;
    this.#links = links;
  }

  look(): void {
    const links = this.#links();
    const servers = new Set(links.map(({ serverId }) => serverId));
    const nowMs = this.#clock.monotonicMs();
    if (servers.has('') || nowMs < this.#leftAtMs + this.#waitMs) return;
    const wasSoon = nowMs < this.#leftAtMs + 2 * this.#waitMs;
    if (servers.size < 2) return;
    this.#waitMs = wasSoon ? Math.min(2 * this.#waitMs, againMsMax) : againMs;
    this.#leftAtMs = nowMs;
    for (const link of links) link.drop('its kin leads to another server');
  }
}
