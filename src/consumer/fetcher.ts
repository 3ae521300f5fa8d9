import type { Clock } from '../clock.js';
import { assert } from '../errors.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Link } from '../redis/link.js';
import { OneServer } from '../redis/one-server.js';
import type { Partition } from '../redis/partition.js';
import { next, open as openScript } from '../redis/scripts.generated.js';
import { Apart } from './apart.js';
import type { Delivery } from './delivery.js';
import type { InFlight } from './in-flight.js';
import type { Membership } from './membership.js';
import type { Settler } from './settler.js';
import { type Unopened, waitingRead } from './waiting-read.js';

/** What one call reads at most, however many slots are free. */
const readMax = 100;
const bytesMax = 512 * 1024;
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
  /** How many fetchers share the slots. */
  share: () => number;
  /** Its ends go along with the next read. */
  settler: Settler;
  signal: AbortSignal;
  start: (delivery: Delivery, at: { sentAtMs: number; nowMs: number }) => void;
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
}

/** One read: under which name, and how many of the slots taken for it are left. */
interface Read {
  readonly consumer: string;
  readonly group: string;
  slots: number;
}

/** What a script has read: opened, or left to open. */
interface Brought {
  readonly deliveries: readonly (Unopened & { record: string; run: string | null })[];
  readonly unopened: readonly Unopened[];
}

/**
 * Reads deliveries, opens them and hands them to the executor; it keeps none that it has no slot for.
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
  readonly #apart: Apart;
  readonly #halfMax: number;
  #hasBacklog = true;
  #isPaused = false;
  /** The read that is under way beside the next one; resolves with how long to wait after it. */
  #before: Promise<number> = Promise.resolve(0);

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#oneServer = new OneServer(parts.clock, () => [parts.reader, parts.commands()]);
    this.#apart = new Apart(parts.clock);
    this.#halfMax = Math.min(readMax, Math.ceil(parts.inFlight.slots.concurrency / 2));
  }

  async tick(): Promise<number> {
    this.#oneServer.look();
    if (!this.#hasBacklog) return this.#block();
    await this.#parts.membership.current(); // before it takes slots: while this partition is away others need them
    const slots = await this.#parts.inFlight.slots.take(this.#halfMax);
    const before = this.#before;
    if (slots === 0) return before; // closed: what is under way is still to be handed back
    this.#before = this.#fetch(slots);
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
  async #fetch(slots: number): Promise<number> {
    const { membership, signal } = this.#parts;
    const { present } = membership;
    const read: Read = { consumer: present?.name ?? '', group: present?.group ?? '', slots };
    try {
      return present === undefined || signal.aborted ? 0 : await this.#next(read, present.life);
    } finally {
      this.#parts.inFlight.slots.giveBack(read.slots);
    }
  }

  async #next(read: Read, life: number): Promise<number> {
    const { partition, reader, clock, membership, settler } = this.#parts;
    const { consumer, group, slots: free } = read;
    const sentAtMs = clock.monotonicMs();
    const caller = {
      send: (args: readonly string[], options?: { timeoutMs?: number; op?: string }) =>
        reader.send(args, { ...options, life }),
    };
    const reply = await settler.along(consumer, ({ lane, call, items, timeoutMs }) =>
      partition.run(next, { lane, call, consumer, group, free, bytesMax, items }, { caller, timeoutMs }),
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
        await this.#apart.turn();
        this.#tellEnds(reply);
        this.#hasBacklog = reply.deliveries.length + reply.unopened.length + reply.stale + reply.expired.length >= free;
        await this.#takeOn(read, reply, { sentAtMs, nowMs: reply.nowMs });
        return 0;
      }
    }
  }

  /** As much as there are slots for by now: a waiting read has none before. */
  async #takeOn(read: Read, { deliveries, unopened }: Brought, at: { sentAtMs: number; nowMs: number }): Promise<void> {
    const lacking = deliveries.length + unopened.length - read.slots;
    if (lacking > 0) read.slots += this.#parts.inFlight.slots.takeFree(lacking);
    const started = deliveries.slice(0, read.slots);
    const opened = unopened.slice(0, read.slots - started.length);
    const back = [...deliveries.slice(started.length), ...unopened.slice(opened.length)];
    const returned = back.length > 0 ? this.#putBack(read.consumer, back) : undefined;
    await this.#startAll(read, started, at);
    await Promise.all([this.#open(read, opened), returned]);
  }

  /**
   * Waits for the next entry. It has no slots meanwhile, for others could use them: what it brings and there is no slot
   * for any more goes back at once. So it asks for its share of what is free.
   */
  async #block(): Promise<number> {
    const { partition, reader, membership, inFlight, share, signal } = this.#parts;
    const before = this.#before;
    this.#before = Promise.resolve(0);
    const waitMs = await before;
    if (waitMs > 0 || this.#hasBacklog) return waitMs;
    const { name: consumer, life, group } = await membership.current();
    if (signal.aborted) return 0;
    const count = Math.min(readMax, Math.max(1, Math.floor(inFlight.slots.free / share())));
    const entries = await waitingRead(reader, { stream: partition.keys.stream, consumer, count, life });
    if (entries === 'no_group') membership.renew();
    if (entries === 'no_group' || entries === 'interrupted') return 0;
    this.#hasBacklog = entries.length === count || entries.length === 0; // none: a look by the script, which sees a pause
    const read = { consumer, group, slots: 0 };
    try {
      await this.#takeOn(read, { deliveries: [], unopened: entries }, { sentAtMs: 0, nowMs: 0 });
    } finally {
      inFlight.slots.giveBack(read.slots);
    }
    return 0;
  }

  /** For others, at once; the partition gets in line for a slot. What can't go back is recovered after a lease. */
  async #putBack(consumer: string, entries: readonly Unopened[]): Promise<void> {
    this.#hasBacklog = true;
    const unstarted = entries.map((one) => ({ ...one, consumer, count: 1, record: '', run: null }));
    await this.#parts.handBack(unstarted, 0).catch(() => {});
  }

  /** What was read must be opened, or given back: so what fails here stays pending, and recovery has it after a lease. */
  async #open(read: Read, entries: readonly Unopened[]): Promise<void> {
    const { partition, clock } = this.#parts;
    let items = entries;
    while (items.length > 0) {
      const sentAtMs = clock.monotonicMs();
      const reply = await partition.run(openScript, { consumer: read.consumer, group: read.group, bytesMax, items });
      this.#tellEnds(reply);
      if (reply.putBack > 0) this.#hasBacklog = true; // paused, or a group that is gone: the next fetch finds out
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
