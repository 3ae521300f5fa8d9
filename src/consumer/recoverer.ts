import type { Random } from '../random.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { type RecoverReply, recover } from '../redis/scripts.generated.js';
import { decodeRun } from '../task.js';
import { Booking } from './booking.js';
import { type Delivery, nameOf } from './delivery.js';
import type { EmitWorkerEvent } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import type { InFlight } from './in-flight.js';
import type { Membership } from './membership.js';
import type { Patience } from './patience.js';

const pageMax = 200;
const takeMax = 100;
const bytesMax = 512 * 1024;

export interface RecovererParts {
  partition: Partition;
  clock: Clock;
  random: Random;
  observe: Observe;
  emit: EmitWorkerEvent;
  membership: Membership;
  heartbeat: Heartbeat;
  inFlight: InFlight;
  patience: Patience;
  leaseMs: number;
  lostMax: number;
  /** After an outage what has a lease is left alone for as long: its owner may only have been unable to beat. */
  onHold: (isOnHold: boolean) => void;
  signal: AbortSignal;
  start: (delivery: Delivery, at: { sentAtMs: number }) => void;
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
}

type Found = Pick<Extract<RecoverReply, { status: 'ok' }>, 'overdue' | 'deliveries'>;

/**
 * Looks, with jitter, for deliveries whose lease ran out, and takes them over. The look is cheap and takes nothing; only
 * when it finds one are slots taken. Every consumer looks, so that one that is alive is enough. The looks
 * are also how an outage is known (see the script): the wait between two stays well under its 2 s.
 */
export class Recoverer {
  /** Wakes it when something was taken: there may be more. */
  readonly waker: Waker = new Waker();
  readonly #parts: RecovererParts;
  /** Waits for a free slot to take what is overdue; the looks go on meanwhile. */
  #turn: Promise<void> | undefined;
  #fault: Error | undefined;

  constructor(parts: RecovererParts) {
    this.#parts = parts;
  }

  async tick(): Promise<number> {
    const { heartbeat, membership, leaseMs, random } = this.#parts;
    const waitMs = Math.min(1_000, leaseMs / 4) * (0.75 + random() / 2);
    const consumer = membership.name;
    if (consumer === undefined || !heartbeat.isFresh) return waitMs; // who can't beat may not judge
    this.#tellFault();
    const { overdue } = await this.#look(consumer, 0);
    if (overdue === 1 && this.#turn === undefined) {
      this.#turn = this.#takeTurn(consumer);
    }
    return waitMs;
  }

  /** In line with the fetchers, and ahead of their next reads: however long the backlog, the lost ones get a slot. */
  async #takeTurn(consumer: string): Promise<void> {
    const { inFlight, patience, membership } = this.#parts;
    const { slots } = inFlight;
    const booking = new Booking({ slots, patience, taken: await slots.take(takeMax) });
    try {
      if (booking.left > 0) await this.#takeOver(membership.name ?? consumer, booking);
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(messageOf(error));
    } finally {
      booking.giveBack();
      this.#turn = undefined;
      this.waker.wake();
    }
  }

  #tellFault(): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
  }

  /** As much as there is a slot for when the answer comes: what has none goes to others, at once. */
  async #takeOver(consumer: string, booking: Booking): Promise<void> {
    const { clock, signal, start, handBack } = this.#parts;
    const sentAtMs = clock.monotonicMs();
    const { deliveries } = await booking.during(this.#look(consumer, booking.left));
    const taken = deliveries.map((one) => ({ ...one, consumer }));
    for (const delivery of taken) this.#tellRecovered(delivery);
    const fit = signal.aborted ? 0 : booking.fit(taken.length);
    booking.pass(fit);
    for (const delivery of taken.slice(0, fit)) start(delivery, { sentAtMs });
    if (fit < taken.length) await handBack(taken.slice(fit), 0);
  }

  /** What is over its lease: whether anything waits for a slot, and what was taken over, `limit` at most. */
  async #look(consumer: string, limit: number): Promise<Found> {
    const { partition, leaseMs, lostMax, observe, onHold } = this.#parts;
    const reply = await partition.run(recover, { consumer, leaseMs, page: pageMax, limit, bytesMax, lostMax });
    if (reply.status !== 'ok') return { overdue: 0, deliveries: [] };
    onHold(reply.heldUntilMs > 0);
    for (const { name } of reply.buried) observe({ type: 'settled', queue: partition.queue, name, outcome: 'dead' });
    if (reply.stale > 0) observe({ type: 'stale_entries', queue: partition.queue, count: reply.stale });
    return reply;
  }

  #tellRecovered(delivery: Delivery): void {
    const { partition, observe, emit } = this.#parts;
    const name = nameOf(delivery);
    const { attempt, lost } = decodeRun(delivery.run);
    const told = { id: delivery.id, name, attempt, delivery: lost + delivery.count };
    observe({ type: 'recovered', queue: partition.queue, ...told });
    emit('recovered', told);
  }
}
