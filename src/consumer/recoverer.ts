import type { Random } from '../random.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { recover } from '../redis/scripts.generated.js';
import { decodeRun } from '../task.js';
import { type Delivery, nameOf } from './delivery.js';
import type { EmitWorkerEvent } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import type { InFlight } from './in-flight.js';
import type { Membership } from './membership.js';

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
  leaseMs: number;
  lostMax: number;
  /** After an outage what has a lease is left alone for as long: its owner may only have been unable to beat. */
  onHold: (isOnHold: boolean) => void;
  start: (delivery: Delivery, at: { sentAtMs: number }) => void;
}

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
    if ((await this.#look(consumer, 0)).isOverdue && this.#turn === undefined) {
      this.#turn = this.#takeTurn(consumer);
    }
    return waitMs;
  }

  /** In line with the fetchers, and ahead of their next reads: however long the backlog, the lost ones get a slot. */
  async #takeTurn(consumer: string): Promise<void> {
    const { inFlight, membership } = this.#parts;
    let slots = await inFlight.slots.take(takeMax);
    try {
      if (slots > 0) slots -= (await this.#look(membership.name ?? consumer, slots)).taken;
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(messageOf(error));
    } finally {
      inFlight.slots.giveBack(slots);
      this.#turn = undefined;
      this.waker.wake();
    }
  }

  #tellFault(): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
  }

  /** Whether something is over its lease and waits for a slot; and how many were taken over, `limit` at most. */
  async #look(consumer: string, limit: number): Promise<{ isOverdue: boolean; taken: number }> {
    const { partition, leaseMs, lostMax, clock, observe, onHold } = this.#parts;
    const sentAtMs = clock.monotonicMs();
    const reply = await partition.run(recover, { consumer, leaseMs, page: pageMax, limit, bytesMax, lostMax });
    if (reply.status !== 'ok') return { isOverdue: false, taken: 0 };
    onHold(reply.heldUntilMs > 0);
    for (const { name } of reply.buried) observe({ type: 'settled', queue: partition.queue, name, outcome: 'dead' });
    if (reply.stale > 0) observe({ type: 'stale_entries', queue: partition.queue, count: reply.stale });
    for (const one of reply.deliveries) this.#take({ ...one, consumer }, sentAtMs);
    return { isOverdue: reply.overdue === 1, taken: reply.deliveries.length };
  }

  #take(delivery: Delivery, sentAtMs: number): void {
    const { partition, observe, emit, start } = this.#parts;
    const name = nameOf(delivery);
    const { attempt, lost } = decodeRun(delivery.run);
    const told = { id: delivery.id, name, attempt, delivery: lost + delivery.count };
    observe({ type: 'recovered', queue: partition.queue, ...told });
    emit('recovered', told);
    start(delivery, { sentAtMs });
  }
}
