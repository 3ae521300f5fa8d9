import type { Cost, RecordOf } from '../history/records.js';
import { meet, type Places } from './places.js';
import { firstFrom, type Span } from './redis-clock.js';

/** A fault, from its first moment to when all was mended. */
export interface FaultWindow extends Span {
  readonly fault: string;
  readonly target: string;
  readonly costs: readonly Cost[];
  /** The only ones that pay. */
  readonly partitions: Places;
}

/** Redis syncs its file once a second at best, and a lagging sync may be one more behind: what is older is kept. */
const unsyncedMs = 2_000;

/** `worker-2` for `worker-2.3`: a fault is told of the actor, and hits whatever life it has. */
export function actorOf(process: string): string {
  return process.replace(/\.\d+$/, '');
}

/** When what was broken, and what that may have cost. */
export class Faults {
  readonly windows: readonly FaultWindow[];
  /** The times in which anything was broken: apart, and in order. */
  readonly troubled: readonly Span[];
  readonly #actors: ReadonlySet<string>;
  readonly #byCost: ReadonlyMap<Cost, readonly FaultWindow[]>;

  constructor(records: readonly RecordOf<'fault'>[], actors: ReadonlySet<string>) {
    this.windows = windowsOf(records);
    this.troubled = unionOf(this.windows);
    this.#actors = actors;
    const costs = new Set(this.windows.flatMap((window) => window.costs));
    this.#byCost = new Map(
      [...costs].map((cost) => [cost, this.windows.filter((window) => window.costs.includes(cost))]),
    );
  }

  /** Whether a fault with one of these costs fell into that time, and on one of these partitions. */
  cost(costs: readonly Cost[], span: Span, places?: Places): boolean {
    const isHit = (window: FaultWindow): boolean => touch(window, span) && meet(window.partitions, places);
    return costs.some((cost) => this.#byCost.get(cost)?.some(isHit) ?? false);
  }

  /** Whether this worker's leases may have been lost in that time. A target that is no process hits them all. */
  costLeases(worker: string, span: Span): boolean {
    const actor = actorOf(worker);
    const hits = ({ target }: FaultWindow): boolean => target === actor || !this.#actors.has(target);
    return this.#byCost.get('leases')?.some((window) => hits(window) && touch(window, span)) ?? false;
  }

  /** Whether Redis may have lost there what it acknowledged at that instant; or since another, as far as one knows. */
  mayHaveLost(at: number, places: Places, sinceMs: number = at): boolean {
    return this.cost(['writes'], { fromMs: sinceMs, toMs: at + unsyncedMs }, places);
  }

  /** Whether anything was broken in that time. */
  isTroubled({ fromMs, toMs }: Span): boolean {
    const next = this.troubled[firstFrom(this.troubled.length, (at) => (this.troubled[at] as Span).toMs >= fromMs)];
    return next !== undefined && next.fromMs <= toMs;
  }

  /** How many faults had a name like that. */
  count(name: RegExp): number {
    return this.windows.filter(({ fault }) => name.test(fault)).length;
  }
}

function touch(one: Span, other: Span): boolean {
  return one.fromMs <= other.toMs && one.toMs >= other.fromMs;
}

/** A fault without an end lasted to the end. */
function windowsOf(records: readonly RecordOf<'fault'>[]): FaultWindow[] {
  const ends = new Map(records.filter(({ phase }) => phase === 'end').map(({ n, at }) => [n, at]));
  return records
    .filter(({ phase }) => phase === 'begin')
    .map(({ n, at, fault, target, costs, partitions }) => {
      const span = { fromMs: at, toMs: ends.get(n) ?? Number.POSITIVE_INFINITY };
      return { fault, target, costs, partitions: partitions && new Set(partitions), ...span };
    });
}

function unionOf(windows: readonly Span[]): Span[] {
  const union: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of windows.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = union.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else union.push({ fromMs, toMs });
  }
  return union;
}
