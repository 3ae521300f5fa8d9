import { type Duration, durationMs, durationMsMax, formatDuration, shown } from '../duration.js';
import { invalid } from '../errors.js';
import { type Instant, instantMs } from '../instant.js';
import { cronOf, cronText, nextMatch } from './cron.js';
import { excludeOf, nothingExcluded } from './exclude-option.js';
import { nextNominal } from './nominal.js';
import type { CronRule, EveryRule, ScheduleTiming, Timing } from './rule.js';
import { zoneName } from './zone.js';

/** What users hand in is looked at as what it may be: anything. */
type Given = { readonly [name: string]: unknown };

const kinds = ['cron', 'every', 'at'] as const;
const ownNames = { cron: ['tz', 'gap', 'fold'], every: ['anchor'], at: [] } as const;
const gaps = ['shift', 'skip'] as const;
const folds = ['first', 'last', 'both'] as const;
const sharedNames = ['start', 'end', 'exclude', 'jitter'];
const everyMsMin = 100;
const timesMax = 1_000;
/** So many distances between occurrences are looked at for the shortest. */
const distancesMax = 100;
/** Where a rule without a start is tried: a time in which the zones have the rules of today. */
const trialMs: number = Date.UTC(2026, 0);

/** Checked at the door, with every default written out; `ERR_INVALID_ARGUMENT` when it can not be meant. */
export function resolveTiming(input: ScheduleTiming): Timing {
  if (typeof input !== 'object' || input === null) throw invalid(`timing must be an object, got ${shown(input)}`);
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Given;
  const timing = timingOf(given);
  checkFires(timing);
  checkJitter(timing, given['jitter']);
  return timing;
}

/** Only what each part says, not yet what comes of it. */
function timingOf(given: Given): Timing {
  const rule = ruleOf(given);
  const startMs = optional(given['start'], (value) => instantMs(value as Instant, 'start'));
  const endMs = optional(given['end'], (value) => instantMs(value as Instant, 'end'));
  if (startMs !== null && endMs !== null && endMs <= startMs) {
    throw invalid(`end must be after start, got ${iso(endMs)} and a start of ${iso(startMs)}`);
  }
  const exclude = excludeOf(given['exclude']);
  const jitterMs = optional(given['jitter'], (value) => durationMs(value as Duration, 'jitter')) ?? 0;
  return Object.freeze({ rule, startMs, endMs, exclude, jitterMs });
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === undefined ? null : read(value);
}

function ruleOf(given: Given): Timing['rule'] {
  const named = kinds.filter((kind) => given[kind] !== undefined);
  const [kind, second] = named;
  if (kind === undefined) throw invalid('timing must have one of cron, every and at, got none');
  if (second !== undefined) throw invalid(`timing must have one of cron, every and at, got ${named.join(' and ')}`);
  checkNames(given, kind);
  switch (kind) {
    case 'cron':
      return cronRule(given);
    case 'every':
      return everyRule(given);
    case 'at':
      return Object.freeze({ kind, atMs: timesOf(given['at']) });
  }
}

function checkNames(given: Given, kind: (typeof kinds)[number]): void {
  const own: readonly string[] = ownNames[kind];
  const unknown = Object.keys(given).find((name) => ![kind, ...own, ...sharedNames].includes(name));
  if (unknown === undefined) return;
  const owner = kinds.find((each) => (ownNames[each] as readonly string[]).includes(unknown));
  if (owner !== undefined) throw invalid(`${unknown} belongs to ${owner} and means nothing with ${kind}`);
  const expected = [kind, ...own, ...sharedNames].join(', ');
  throw invalid(`unknown option ${shown(unknown)}: expected one of ${expected}`);
}

