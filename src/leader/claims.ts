import type { Partition } from '../redis/partition.js';
import { claim } from '../redis/scripts.generated.js';
import { type LeaderIdentity, shownLeader } from './claim.js';
import type { LeaderSeat } from './trust.js';

export interface ClaimsParts {
  /** Where terms are won: it has accepted each that we lead in. */
  home: Partition;
  identity: LeaderIdentity;
  ttlMs: number;
  /** A partition knows of a higher term. */
  onHigher: (term: number) => void;
}

interface Made {
  readonly term: number;
  readonly isAccepted: Promise<boolean>;
}

/**
 * The fence of the queue's other partitions: a term, won at home, is claimed on each before the first write there. A
 * higher one stands where the fence outlived the one at home, which a failover took back: then this term is of no use.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #made = new Map<Partition, Made>();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Whether that partition accepts writes under this seat. Rejects when it can't be asked. */
  async areAccepted(partition: Partition, seat: LeaderSeat): Promise<boolean> {
    if (partition === this.#parts.home) return true;
    const made = this.#made.get(partition);
    if (made?.term === seat.term) return made.isAccepted;
    const isAccepted = this.#claim(partition, seat);
    this.#made.set(partition, { term: seat.term, isAccepted });
    isAccepted.catch(() => this.#made.delete(partition)); // to be asked again
    return isAccepted;
  }

  async #claim(partition: Partition, { term, token }: LeaderSeat): Promise<boolean> {
    const { identity, ttlMs, onHigher } = this.#parts;
    const reply = await partition.run(claim, { term: String(term), token, leader: shownLeader(identity), ttlMs });
    if (reply.status === 'higher') onHigher(Number(reply.term));
    return reply.status === 'ok';
  }
}
