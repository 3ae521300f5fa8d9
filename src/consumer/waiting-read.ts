import { Fault } from '../batcher.js';
import { DuestreamError } from '../errors.js';
import { group } from '../keys.js';
import type { Link } from '../redis/link.js';
import type { Partition } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import type { Caller } from '../redis/script.js';
import { type OpenReply, open } from '../redis/scripts.generated.js';
import type { Member } from './membership.js';

/** An entry as it was read: nothing of it is to be trusted before it is opened. */
export interface Unopened {
  readonly entry: string;
  readonly id: string;
  readonly dueMs: number;
}

/** Records beyond so many bytes are left to the next script. */
export const bytesMax: number = 512 * 1024;

type Opening = OpenReply & { status: 'ok' };

/** What a wait brought. */
export interface Awaited {
  /** How many entries were read; 0: none came in time. */
  readonly count: number;
  readonly opened: Opening;
  /** Read, and not opened with it: the script has failed, or somebody has set the group back. */
  readonly left: readonly Unopened[];
  /**
   * Whether that script may still arrive, though nobody will hear its answer. It ends what it finds expired, and puts back
   * what it finds in a paused queue: so nothing of `left` may be opened, which must go back as it is.
   */
  readonly isStillOpening: boolean;
}

interface Wait {
  readonly by: Member;
  readonly count: number;
}

const nothing: Opening = {
  status: 'ok',
  nowMs: 0,
  deliveries: [],
  unopened: [],
  expired: [],
  stale: 0,
  putBack: 0,
};

/** How long a read waits at most, however long the lease. */
const blockMsMax = 5_000;

/**
 * A read that waits for the next entry, and right behind it, on the same connection, the script that opens what it brings.
 * Redis holds that script back until the read is over and answers both together: so a task reaches an idle worker in one
 * round trip, not in two.
 *
 * The script can't be told what to open, for nobody knows it yet: it takes what its consumer has read beyond the highest
 * entry that it had before. A lease is trusted from before that script was sent, which is before the wait: so a wait is no
 * longer than a sixth of a lease.
 */
export class WaitingRead {
  readonly #partition: Partition;
  readonly #reader: Link;
  readonly #blockMs: number;
  /** By the name it was read under: that of now, and one whose last read may not be over. */
  readonly #highest = new Map<string, string>();

  constructor({ partition, reader, leaseMs }: { partition: Partition; reader: Link; leaseMs: number }) {
    this.#partition = partition;
    this.#reader = reader;
    this.#blockMs = Math.min(blockMsMax, Math.ceil(leaseMs / 6));
  }

  /** These were read under that name, in this order. */
  saw(consumer: string, entries: readonly { readonly entry: string }[]): void {
    const last = entries.at(-1)?.entry;
    if (last !== undefined && isBeyond(last, this.#after(consumer))) this.#highest.set(consumer, last);
  }

  /**
   * Up to `count` entries as soon as there are any, opened; none when none came in time. `no_group`: the group is not there.
   * `interrupted`: the read was ended by us, or the stream was deleted under it.
   */
  async next(wait: Wait): Promise<Awaited | 'no_group' | 'interrupted'> {
    for (const name of this.#highest.keys()) if (name !== wait.by.name) this.#highest.delete(name);
    const reading = this.#read(wait); // sent first
    const opening = this.#open(wait).catch((error: unknown) => new Fault(error));
    const read = await reading;
    if (typeof read === 'string') return read;
    this.saw(wait.by.name, read);
    const opened = await opening;
    if (opened instanceof Fault) {
      if (read.length === 0) throw opened.error;
      const { error } = opened;
      const isStillOpening = error instanceof DuestreamError && error.code === 'ERR_OUTCOME_UNKNOWN';
      return { count: read.length, opened: nothing, left: read, isStillOpening }; // else it is tried once more, and tells
    }
    return { count: read.length, opened, left: leftOf(read, opened), isStillOpening: false };
  }

  async #read({ by, count }: Wait): Promise<readonly Unopened[] | 'no_group' | 'interrupted'> {
    const { stream } = this.#partition.keys;
    const blockMs = this.#blockMs;
    const words = ['XREADGROUP', 'GROUP', group, by.name, 'COUNT', String(count), 'BLOCK', String(blockMs)];
    try {
      return entriesOf(await this.#reader.block([...words, 'STREAMS', stream, '>'], blockMs, { life: by.life }));
    } catch (error) {
      if (!(error instanceof DuestreamError) || error.code !== 'ERR_REDIS_REPLY') throw error;
      if (error.message.startsWith('NOGROUP')) return 'no_group';
      if (error.message.startsWith('UNBLOCKED')) return 'interrupted';
      throw error;
    }
  }

  #open({ by }: Wait): Promise<Opening> {
    const behind = { life: by.life, behindMs: this.#blockMs };
    const caller: Caller = { send: (words, options) => this.#reader.send(words, { ...behind, ...options }) };
    const args = { consumer: by.name, group: by.group, bytesMax, after: this.#after(by.name), items: [] };
    return this.#partition.run(open, args, { caller });
  }

  #after(consumer: string): string {
    return this.#highest.get(consumer) ?? '0-0';
  }
}

/** [[stream, [[entry, ['id', id, 'due', due]], …]]], or null when nothing came in time. */
function entriesOf(reply: Reply): Unopened[] {
  if (reply === null) return [];
  const [[, entries]] = reply as [[string, [string, string[]][]]];
  return entries.map(([entry, [, id, , due]]) => ({ entry, id: id ?? '', dueMs: wholeMs(Number(due)) }));
}

/** Anybody may XADD anything; open ends what is not ours, whatever its due time. */
function wholeMs(due: number): number {
  return Number.isSafeInteger(due) ? due : 0;
}

function leftOf(read: readonly Unopened[], opened: Opening): readonly Unopened[] {
  const { deliveries, unopened, expired, stale, putBack } = opened;
  if (deliveries.length + unopened.length + expired.length + stale + putBack >= read.length) return [];
  const met = new Set([...deliveries, ...unopened].map(({ entry }) => entry));
  return read.filter(({ entry }) => !met.has(entry));
}

/** Of two stream ids, whether the first one is the later. Both numbers have up to 64 bits, and no zeros in front. */
function isBeyond(one: string, other: string): boolean {
  const [ms = '', nth = ''] = one.split('-');
  const [otherMs = '', otherNth = ''] = other.split('-');
  return ms === otherMs ? isMore(nth, otherNth) : isMore(ms, otherMs);
}

function isMore(one: string, other: string): boolean {
  return one.length === other.length ? one > other : one.length > other.length;
}
