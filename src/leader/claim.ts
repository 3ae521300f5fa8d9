import { newToken } from '../random.js';
import type { OneServer } from '../redis/one-server.js';
import type { Partition } from '../redis/partition.js';
import { lead, resign } from '../redis/scripts.generated.js';
import type { Claim } from './elector.js';
import type { LeaderSeat } from './trust.js';

interface Epoch {
  readonly term: string;
  readonly token: string;
}

/** Who this is, for `leader-status`. */
export interface LeaderIdentity {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
}

/** As `epoch` keeps it. */
export function shownLeader(identity: LeaderIdentity): string {
  return JSON.stringify(identity);
}

/** The fence on the queue's own Redis: the term and token that its first partition accepts, taken by compare-and-set. */
export class EpochClaim implements Claim {
  readonly #partition: Partition;
  readonly #leader: string;
  readonly #ttlMs: number;
  readonly #oneServer: OneServer;
  #above = 0;

  constructor(parts: { partition: Partition; identity: LeaderIdentity; ttlMs: number; oneServer: OneServer }) {
    this.#partition = parts.partition;
    this.#leader = shownLeader(parts.identity);
    this.#ttlMs = parts.ttlMs;
    this.#oneServer = parts.oneServer;
  }

  /** Another partition has accepted that term, which was lost at home: the next one taken is higher. */
  outbid(term: number): void {
    this.#above = Math.max(this.#above, term);
  }

  async read(): Promise<Epoch> {
    this.#oneServer.look();
    const { caller, keys } = this.#partition;
    const [term, token] = (await caller.send(['HMGET', keys.epoch, 'term', 'token'])) as (string | null)[];
    return { term: term ?? '', token: token ?? '' };
  }

  async take(before: unknown): Promise<{ won: true; term: number; token: string } | { won: false }> {
    const token = newToken();
    const claim = { nowUs: 0, newToken: token, leader: this.#leader, ttlMs: this.#ttlMs, above: String(this.#above) };
    const reply = await this.#partition.run(lead, { ...(before as Epoch), ...claim });
    return reply.status === 'ok' ? { won: true, term: reply.term, token } : { won: false };
  }

  async resign({ term, token }: LeaderSeat): Promise<void> {
    await this.#partition.run(resign, { term: String(term), token });
  }
}
