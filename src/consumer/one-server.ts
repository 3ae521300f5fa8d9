import type { Clock } from '../clock.js';
import type { Link } from '../redis/link.js';

const againMs = 10_000;

/**
 * A consumer reads on one connection and settles on another, and both have to lead to the same server. After a failover
 * behind an address that stays one may have moved while the other still holds on to the former master: then it runs what
 * it can't settle, or waits for tasks where nobody adds any. So it looks before each read, and leaves both. Where an
 * address means several servers for good that would never end: it does so every ten seconds at most.
 */
export class OneServer {
  readonly #clock: Clock;
  readonly #links: readonly Link[];
  #leftAtMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, reader, commands }: { clock: Clock; reader: Link; commands: Link }) {
    this.#clock = clock;
    this.#links = [reader, commands];
  }

  look(): void {
    const servers = new Set(this.#links.map(({ serverId }) => serverId));
    const nowMs = this.#clock.monotonicMs();
    if (servers.has('') || servers.size === 1 || nowMs < this.#leftAtMs + againMs) return;
    this.#leftAtMs = nowMs;
    for (const link of this.#links) link.drop('the connections of this consumer lead to two servers');
  }
}
