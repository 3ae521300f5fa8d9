import { hostname } from 'node:os';
import type { Common } from '../options.js';
import { newToken } from '../random.js';
import type { ConnectionOption } from '../redis/connection.js';
import type { Link } from '../redis/link.js';
import { openLink } from '../redis/observed-link.js';
import { OneServer } from '../redis/one-server.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { Servers } from '../redis/servers.js';
import type { Signal } from '../signals.js';
import type { SeatEvent } from './elector.js';
import { Leadership } from './leadership.js';
import type { ResolvedTuning } from './options.js';
import type { Seat } from './trust.js';

export interface CandidateParts {
  queue: string;
  common: Common<ConnectionOption>;
  tuning: ResolvedTuning;
  servers: Servers;
  partitions: Partitions;
  onSeat: (seat: Seat, event: SeatEvent) => void;
  onError: (error: unknown) => void;
}

/** What a process needs to lead: connections to the lock nodes, and the leadership that bids there. */
export class Candidate {
  readonly #leadership: Leadership;
  readonly #lockNodes: readonly Link[];

  constructor({ queue, common, tuning, servers, partitions, onSeat, onError }: CandidateParts) {
    const { clock, random, observe } = common;
    const { lock } = partitions.home.keys;
    const ownVotes = tuning.lockNodes === undefined;
    const lockNodes = tuning.lockNodes?.map((node) => openLink(common, 'lock', node)) ?? [
      servers.openLink('lock', lock),
    ];
    this.#lockNodes = lockNodes;
    this.#leadership = new Leadership({
      queue,
      partitions,
      lockNodes,
      oneServer: new OneServer(clock, () => (ownVotes ? [servers.linkFor(lock), ...lockNodes] : [])),
      lockTtlMs: tuning.lockTtlMs,
      identity: { id: newToken(), host: hostname(), pid: process.pid },
      clock,
      random,
      observe,
      onSeat,
      onError,
    });
  }

  get isLeading(): boolean {
    return this.#leadership.isLeading;
  }

  get problems(): string[] {
    return this.#leadership.problems;
  }

  /** What is said on a partition's channel. */
  hear(signal: Signal, partition: Partition): void {
    this.#leadership.hear(signal, partition);
  }

  start(): void {
    this.#leadership.start();
  }

  /** Finishes the running step, tells the others and frees the lock. */
  async stop(): Promise<void> {
    await this.#leadership.stop();
    await Promise.all(this.#lockNodes.map((node) => node.stop()));
  }
}
