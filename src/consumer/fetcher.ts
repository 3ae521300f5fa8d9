import type { Clock } from '../clock.js';
import { DuestreamError } from '../errors.js';
import type { Observe } from '../events.js';
import { group } from '../keys.js';
import { Waker } from '../loop.js';
import type { Link } from '../redis/link.js';
import { OneServer } from '../redis/one-server.js';
import type { Partition } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import { fetch as fetchScript, open as openScript } from '../redis/scripts.generated.js';
import type { Delivery } from './delivery.js';
import type { InFlight } from './in-flight.js';
import type { Intake } from './intake.js';
import type { Membership } from './membership.js';

/** What one call reads at most, however many slots are free. */
const readMax = 100;
const bytesMax = 1024 * 1024;
const blockMs = 5_000;
const pausedLookMs = 1_000;

export interface FetcherParts {
  partition: Partition;
  clock: Clock;
  observe: Observe;
  /** Blocking reads go here, and all else that is done under the reader's name. */
  reader: Link;
  /** To wake the reader from a blocking read. */
  commands: Link;
  membership: Membership;
  inFlight: InFlight;
  intake: Intake;
  signal: AbortSignal;
  start: (delivery: Delivery, at: { sentAtMs: number; nowMs: number }) => void;
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
}

type Unopened = { entry: string; id: string; dueMs: number };

/**
 * Reads deliveries, never more than there are free slots, opens them and hands them to the executor.
 *
 * Two ways: with a backlog one script reads and opens; when the stream ran dry a blocking read waits for the next entry,
 * and a second script opens what it brought. Nothing starts without open.
 */
export class Fetcher {
  readonly #parts: FetcherParts;
  /** Wakes it when the queue is resumed. */
  readonly waker: Waker = new Waker();
  /** It waits for its connection by itself: what comes on top is only late work. */
  readonly failureWaitMaxMs = 1_000;
  readonly #oneServer: OneServer;
  #hasBacklog = true;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#oneServer = new OneServer(parts.clock, [parts.reader, parts.commands]);
  }

  async tick(): Promise<number> {
    const { inFlight, intake, signal } = this.#parts;
    return intake.exclusive(async () => {
      await inFlight.untilFree(signal); // in turn: whoever is next in line gets the next slot
      return signal.aborted ? 0 : this.#read();
    });
  }

  /** Ends a blocking read early, in about a millisecond. */
  async interrupt(): Promise<void> {
    this.waker.wake();
    await this.#parts.reader.unblock(this.#parts.commands);
  }

  async #read(): Promise<number> {
    const { membership, inFlight, intake, signal } = this.#parts;
    const count = Math.min(inFlight.free, readMax);
    if (count < 1 || signal.aborted) return 0;
    this.#oneServer.look();
    const { name, life } = await membership.current();
    if (signal.aborted) return 0;
    if (this.#hasBacklog) return this.#fetch({ consumer: name, life, count });
    if (intake.isContended) return 0; // somebody wants the slots: don't sit on them
    return this.#block({ consumer: name, life, count });
  }

  async #fetch({ consumer, life, count }: { consumer: string; life: number; count: number }): Promise<number> {
    const { partition, reader, clock, membership } = this.#parts;
    const sentAtMs = clock.monotonicMs();
    const caller = {
      send: (args: readonly string[], options?: { timeoutMs?: number; op?: string }) =>
        reader.send(args, { ...options, life }),
    };
    const reply = await partition.run(fetchScript, { consumer, count, bytesMax }, { caller });
    switch (reply.status) {
      case 'paused':
        return pausedLookMs;
      case 'no_group':
        membership.renew();
        return 0;
      case 'ok': {
        this.#tellEnds(reply);
        this.#hasBacklog =
          reply.deliveries.length + reply.unopened.length + reply.stale + reply.expired.length >= count;
        this.#startAll(consumer, reply.deliveries, { sentAtMs, nowMs: reply.nowMs });
        await this.#open(consumer, reply.unopened);
        return 0;
      }
    }
  }

  async #block({ consumer, life, count }: { consumer: string; life: number; count: number }): Promise<number> {
    const { partition, reader, membership, signal } = this.#parts;
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
    await this.#open(consumer, entries);
    return 0;
  }

  /** What was read must be opened, or given back: so what fails here stays pending, and recovery has it after a lease. */
  async #open(consumer: string, entries: readonly Unopened[]): Promise<void> {
    const { partition, clock } = this.#parts;
    let items = entries;
    while (items.length > 0) {
      const sentAtMs = clock.monotonicMs();
      const reply = await partition.run(openScript, { consumer, bytesMax, items });
      this.#tellEnds(reply);
      if (reply.putBack > 0) this.#hasBacklog = true; // paused: the next fetch says so and waits
      this.#startAll(consumer, reply.deliveries, { sentAtMs, nowMs: reply.nowMs });
      items = reply.unopened;
    }
  }

  #startAll(
    consumer: string,
    opened: readonly (Unopened & { record: string; run: string | null })[],
    at: { sentAtMs: number; nowMs: number },
  ): void {
    const { start, handBack, signal } = this.#parts;
    const deliveries = opened.map((one) => ({ ...one, consumer, count: 1 }));
    if (signal.aborted)
      void handBack(deliveries, 0).catch(() => {}); // left pending it is recovered after a lease
    else for (const delivery of deliveries) start(delivery, at);
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
