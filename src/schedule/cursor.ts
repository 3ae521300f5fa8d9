/** Why a nominal time was not fired. `coalesced`: a later one was, for all of them. */
export type PassedWhy = 'missed' | 'coalesced' | 'overlap' | 'paused';

/** Nominal times that were not fired: so many from the first to the last, both included. */
export interface Passed {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  readonly why: PassedWhy;
}

/** Nominal times from one up to but not at another. */
export type Range = readonly [fromMs: number, toMs: number];

/** Nominal times that are fired later than they were, or were not there to be. */
export interface Backfill {
  readonly fromMs: number;
  /** The first that is not looked at yet. */
  readonly nextMs: number;
  readonly toMs: number;
  readonly perSecond: number;
  /** Also those that are taken for fired. */
  readonly again: boolean;
  /** When the next handful is due. */
  readonly lookMs: number;
  /** How many it has fired. */
  readonly count: number;
}

/** A backfill that is over. It did all of its range, unless `nextMs` is before `toMs`: then it was stopped there. */
export type EndedBackfill = Pick<Backfill, 'fromMs' | 'nextMs' | 'toMs' | 'count'>;

/** A move: where to, and its own name, by which it is made there once. */
export interface Moving {
  readonly to: number;
  readonly id: string;
}

export interface Pause {
  readonly sinceMs: number;
  readonly note: string;
}

/**
 * How far a schedule has come. Written by whoever moves it, as one text that is compared and set: so two who move it at once
 * move it once.
 */
export interface Cursor {
  /** Of the definition it goes with. */
  readonly version: number;
  readonly createdMs: number;
  /** The first nominal time that is not decided yet; null: there is none any more. */
  readonly nextMs: number | null;
  /** How many were fired. */
  readonly count: number;
  /** The last ones that were fired, the newest last. */
  readonly fired: readonly number[];
  /** The last ones that were not, the newest last. */
  readonly passed: readonly Passed[];
  /** Wait until the former one is settled, the earliest first. */
  readonly waiting: readonly number[];
  /** Since when the first of them does, by the server's clock. */
  readonly waitingSinceMs: number | null;
  /** How many were caught up with since it was on time. */
  readonly caughtUp: number;
  readonly pause: Pause | null;
  /** Nominal times before it were in a pause. */
  readonly resumedMs: number | null;
  /** How many have died in a row. */
  readonly failures: number;
  /** The last occurrence whose end was looked at. */
  readonly judgedMs: number | null;
  readonly backfill: Backfill | null;
  /** The last one that is over; null: there was none. */
  readonly lastBackfill: EndedBackfill | null;
  /** It is on its way to another partition: nobody but who moves it may touch it. */
  readonly moving: Moving | null;
  /** Where backfills have been, in order. */
  readonly filled: readonly Range[];
}

const keptMax = 10;

export function newCursor(version: number, createdMs: number, nextMs: number | null): Cursor {
  return {
    version,
    createdMs,
    nextMs,
    count: 0,
    fired: [],
    passed: [],
    waiting: [],
    waitingSinceMs: null,
    caughtUp: 0,
    pause: null,
    resumedMs: null,
    failures: 0,
    judgedMs: null,
    backfill: null,
    lastBackfill: null,
    moving: null,
    filled: [],
  };
}

/** After one was fired. */
export function withFired(cursor: Cursor, nominalMs: number): Cursor {
  return { ...cursor, count: cursor.count + 1, fired: [...cursor.fired, nominalMs].slice(-keptMax) };
}

/** After some were not; what goes on for long is one line. In a line there is none that was fired or waits to be. */
export function withPassed(cursor: Cursor, passed: Passed): Cursor {
  const last = cursor.passed.at(-1);
  const others = [...cursor.fired, ...cursor.waiting];
  const isNext = last?.why === passed.why && passed.fromMs > last.toMs;
  const goesOn = isNext && !others.some((ms) => ms > last.toMs && ms < passed.fromMs);
  const { fromMs, count } = last ?? passed;
  const lines = goesOn
    ? [...cursor.passed.slice(0, -1), { ...passed, fromMs, count: count + passed.count }]
    : [...cursor.passed, passed];
  return { ...cursor, passed: lines.slice(-keptMax) };
}
