import { newToken } from '../random.js';
import type { Link } from '../redis/link.js';
import type { Partition } from '../redis/partition.js';
import { join, leave } from '../redis/scripts.generated.js';

/** A name, and the one connection it may read on. */
export interface Member {
  readonly name: string;
  readonly life: number;
  /** The number of the group that it joined. */
  readonly group: string;
}

/**
 * The name a consumer reads under: a new one for every connection of its reader, and after a group was re-created.
 * So a stream id that is issued again (a failover that lost a suffix) can't be taken for the delivery of before, and what
 * a dead connection still received stays with a name that is silent. Deliveries keep the name they were read under;
 * former names are left when nothing of theirs is held any more.
 */
export class Membership {
  readonly #partition: Partition;
  readonly #reader: Link;
  readonly #worker: string;
  readonly #leaseMs: number;
  readonly #onJoined: () => void;
  readonly #former = new Set<string>();
  #current: Member | undefined;
  #joining: Promise<Member> | undefined;

  constructor(parts: { partition: Partition; reader: Link; worker: string; leaseMs: number; onJoined: () => void }) {
    this.#partition = parts.partition;
    this.#reader = parts.reader;
    this.#worker = parts.worker;
    this.#leaseMs = parts.leaseMs;
    this.#onJoined = parts.onJoined;
  }

  /** The present name, if there is one yet. */
  get name(): string | undefined {
    return this.#current?.name;
  }

  /** The name that can be read under right now: its connection is up. */
  get present(): Member | undefined {
    return this.#reader.isUp && this.#current?.life === this.#reader.life ? this.#current : undefined;
  }

  /** The name for the reader's present connection, joined; what is read under it must be sent on that life. */
  async current(): Promise<Member> {
    if (this.present) return this.present;
    this.#joining ??= this.#join().finally(() => {
      this.#joining = undefined;
    });
    return this.#joining;
  }

  async #join(): Promise<Member> {
    const life = await this.#reader.connected();
    if (this.#current?.life === life) return this.#current;
    this.renew();
    const name = newToken();
    const joined = await this.#partition.run(join, { consumer: name, worker: this.#worker, leaseMs: this.#leaseMs });
    this.#current = { name, life, group: String(joined.group) };
    this.#onJoined();
    return this.#current;
  }

  /** The group is gone, or the connection: the next read needs a new name. */
  renew(): void {
    if (this.#current) this.#former.add(this.#current.name);
    this.#current = undefined;
  }

  /** Leaves the former names that hold nothing any more. What is still pending there is left to recovery. */
  async leaveFormer(held: ReadonlySet<string>): Promise<void> {
    for (const consumer of [...this.#former].filter((name) => !held.has(name))) {
      await this.#partition.run(leave, { consumer });
      this.#former.delete(consumer);
    }
  }

  /** Leaves for good. */
  async leaveAll(): Promise<void> {
    this.renew();
    await this.leaveFormer(new Set());
  }
}
