import type { Clock } from '../clock.js';
import { assert } from '../errors.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Link } from '../redis/link.js';
import { OneServer } from '../redis/one-server.js';
import type { Partition } from '../redis/partition.js';
import type { Caller } from '../redis/script.js';
import { next, open as openScript } from '../redis/scripts.generated.js';
import { Apart } from './apart.js';
import { Booking } from './booking.js';
import { type Delivery, readDeliveries } from './delivery.js';
import type { InFlight } from './in-flight.js';
import type { Membership } from './membership.js';
import type { Patience } from './patience.js';
import { Read } from './read.js';
import type { Settler } from './settler.js';
import { type Awaited, bytesMax, type Unopened, WaitingRead } from './waiting-read.js';

/** What one call reads at most, however many slots are free. */
const readMax = 100;
const pausedLookMs = 1_000;

export interface FetcherParts {
  partition: Partition;
  clock: Clock;
  observe: Observe;
  leaseMs: number;
  /** Blocking reads go here, and all else that is done under the reader's name. */
  reader: Link;
  /** To wake the reader from a blocking read. */
  commands: () => Link;
  membership: Membership;
  inFlight: InFlight;
  patience: Patience;
  /** How many fetchers share the slots. */
  share: () => number;
  /** Its ends go along with the next read. */
  settler: Settler;
  signal: AbortSignal;
  start: (delivery: Delivery, at: { sentAtMs: number; nowMs: number }) => void;
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
}

/** What a script has read: opened, or left to open. */
type Brought = Pick<Awaited['opened'], 'deliveries' | 'unopened' | 'nowMs'>;
/** When its call was sent; `inRow`: one read brought all of them, from the first to the last. */
type How = { sentAtMs: number; inRow: boolean };
/** What a script has met that can't start. */
type Met = Pick<Awaited['opened'], 'expired' | 'stale'> & { putBack?: number };