function cronRule(given: Given): CronRule {
  const cron = cronText(given['cron'], 'cron');
  const { isHourly } = cronOf(cron);
  // Before anything else, for no other search looks through all 400 years of the calendar.
  if (nextMatch(cronOf(cron), trialMs) === null) throw invalid(`cron never fires: no time matches ${shown(cron)}`);
  const tz = optional(given['tz'], zoneName) ?? 'UTC';
  const gap = optional(given['gap'], (value) => oneOf(value, gaps, 'gap')) ?? (isHourly ? 'skip' : 'shift');
  const fold = optional(given['fold'], (value) => oneOf(value, folds, 'fold')) ?? (isHourly ? 'both' : 'first');
  return Object.freeze({ kind: 'cron', cron, tz, gap, fold });
}

function oneOf<T extends string>(value: unknown, words: readonly T[], field: string): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw invalid(`${field} must be one of ${words.join(', ')}, got ${shown(value)}`);
  return found;
}

function everyRule(given: Given): EveryRule {
  const everyMs = durationMs(given['every'] as Duration, 'every', { min: everyMsMin, max: durationMsMax });
  const anchorMs = optional(given['anchor'], (value) => instantMs(value as Instant, 'anchor')) ?? 0;
  return Object.freeze({ kind: 'every', everyMs, anchorMs: anchorMs % everyMs });
}

function timesOf(value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw invalid(`at must be an array of times, got ${shown(value)}`);
  if (value.length === 0 || value.length > timesMax) {
    throw invalid(`at must have from 1 to ${timesMax} times, got ${value.length}`);
  }
  const times = Array.from(value, (each: unknown) => instantMs(each as Instant, 'at'));
  return Object.freeze([...new Set(times)].toSorted((a, b) => a - b));
}

function checkFires(timing: Timing): void {
  if (firstOf(timing) !== null) return;
  const { rule, startMs, endMs } = timing;
  const withoutExclusions = { ...timing, exclude: nothingExcluded };
  if (firstOf(withoutExclusions) !== null) throw invalid('exclude leaves no occurrence');
  if (firstOf({ ...withoutExclusions, startMs: null, endMs: null }) === null) throw neverFires(timing);
  const since = startMs === null ? '' : ` from ${iso(startMs)}`;
  throw invalid(`${rule.kind} has no occurrence${since}${endMs === null ? '' : ` before ${iso(endMs)}`}`);
}

/** A pattern that has times has them all in gaps, for the others were refused before. */
function neverFires({ rule }: Timing): Error {
  if (rule.kind !== 'cron') return invalid(`${rule.kind} never fires`);
  return invalid(`cron never fires: the clocks leap over all times of ${shown(rule.cron)}`);
}

/** Where it is tried: from its start; else where zones have the rules of today, or where its end leaves room. */
function trialFrom({ rule, startMs, endMs }: Timing): number {
  if (startMs !== null) return startMs;
  return endMs === null && rule.kind !== 'at' ? trialMs : 1;
}

function firstOf(timing: Timing): number | null {
  return nextNominal(timing, trialFrom(timing) - 1);
}

function checkJitter(timing: Timing, given: unknown): void {
  if (timing.jitterMs === 0) return;
  const shortestMs = shortestDistance(timing);
  if (timing.jitterMs <= shortestMs) return;
  const most = `the shortest time from one occurrence to the next`;
  throw invalid(`jitter must be at most ${formatDuration(shortestMs)}, ${most}, got ${shown(given)}`);
}

/** Of the first that come; one that is shorter than the jitter is enough. */
function shortestDistance(timing: Timing): number {
  if (timing.rule.kind === 'every') return timing.rule.everyMs;
  let shortestMs = Infinity;
  let atMs = firstOf(timing);
  for (let count = 0; atMs !== null && count < distancesMax && shortestMs >= timing.jitterMs; count += 1) {
    const nextMs: number | null = nextNominal(timing, atMs);
    if (nextMs !== null) shortestMs = Math.min(shortestMs, nextMs - atMs);
    atMs = nextMs;
  }
  return shortestMs;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
