/**
 * When a pattern runs around a change of the clocks, found out the slow way: each minute (or second) of the time is shown on
 * a clock of the zone, as Intl shows it, and the policy is applied to what that clock showed.
 */
import { type Fields, matcherOf } from './cron-matcher.js';

export interface Change {
  readonly zone: string;
  readonly atMs: number;
  readonly byMs: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

type Wall = (atMs: number) => number;

/** What a clock of the zone shows, written as if it were UTC. */
export function wallOf(zone: string): Wall {
  const numeric = 'numeric';
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  });
  return (atMs) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = format
      .format(atMs)
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

/** Every change of a zone's clocks in that time; `stepMs`: as far apart as two of them are at the least. */
export function changesOf(zone: string, range: { fromMs: number; toMs: number; stepMs: number }): Change[] {
  const wall = wallOf(zone);
  const offsetAt = (atMs: number): number => wall(atMs) - atMs;
  const changes: Change[] = [];
  for (let fromMs = range.fromMs; fromMs < range.toMs; fromMs += range.stepMs) {
    let [low, high] = [fromMs, fromMs + range.stepMs];
    const offsetMs = offsetAt(low);
    if (offsetMs === offsetAt(high)) continue;
    while (high - low > 60_000) {
      const middle = Math.floor((low + high) / 120_000) * 60_000;
      if (offsetAt(middle) === offsetMs) low = middle;
      else high = middle;
    }
    changes.push({ zone, atMs: high, byMs: offsetAt(high) - offsetMs });
  }
  return changes;
}

/** What the clock showed at each step of a time around a change; the margin is there for what a gap shifts into it. */
export class Walk {
  readonly fromMs: number;
  readonly toMs: number;
  readonly #steps: { atMs: number; wallMs: number }[] = [];
  readonly #shown = new Map<number, number[]>();
  /** Every local time of that time, also those that no clock showed. */
  readonly #wallTimes: { wallMs: number; fields: Fields }[] = [];

  constructor({ zone, atMs }: Change, { aroundMs, stepMs }: { aroundMs: number; stepMs: number }) {
    const wall = wallOf(zone);
    const marginMs = 3 * hourMs;
    this.fromMs = atMs - aroundMs;
    this.toMs = atMs + aroundMs;
    for (let stepAtMs = this.fromMs - marginMs; stepAtMs < this.toMs + marginMs; stepAtMs += stepMs) {
      const wallMs = wall(stepAtMs);
      this.#steps.push({ atMs: stepAtMs, wallMs });
      const shown = this.#shown.get(wallMs);
      if (shown === undefined) this.#shown.set(wallMs, [stepAtMs]);
      else shown.push(stepAtMs);
    }
    const walls = this.#steps.map(({ wallMs }) => wallMs);
    const [first, last] = [walls.reduce((a, b) => Math.min(a, b)), walls.reduce((a, b) => Math.max(a, b))];
    for (let wallMs = first; wallMs <= last; wallMs += stepMs)
      this.#wallTimes.push({ wallMs, fields: fieldsOf(wallMs) });
  }

  matches(pattern: string): number[] {
    const matches = matcherOf(pattern);
    return this.#wallTimes.filter(({ fields }) => matches(fields)).map(({ wallMs }) => wallMs);
  }

  /** The instants in the time around the change at which those local times run. */
  instants(wallTimes: readonly number[], policy: { gap: string; fold: string }): number[] {
    const found = new Set(wallTimes.flatMap((wallMs) => this.#instantsOf(wallMs, policy)));
    return [...found].filter((atMs) => atMs >= this.fromMs && atMs < this.toMs).toSorted((a, b) => a - b);
  }

  #instantsOf(wallMs: number, { gap, fold }: { gap: string; fold: string }): number[] {
    const shown = this.#shown.get(wallMs);
    if (shown === undefined) return gap === 'shift' ? [this.#endOfGap(wallMs)] : [];
    if (fold === 'both') return shown;
    return [(fold === 'first' ? shown[0] : shown.at(-1)) as number];
  }

  #endOfGap(wallMs: number): number {
    const end = this.#steps.find(
      (step, at) => step.wallMs > wallMs && (this.#steps[at - 1]?.wallMs ?? Infinity) < wallMs,
    );
    return end?.atMs ?? NaN;
  }
}

function fieldsOf(wallMs: number): Fields {
  const at = new Date(wallMs);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
  return { year, month, day, hour: at.getUTCHours(), minute: at.getUTCMinutes(), second: at.getUTCSeconds() };
}

/** Zones that keep the same changes are one class; its first zone stands for it. */
export function classesOf(zones: readonly string[], range: { fromMs: number; toMs: number }): Change[][] {
  const classes = new Map<string, Change[]>();
  for (const zone of zones) {
    const changes = changesOf(zone, { ...range, stepMs: 5 * dayMs });
    const name = JSON.stringify(changes.map(({ atMs, byMs }) => [atMs, byMs, wallOf(zone)(atMs) - atMs]));
    if (changes.length > 0 && !classes.has(name)) classes.set(name, changes);
  }
  return [...classes.values()];
}
