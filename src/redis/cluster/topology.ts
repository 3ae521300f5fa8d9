import type { Clock } from '../../clock.js';
import type { Random } from '../../random.js';
import type { ClusterAddress } from './cluster-options.js';
import { Inquiry } from './inquiry.js';
import type { SlotMap } from './slot-map.js';

export interface TopologyParts {
  cluster: ClusterAddress;
  clock: Clock;
  random: Random;
  /** A node that is in touch with the others has told how things stand. */
  onMap: (map: SlotMap) => void;
}

/** Between the starts of two looks. */
const spaceMs = 100;
/** The same after looks that failed, doubling up to this: nobody helps a cluster that is down by asking. */
const spaceMsMax = 1_000;
/** A look without any doubt: 5 to 10 s after the last, when somebody wants to know. */
const agedMs = 5_000;

/**
 * Which node is the master of which slot, as far as is known. One that fails, or sends us elsewhere, puts the map in
 * doubt, and the next who wants to know has it looked at again. Without a doubt it is looked at now and then, as long as
 * somebody asks. There is one look at a time, and no timer.
 */
export class Topology {
  readonly #parts: TopologyParts;
  #map: SlotMap | undefined;
  #inquiry: Inquiry | undefined;
  #look: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #staleAtMs = Number.NEGATIVE_INFINITY;
  #epoch = 0;
  #failures = 0;
  #isStopped = false;

  constructor(parts: TopologyParts) {
    this.#parts = parts;
  }

  get isKnown(): boolean {
    return this.#map !== undefined;
  }

  /** None before the first look. */
  get masters(): readonly string[] {
    return [...(this.#map?.masters ?? [])];
  }

  /** The slots that no master serves, as [first, last]. */
  get uncovered(): readonly (readonly [first: number, last: number])[] {
    return this.#map?.uncovered ?? [];
  }

  /** Undefined when nothing is known, or no master serves it. A map in doubt is looked at meanwhile. */
  masterOf(slot: number): string | undefined {
    if (this.#parts.clock.monotonicMs() >= this.#staleAtMs) this.look().catch(() => {}); // who has to wait for it is told
    return this.#map?.masterOf(slot);
  }

  /** A node said so, of its own slot: that is newer than the map. */
  move(slot: number, node: string): void {
    this.#map?.move(slot, node);
    this.doubt();
  }

  doubt(): void {
    this.#staleAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Resolves when somebody has answered anew; rejects when nobody did, with why. */
  look(): Promise<void> {
    this.#look ??= this.#ask().finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  stop(): void {
    this.#isStopped = true;
    this.#inquiry?.end('stopped');
  }

  async #ask(): Promise<void> {
    const { cluster, clock, random, onMap } = this.#parts;
    const waitMs = this.#lookedAtMs + this.#spaceMs() - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs);
    if (this.#isStopped) throw new Error('stopped');
    this.#lookedAtMs = clock.monotonicMs();
    this.#failures += 1;
    this.#inquiry = new Inquiry({ nodes: this.#candidates(), epochMin: this.#epoch, cluster, clock });
    const { map, isWell, epoch } = await this.#inquiry.run();
    this.#map = map;
    if (!isWell) return;
    this.#epoch = epoch; // lower than before where the cluster was made anew: then all of them say so
    this.#failures = 0;
    this.#staleAtMs = clock.monotonicMs() + agedMs * (1 + random());
    onMap(map);
  }

  #spaceMs(): number {
    if (this.#failures === 0) return spaceMs;
    return Math.min(spaceMsMax, spaceMs * 2 ** (this.#failures - 1)) * (0.75 + this.#parts.random() / 2);
  }

  /** In any order, so that no node is asked by all; those of the address last, for they may be long gone. */
  #candidates(): string[] {
    const nodes = [...(this.#map?.nodes ?? [])];
    const from = Math.floor(this.#parts.random() * nodes.length);
    return [...new Set([...nodes.slice(from), ...nodes.slice(0, from), ...this.#parts.cluster.seeds])];
  }
}
