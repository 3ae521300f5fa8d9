import type { Clock } from '../clock.js';
import type { Partition, Partitions } from '../redis/partition.js';

interface Parts {
  partitions: Partitions;
  clock: Clock;
  lockTtlMs: number;
}

/**
 * How a leader's duties get on. Promotion is never done with, so it fails where it has not got through for a lock's TTL, also
 * when it hangs; schedules may have nothing to do for long, and fail when each try since then has failed.
 */
export class Progress {
  readonly #parts: Parts;
  readonly #promotedAtMs = new Map<Partition, number>();
  readonly #failingSinceMs = new Map<Partition, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A reign begins there, now: nothing is held against it that was before. */
  begin(partition: Partition): void {
    this.#promotedAtMs.set(partition, this.#parts.clock.monotonicMs());
    this.#failingSinceMs.delete(partition);
  }

  done(duty: string, partition: Partition): void {
    if (duty === 'promote') this.#promotedAtMs.set(partition, this.#parts.clock.monotonicMs());
    if (duty === 'schedule') this.#failingSinceMs.delete(partition);
  }

  failed(duty: string, partition: Partition): void {
    if (duty !== 'schedule' || this.#failingSinceMs.has(partition)) return;
    this.#failingSinceMs.set(partition, this.#parts.clock.monotonicMs());
  }

  get isPromotionFailingEverywhere(): boolean {
    return this.#parts.partitions.all.every((partition) => this.#isLong(this.#promotedAtMs.get(partition) ?? 0));
  }

  /** In words. */
  get problems(): string[] {
    const { all } = this.#parts.partitions;
    const unpromoted = all.filter((partition) => this.#isLong(this.#promotedAtMs.get(partition) ?? 0));
    const unfired = all.filter((partition) => this.#isLong(this.#failingSinceMs.get(partition)));
    return [...this.#said('promotion is failing', unpromoted), ...this.#said('schedules are not fired', unfired)];
  }

  #isLong(sinceMs: number | undefined): boolean {
    const { clock, lockTtlMs } = this.#parts;
    return sinceMs !== undefined && clock.monotonicMs() - sinceMs > lockTtlMs;
  }

  #said(what: string, where: readonly Partition[]): string[] {
    if (where.length === this.#parts.partitions.all.length) return [what];
    return where.map(({ index }) => `${what} on partition ${index}`);
  }
}