/**
 * Reads deliveries, opens them and hands them to the executor; it keeps none that it has no slot for. Nor does it keep
 * slots while the server is silent: see Booking.
 *
 * Two ways: with a backlog one script reads and opens; when the stream ran dry a blocking read waits for the next entry,
 * and behind it, on the same connection, waits the script that opens what it brings: both answers come together. Nothing
 * starts without open.
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
  /** With a single slot there are never two reads under way. */
  readonly #apart: Apart | undefined;
  readonly #halfMax: number;
  readonly #waiting: WaitingRead;
  #hasBacklog = true;
  #isPaused = false;
  /** How many the last blocking read brought that there was no slot for. */
  #turnedAway = 0;
  /** The read that is under way beside the next one; `done` resolves with how long to wait after it. */
  #before: { readonly booking: Booking; readonly done: Promise<number> };

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#oneServer = new OneServer(parts.clock, () => [parts.reader, parts.commands()]);
    const { concurrency } = parts.inFlight.slots;
    this.#apart = concurrency > 1 ? new Apart(parts.clock) : undefined;
    this.#halfMax = Math.min(readMax, Math.ceil(concurrency / 2));
    this.#before = this.#nothing();
    this.#waiting = new WaitingRead(parts);
  }

  async tick(): Promise<number> {
    this.#oneServer.look();
    if (!this.#hasBacklog) return this.#block();
    const { membership } = this.#parts;
    if (!membership.present) await membership.current(); // before it takes slots: while this partition is away others need them
    const booking = this.#booking(await this.#takeSlots());
    const before = this.#before;
    if (booking.left === 0) return before.done; // closed: what is under way is still to be handed back
    if (before.booking.isLate) {
      booking.giveBack(); // this one would be as late
      this.#before = this.#nothing();
      return before.done;
    }
    const done = this.#fetch(booking, before.done);
    this.#before = { booking, done };
    done.catch(() => {}); // the next tick tells
    if (!this.#isPaused) return before.done;
    await before.done; // a look at a paused queue is alone: after a resume its wait would be an old one
    return done;
  }

  /** Waits for the read that a tick has left under way: what it brings after the end of the intake is handed back. */
  async untilRead(): Promise<void> {
    await this.#before.done.catch(() => {});
  }

  /** Ends a blocking read early, in about a millisecond. */
  async interrupt(): Promise<void> {
    this.waker.wake();
    await this.#parts.reader.unblock(this.#parts.commands());
  }

  /** After a wait that brought what there was no slot for: for just that, and before the others. */
  #takeSlots(): Promise<number> {
    const wanted = this.#turnedAway;
    this.#turnedAway = 0;
    const slotsMax = wanted === 0 ? this.#halfMax : Math.min(wanted, this.#halfMax);
    return this.#parts.inFlight.slots.take(slotsMax, { by: this, wasTurnedAway: wanted > 0 });
  }

  #booking(taken: number): Booking {
    const { inFlight, patience } = this.#parts;
    return new Booking({ slots: inFlight.slots, patience, taken });
  }

  #nothing(): { booking: Booking; done: Promise<number> } {
    return { booking: this.#booking(0), done: Promise.resolve(0) };
  }

  #read(of: { name: string; group: string }, booking: Booking): Read {
    const { handBack, signal } = this.#parts;
    return new Read({ consumer: of.name, group: of.group, booking, handBack, signal });
  }

  #fetch(booking: Booking, before: Promise<number>): Promise<number> {
    const { membership, signal } = this.#parts;
    const { name, group, life } = membership.present ?? { name: '', group: '', life: 0 };
    const read = this.#read({ name, group }, booking);
    return read.whole(name === '' || signal.aborted ? Promise.resolve(0) : this.#next(read, { life, before }));
  }

  async #next(read: Read, { life, before }: { life: number; before: Promise<number> }): Promise<number> {
    const { partition, reader, clock, membership, settler } = this.#parts;
    const { consumer, group, booking } = read;
    const free = booking.left;
    const sentAtMs = clock.monotonicMs();
    const caller: Caller = { send: (args, options) => reader.send(args, { life, ...options }) };
    const along = settler.along(consumer, ({ lane, call, items, inRow, timeoutMs }) =>
      partition.run(next, { lane, call, consumer, group, free, bytesMax, inRow, items }, { caller, timeoutMs }),
    );
    const reply = await booking.during(along);
    assert(reply.status !== 'late_call', 'next: late_call for a call that nobody else makes');
    this.#isPaused = reply.status === 'paused';
    if (reply.status === 'paused') return pausedLookMs;
    if (reply.status === 'no_group') {
      membership.renew();
      return 0;
    }
    if (this.#apart) await this.#apart.turn(before);
    this.#tell(reply);
    this.#hasBacklog = reply.deliveries.length + reply.unopened.length + reply.stale + reply.expired.length >= free;
    this.#takeOn(read, reply, { sentAtMs, inRow: true });
    if (reply.unopened.length > 0) await this.#open(read, reply.unopened);
    return 0;
  }

  /** Starts what was opened, as far as there are slots. What was not has to be opened next. */
  #takeOn(read: Read, { deliveries, unopened, nowMs }: Brought, { sentAtMs, inRow }: How): void {
    const { consumer, booking } = read;
    this.#waiting.saw(consumer, unopened.length > 0 ? unopened : deliveries);
    const started = this.#fitting(read, deliveries);
    booking.pass(started.length);
    const at = { sentAtMs, nowMs };
    for (const delivery of readDeliveries(consumer, started, inRow)) this.#parts.start(delivery, at);
  }

  /**
   * Waits for the next entry. It has no slots meanwhile, for others could use them: what it brings and there is no slot
   * for any more goes back at once. So it asks for its share of what is free.
   */
  async #block(): Promise<number> {
    const { clock, membership, inFlight, share, signal } = this.#parts;
    const before = this.#before;
    this.#before = this.#nothing();
    const waitMs = await before.done;
    if (waitMs > 0 || this.#hasBacklog) return waitMs;
    const by = await membership.current();
    if (signal.aborted) return 0;
    const count = Math.min(readMax, Math.max(1, Math.floor(inFlight.slots.free / share())));
    const sentAtMs = clock.monotonicMs();
    const brought = await this.#waiting.next({ by, count });
    if (brought === 'no_group') membership.renew();
    if (brought === 'no_group' || brought === 'interrupted') return 0;
    this.#hasBacklog = brought.count === count || brought.isStillOpening;
    this.#tell(brought.opened);
    const read = this.#read(by, this.#booking(0));
    await read.whole(this.#takeOnAll(read, sentAtMs, brought));
    this.#turnedAway = read.turnedAway;
    return 0;
  }

  /** What a wait brought: opened with it, and left to open. */
  async #takeOnAll(read: Read, sentAtMs: number, { opened, left, isStillOpening }: Awaited): Promise<number> {
    this.#takeOn(read, opened, { sentAtMs, inRow: left.length === 0 });
    await this.#open(read, opened.unopened);
    if (isStillOpening) read.turnAway(left);
    else await this.#open(read, left);
    return 0;
  }

  /**
   * As many as there are slots for. What was read must be opened, or given back: so what fails here stays pending, and
   * recovery has it after a lease.
   */
  async #open(read: Read, entries: readonly Unopened[]): Promise<void> {
    const { partition } = this.#parts;
    const { consumer, group, booking } = read;
    const items = this.#fitting(read, entries);
    if (items.length === 0) return;
    const sentAtMs = this.#parts.clock.monotonicMs();
    const reply = await booking.during(partition.run(openScript, { consumer, group, bytesMax, after: '', items }));
    this.#tell(reply);
    this.#takeOn(read, reply, { sentAtMs, inRow: false });
    await this.#open(read, reply.unopened);
  }

  /** What has to go back is a backlog: the partition gets in line. */
  #fitting<T extends Unopened>(read: Read, brought: readonly T[]): readonly T[] {
    const fitting = read.fitting(brought);
    if (fitting.length < brought.length) this.#hasBacklog = true;
    return fitting;
  }

  #tell({ expired, stale, putBack = 0 }: Met): void {
    if (putBack > 0) this.#hasBacklog = true; // paused, or a group that is gone: the next fetch finds out
    const { observe, partition } = this.#parts;
    for (const { name } of expired) observe({ type: 'settled', queue: partition.queue, name, outcome: 'expired' });
    if (stale > 0) observe({ type: 'stale_entries', queue: partition.queue, count: stale });
  }
}
