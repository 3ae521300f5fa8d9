import type { Clock } from '../clock.js';
import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { beat } from '../redis/scripts.generated.js';
import { byConsumer } from './delivery.js';
import type { HeldDelivery } from './held-delivery.js';
import type { InFlight } from './in-flight.js';
import type { Membership } from './membership.js';

/** A beat checks each delivery's owner, which costs: 100 take Redis about 2 ms. */
const itemsMax = 100;

export interface HeartbeatParts {
  partition: Partition;
  clock: Clock;
  membership: Membership;
  inFlight: InFlight;
  worker: string;
  leaseMs: number;
  /** Another consumer has it by now, or may have. Told once for each. */
  onLost: (held: HeldDelivery) => void;
  /** Its end could not be written for a lease: it beats no more. Told with each beat that leaves it out. */
  onUnplaced: (held: HeldDelivery) => void;
}

/**
 * The signs of life: the consumer's own, idle or not, and one for each delivery it holds, every third of a lease.
 *
 * A delivery is trusted until a lease after the call that last extended it was *sent*, less a margin. When that moment
 * passes without news its signal is aborted; the handler may go on, its end is written if the script still agrees.
 */
export class Heartbeat {
  /** Wakes it for a first beat under a new name. */
  readonly waker: Waker = new Waker();
  /** After an outage recovery is on hold for one lease: whoever is not heard by its end loses what it holds. */
  readonly failureWaitMaxMs: number;
  readonly #parts: HeartbeatParts;
  readonly #marginMs: number;
  #beatenAtMs = Number.NEGATIVE_INFINITY;
  #disarm = (): void => {};

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.failureWaitMaxMs = parts.leaseMs / 6;
    this.#marginMs = parts.leaseMs / 4;
  }

  /** Whether our own beats get through: only then may we judge others by theirs. */
  get isFresh(): boolean {
    return this.#parts.clock.monotonicMs() - this.#beatenAtMs < this.#parts.leaseMs / 2;
  }

  /** Until when a delivery opened by a call sent at that time can be trusted. */
  trustedUntilMs(sentAtMs: number): number {
    return sentAtMs + this.#parts.leaseMs - this.#marginMs;
  }

  async tick(): Promise<number> {
    const { leaseMs, membership } = this.#parts;
    this.#watch();
    try {
      const groups = byConsumer(this.#stillOurs());
      if (membership.name !== undefined && !groups.has(membership.name)) groups.set(membership.name, []);
      for (const [consumer, held] of groups) await this.#beat(consumer, held);
      await membership.leaveFormer(new Set(groups.keys()));
      return leaseMs / 3;
    } catch (error) {
      this.#dropUntrusted();
      throw error;
    }
  }

  /** Extends one delivery now; false when it is no longer ours. */
  async extend(held: HeldDelivery): Promise<boolean> {
    await this.#beat(held.delivery.consumer, [held]);
    return held.abortedBecause === undefined;
  }

  async #beat(consumer: string, held: readonly HeldDelivery[]): Promise<void> {
    for (let from = 0; from === 0 || from < held.length; from += itemsMax) {
      await this.#beatSome(consumer, held.slice(from, from + itemsMax));
    }
  }

  async #beatSome(consumer: string, some: readonly HeldDelivery[]): Promise<void> {
    const { partition, clock, worker, leaseMs, inFlight } = this.#parts;
    const sentAtMs = clock.monotonicMs();
    const items = some.map(({ delivery: { entry, count, id } }) => ({ entry, count, id }));
    const reply = await partition.run(beat, { consumer, worker, leaseMs, items }, { timeoutMs: leaseMs / 6 });
    this.#beatenAtMs = sentAtMs;
    some.forEach((held, at) => {
      const mark = reply.marks[at];
      if (held.isEnding || !inFlight.held.has(held)) return; // its end may be written already: the settler tells
      if (mark === 'o') held.trustedUntilMs = this.trustedUntilMs(sentAtMs);
      else if (mark === 'c') held.abort('cancelled');
      else this.#lose(held);
    });
  }

  /** Trust ends on time, however long a beat that fails takes, and the wait after it. */
  #watch(): void {
    const { clock } = this.#parts;
    this.#disarm();
    const untilMs = Math.min(...this.#atWork().map(({ trustedUntilMs }) => trustedUntilMs));
    if (untilMs === Number.POSITIVE_INFINITY) return;
    this.#disarm = clock.after(Math.max(1, untilMs - clock.monotonicMs()), () => {
      this.#dropUntrusted();
      this.#watch();
    });
  }

  #dropUntrusted(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const held of this.#atWork()) if (nowMs >= held.trustedUntilMs) this.#lose(held);
  }

  /** Whose end is being written is the settler's to tell of, and a cancelled one has its end. */
  #atWork(): HeldDelivery[] {
    return [...this.#parts.inFlight.held].filter(
      ({ isEnding, isLost, abortedBecause }) => !isEnding && !isLost && abortedBecause !== 'cancelled',
    );
  }

  /** One whose end could not be written for a whole lease is kept no longer: it is not held up for others for ever. */
  #stillOurs(): HeldDelivery[] {
    const { inFlight, clock, leaseMs, onUnplaced } = this.#parts;
    const sinceMs = clock.monotonicMs() - leaseMs;
    const isOverdue = ({ endingSinceMs }: HeldDelivery): boolean =>
      endingSinceMs !== undefined && endingSinceMs < sinceMs;
    for (const held of [...inFlight.held].filter(isOverdue)) onUnplaced(held);
    return [...inFlight.held].filter((held) => !isOverdue(held));
  }

  #lose(held: HeldDelivery): void {
    if (held.isLost) return;
    held.isLost = true;
    held.abort('lease_lost');
    this.#parts.onLost(held);
  }
}
