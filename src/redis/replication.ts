import { DuestreamError } from '../errors.js';
import type { Link } from './link.js';
import type { Partition } from './partition.js';
import type { Servers } from './servers.js';

export interface ReplicationParts {
  servers: Servers;
  /** How long a replica has to confirm. */
  timeoutMs: number;
}

/** Beyond the time that WAIT has, for its reply to come. */
const graceMs = 1_000;

/**
 * Confirmation by a replica of what was written to a partition, by WAIT on a connection of its own: WAIT holds up
 * everything behind it, and covers what the server did before it, whoever wrote that. So one call confirms all that was
 * written before it was sent, and what comes meanwhile shares the next.
 */
export class Replication {
  readonly #parts: ReplicationParts;
  readonly #rounds = new Map<number, Rounds>();
  #isStopped = false;

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
  }

  /** Runs a write, and resolves when a replica has it. ERR_OUTCOME_UNKNOWN when that is not known in time. */
  async confirmed<R>(
    partition: Partition,
    write: () => Promise<R>,
    hasWritten: (result: R) => boolean = () => true,
  ): Promise<R> {
    const { servers } = this.#parts;
    const serverOf = (): string => servers.linkFor(partition.keys.meta).serverId;
    const before = serverOf();
    const result = await write();
    if (!hasWritten(result)) return result;
    const wroteTo = serverOf();
    if (this.#isStopped) throw notConfirmed(partition.queue, this.#parts.timeoutMs, undefined);
    const confirmation = await this.#roundsOf(partition).next();
    // After a failover in between, a replica of the new master has not confirmed what the former one wrote.
    const isSame = (before === '' || before === wroteTo) && confirmation.serverId === wroteTo;
    if (confirmation.replicas > 0 && isSame) return result;
    throw notConfirmed(partition.queue, this.#parts.timeoutMs, confirmation.fault);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(Array.from(this.#rounds.values(), (rounds) => rounds.stop()));
  }

  #roundsOf(partition: Partition): Rounds {
    const known = this.#rounds.get(partition.index);
    if (known) return known;
    const { meta } = partition.keys;
    const link = this.#parts.servers.openLink('replication', meta);
    const rounds = new Rounds({ link, meta, timeoutMs: this.#parts.timeoutMs });
    this.#rounds.set(partition.index, rounds);
    return rounds;
  }
}

interface Confirmation {
  readonly replicas: number;
  readonly serverId: string;
  /** Why there is none. */
  readonly fault?: unknown;
}

function notConfirmed(queue: string, timeoutMs: number, cause: unknown): DuestreamError {
  if (cause instanceof DuestreamError && cause.message.startsWith('NOPERM')) return notAsked(queue, cause);
  const what = `what was written to the queue "${queue}" is there, but no replica confirmed it within ${timeoutMs} ms`;
  const todo =
    'a failover may lose it. See with duestream doctor whether there are replicas; the same call again asks once more; it adds the task anew if it was lost, and also if it has ended by then';
  return new DuestreamError('ERR_OUTCOME_UNKNOWN', `${what}: ${todo}`, { cause });
}

/** The right is lacking: waiting for replicas would not help. */
function notAsked(queue: string, cause: DuestreamError): DuestreamError {
  const what = `what was written to the queue "${queue}" is there, but this Redis user may not ask whether a replica has it`;
  return new DuestreamError('ERR_OUTCOME_UNKNOWN', `${what}: ${cause.message}`, { cause });
}

/** One WAIT after the other, each for all who came while the one before was under way. */
class Rounds {
  readonly #link: Link;
  readonly #meta: string;
  readonly #timeoutMs: number;
  #underWay: Promise<unknown> | undefined;
  #following: Promise<Confirmation> | undefined;

  constructor(of: { link: Link; meta: string; timeoutMs: number }) {
    this.#link = of.link;
    this.#meta = of.meta;
    this.#timeoutMs = of.timeoutMs;
  }

  /** A round that begins after this call. */
  next(): Promise<Confirmation> {
    this.#following ??= this.#begin();
    return this.#following;
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  async #begin(): Promise<Confirmation> {
    await this.#underWay;
    this.#following = undefined;
    const round = this.#wait().catch((fault: unknown) => ({ replicas: 0, serverId: '', fault }));
    this.#underWay = round;
    return round;
  }

  /**
   * WAIT covers what the server had done by this connection's last write: Redis 7.0 takes any command for that, later ones only
   * one that wrote. So it writes: it counts the rounds.
   */
  async #wait(): Promise<Confirmation> {
    const timeoutMs = this.#timeoutMs + graceMs;
    const [, replicas] = await Promise.all([
      this.#link.send(['HINCRBY', this.#meta, 'waited', '1'], { timeoutMs }),
      this.#link.send(['WAIT', '1', String(this.#timeoutMs)], { timeoutMs }),
    ]);
    return { replicas: Number(replicas), serverId: this.#link.serverId };
  }
}
