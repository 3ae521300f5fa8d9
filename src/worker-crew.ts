import { Consumer } from './consumer/consumer.js';
import type { EmitWorkerEvent } from './consumer/events.js';
import { Slots } from './consumer/slots.js';
import type { ResolvedHandler } from './handler.js';
import { Candidate } from './leader/candidate.js';
import { newToken } from './random.js';
import type { Link } from './redis/link.js';
import { type Listening, listen } from './redis/listen.js';
import type { Partition, Partitions } from './redis/partition.js';
import type { Servers } from './redis/servers.js';
import { releaseWhenDue } from './redis/split.js';
import type { ResolvedWorkerOptions } from './worker-options.js';

export interface CrewParts {
  queue: string;
  options: ResolvedWorkerOptions;
  handlers: ReadonlyMap<string, ResolvedHandler>;
  servers: Servers;
  partitions: Partitions;
  emit: EmitWorkerEvent;
}

interface Station {
  readonly partition: Partition;
  readonly consumer: Consumer;
  readonly reader: Link;
}

/**
 * What a worker runs once it is known how many partitions its queue has: a consumer for each, which share the worker's
 * slots, and, unless `leader: 'never'`, a candidate for the leadership. They meet in Redis, not here.
 */
export class Crew {
  readonly #parts: CrewParts;
  /** For observers, who add up over workers: two in one process have one worker's name. */
  readonly #id: string = newToken();
  readonly #slots: Slots;
  readonly #stations: Station[] = [];
  readonly #candidate: Candidate | undefined;
  #listening: Listening | undefined;
  #isStopped = false;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    const { queue, options, servers, partitions, emit } = parts;
    const { common, leader, concurrency, tuning } = options;
    this.#slots = new Slots(concurrency, common.clock, (busy) => this.#tellLoad(busy, concurrency));
    if (leader !== 'only') this.#addStations();
    const onError = (error: unknown): void => emit('error', error);
    const candidacy = { queue, common, tuning, servers, partitions, onSeat: () => {}, onError };
    this.#candidate = leader === 'never' ? undefined : new Candidate(candidacy);
  }

  /** How many handlers are at work. */
  get inFlight(): number {
    return this.#slots.busy;
  }

  /** What keeps it from its work, in words. */
  get problems(): string[] {
    const { concurrency } = this.#slots;
    const overrun =
      this.#slots.overrun >= concurrency ? ['every slot is held by a handler that goes on after its timeout'] : [];
    const consumers = this.#stations.flatMap(({ consumer }) => consumer.problems);
    return [...new Set([...(this.#candidate?.problems ?? []), ...overrun, ...consumers])];
  }

  start(): void {
    const { options, partitions, servers } = this.#parts;
    this.#listening = listen(options.common, { partitions, servers }, (signal, partition) => {
      this.#candidate?.hear(signal, partition);
      for (const station of this.#stations) if (station.partition === partition) station.consumer.hear(signal);
    });
    this.#candidate?.start();
    if (this.#stations.length > 0) this.#tellLoad(0, this.#slots.concurrency);
    for (const { consumer } of this.#stations) consumer.start();
    if (this.#stations.length > 0) partitions.layout.onGrown(() => this.#grow());
  }

  async stop(forced: AbortSignal): Promise<void> {
    this.#isStopped = true;
    const { drainMs } = this.#parts.options;
    this.#slots.close();
    const consumers = this.#stations.map(({ consumer }) => consumer.stop(drainMs, forced));
    await Promise.all([this.#candidate?.stop(), ...consumers]);
    this.#tellLoad(0, 0);
    const readers = this.#stations.map(({ reader }) => reader.stop());
    await Promise.all([this.#listening?.stop(), ...readers]);
  }

  /** The queue has more partitions than before. */
  #grow(): void {
    if (this.#isStopped) return;
    for (const { consumer } of this.#addStations()) consumer.start();
  }

  /** For the partitions that have none yet. */
  #addStations(): readonly Station[] {
    const { servers, partitions } = this.#parts;
    const added = partitions.all.slice(this.#stations.length).map((partition) => {
      const reader = servers.openLink('reader', partition.keys.stream);
      return { partition, reader, consumer: this.#consumer(partition, reader) };
    });
    this.#stations.push(...added);
    return added;
  }

  #consumer(partition: Partition, reader: Link): Consumer {
    const { options, handlers, servers, partitions, emit } = this.#parts;
    const { common, id: worker, leaseMs, lostMax, tuning } = options;
    const { clock, random, observe } = common;
    const commands = (): Link => servers.linkFor(partition.keys.stream);
    const shared = { slots: this.#slots, share: () => partitions.all.length };
    const release = (): Promise<void> => releaseWhenDue(partition, partitions);
    const limits = { leaseMs, lostMax, lockTtlMs: tuning.lockTtlMs };
    return new Consumer({
      ...shared,
      ...limits,
      release,
      partition,
      commands,
      reader,
      handlers,
      worker,
      clock,
      random,
      observe,
      emit,
    });
  }

  #tellLoad(inFlight: number, concurrency: number): void {
    const { queue, options } = this.#parts;
    options.common.observe({ type: 'in_flight', queue, worker: this.#id, inFlight, concurrency });
  }
}
