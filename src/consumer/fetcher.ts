import type { Clock } from '../clock.js';
import { assert, DuestreamError } from '../errors.js';
import type { Observe } from '../events.js';
import { group } from '../keys.js';
import { Waker } from '../loop.js';
import type { Link } from '../redis/link.js';
import { OneServer } from '../redis/one-server.js';
import type { Partition } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import { next, open as openScript } from '../redis/scripts.generated.js';
import type { Delivery } from './delivery.js';
import type { InFlight } from './in-flight.js';
import type { Membership } from './membership.js';
import type { Settler } from './settler.js';

/** What one call reads at most, however many slots are free. */
const readMax = 100;
const bytesMax = 512 * 1024;
const blockMs = 5_000;
const pausedLookMs = 1_000;

export interface FetcherParts {
  partition: Partition;
  clock: Clock;
  observe: Observe;
  /** Blocking reads go here, and all else that is done under the reader's name. */
  reader: Link;
  /** To wake the reader from a blocking read. */
  commands: () => Link;
  membership: Membership;
  inFlight: InFlight;
  /** Its ends go along with the next read. */
  settler: Settler;
  signal: AbortSignal;
  start: (delivery: Delivery, at: { sentAtMs: number; nowMs: number }) => void;
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
}

type Unopened = { entry: string; id: string; dueMs: number };

/** One read: under which name, on which connection, and how many of the slots taken for it are left. */
interface Read {
  readonly consumer: string;
  readonly life: number;
  slots: number;
}

/**
 * Reads deliveries, never more than it has slots for, opens them and hands them to the executor.
 *
 * Two ways: with a backlog one script reads and opens; when the stream ran dry a blocking read waits for the next entry,
 * and a second script opens what it brought. Nothing starts without open.
 *
 * With a backlog two reads are under way, each for half of the slots at most: Redis works for the one half while the
 * handlers of the other are at work here.
 */
export class Fetcher {
  readonly #parts: FetcherParts;
  /** Wakes it when the queue is resumed. */
  readonly waker: Waker = new Waker();
  /** It waits for its connection by itself: what comes on top is only late work. */
  readonly failureWaitMaxMs = 1_000;
  readonly #oneServer: OneServer;
  readonly #halfMax: number;
  #hasBacklog = true;
  #isPaused = false;
  #isAtReply = false;
  /** The read that is under way beside the next one; resolves with how long to wait after it. */
  #before: Promise<number> = Promise.resolve(0);

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#oneServer = new OneServer(parts.clock, () => [parts.reader, parts.commands()]);
    this.#halfMax = Math.min(readMax, Math.ceil(parts.inFlight.concurrency / 2));
  }

  async tick(): Promise<number> {
    const slots = await this.#parts.inFlight.take(this.#hasBacklog ? this.#halfMax : readMax);
    const before = this.#before;
    if (slots === 0) return before; // closed: what is under way is still to be handed back
    this.#oneServer.look();
    if (!this.#hasBacklog) return this.#using(slots, (read) => this.#block(read, before));
    this.#before = this.#using(slots, (read) => this.#fetch(read));
    this.#before.catch(() => {}); // the next tick tells
    if (!this.#isPaused) return before;
    await before; // a look at a paused queue is alone: after a resume its wait would be an old one
    return this.#before;
  }

  /** Waits for the read that a tick has left under way: what it brings after the end of the intake is handed back. */
  async untilRead(): Promise<void> {
    await this.#before.catch(() => {});
  }

  /** Ends a blocking read early, in about a millisecond. */
  async interrupt(): Promise<void> {
    this.waker.wake();
    await this.#parts.reader.unblock(this.#parts.commands());
  }

  /** The slots for which nothing came go back, whatever happens. */
  async #using(slots: number, work: (read: Read) => Promise<number>): Promise<number> {
    const { membership, inFlight, signal } = this.#parts;
    const read = { consumer: '', life: 0, slots };
    try {
      const { name, life } = await membership.current();
      return signal.aborted ? 0 : await work(Object.assign(read, { consumer: name, life }));
    } finally {
      inFlight.giveBack(read.slots);
    }
  }

  async #fetch(read: Read): Promise<number> {
    const { partition, reader, clock, membership, settler } = this.#parts;
    const { consumer, life, slots: free } = read;
    const sentAtMs = clock.monotonicMs();
    const caller = {
      send: (args: readonly string[], options?: { timeoutMs?: number; op?: string }) =>
        reader.send(args, { ...options, life }),
    };
    const reply = await settler.along(consumer, ({ lane, call, items, timeoutMs }) =>
      partition.run(next, { lane, call, consumer, free, bytesMax, items }, { caller, timeoutMs }),
    );
    assert(reply.status !== 'late_call', 'next: late_call for a call that nobody else makes');
    this.#isPaused = reply.status === 'paused';
    switch (reply.status) {
      case 'paused':
        return pausedLookMs;
      case 'no_group':
        membership.renew();
        return 0;
      case 'ok': {
        await this.#apart();
        this.#tellEnds(reply);
        this.#hasBacklog = reply.deliveries.length + reply.unopened.length + reply.stale + reply.expired.length >= free;
        await this.#startAll(read, reply.deliveries, { sentAtMs, nowMs: reply.nowMs });
        await this.#open(read, reply.unopened);
        return 0;
      }
    }
  }

  /**
   * Two replies that come together are worked off apart, else they would stay together for good, with Redis at rest
   * while we work and we while Redis does. After two turns what the first of them led to has been written.
   */
  async #apart(): Promise<void> {
    const { clock } = this.#parts;
    while (this.#isAtReply) await clock.sleep(0);
    this.#isAtReply = true;
    void clock
      .sleep(0)
      .then(() => clock.sleep(0))
      .then(() => {
        this.#isAtReply = false;
      });
  }

  async #block(read: Read, before: Promise<number>): Promise<number> {
    const { partition, reader, membership, inFlight, signal } = this.#parts;
    this.#before = Promise.resolve(0);
    const waitMs = await before;
    if (waitMs > 0 || this.#hasBacklog) return waitMs;
    if (inFlight.isWanted || signal.aborted) return 0; // somebody wants the slots: don't sit on them
    const { consumer, life, slots: count } = read;
    const words = ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', String(count), 'BLOCK', String(blockMs)];
    let reply: Reply;
    try {
      reply = await reader.block([...words, 'STREAMS', partition.keys.stream, '>'], blockMs, { life });
    } catch (error) {
      if (!isAbsentGroup(error)) throw error;
      if (isAbsentGroup(error) === 'gone') membership.renew();
      return 0;
    }
    const entries = entriesOf(reply);
    if (entries.length === 0) {
      if (!signal.aborted) this.#hasBacklog = true; // a look by the script, which sees a pause
      return 0;
    }
    this.#hasBacklog = entries.length === count;
    await this.#open(read, entries);
    return 0;
  }

  /** What was read must be opened, or given back: so what fails here stays pending, and recovery has it after a lease. */
  async #open(read: Read, entries: readonly Unopened[]): Promise<void> {
    const { partition, clock } = this.#parts;
    let items = entries;
    while (items.length > 0) {
      const sentAtMs = clock.monotonicMs();
      const reply = await partition.run(openScript, { consumer: read.consumer, bytesMax, items });
      this.#tellEnds(reply);
      if (reply.putBack > 0) this.#hasBacklog = true; // paused: the next fetch says so and waits
      await this.#startAll(read, reply.deliveries, { sentAtMs, nowMs: reply.nowMs });
      items = reply.unopened;
    }
  }

  async #startAll(
    read: Read,
    opened: readonly (Unopened & { record: string; run: string | null })[],
    at: { sentAtMs: number; nowMs: number },
  ): Promise<void> {
    const { start, handBack, signal } = this.#parts;
    const { consumer } = read;
    const deliveries = opened.map(({ entry, id, dueMs, record, run }) => ({
      consumer,
      entry,
      count: 1,
      id,
      dueMs,
      record,
      run,
    }));
    if (signal.aborted) return handBack(deliveries, 0).catch(() => {}); // left pending it is recovered after a lease
    read.slots -= deliveries.length;
    for (const delivery of deliveries) start(delivery, at);
  }

  #tellEnds({ expired, stale }: { expired: readonly { name: string }[]; stale: number }): void {
    const { observe, partition } = this.#parts;
    for (const { name } of expired) observe({ type: 'settled', queue: partition.queue, name, outcome: 'expired' });
    if (stale > 0) observe({ type: 'stale_entries', queue: partition.queue, count: stale });
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

/** An operator's hand: the group is gone, or the stream with it; or the read was ended by us. */
function isAbsentGroup(error: unknown): 'gone' | 'unblocked' | false {
  if (!(error instanceof DuestreamError) || error.code !== 'ERR_REDIS_REPLY') return false;
  if (error.message.startsWith('NOGROUP')) return 'gone';
  return error.message.startsWith('UNBLOCKED') ? 'unblocked' : false;
}
