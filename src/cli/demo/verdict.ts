import type { History, Start } from './history.js';
import { type Lateness, latenessOf, msText } from './lateness.js';
import type { ServerInstant } from '../../testing.js';

/** When the leading process was killed, and when another took over. */
export interface TakeOver {
  readonly killedAt?: ServerInstant;
  readonly electedAt?: ServerInstant;
  /** The new leader moved its first tasks. */
  readonly promotedAt?: ServerInstant;
}

export interface Report {
  /** Whether every promise held; `broken` says which did not. */
  readonly held: boolean;
  readonly broken: readonly string[];
  readonly tasks: { readonly added: number; readonly delayed: number; readonly completed: number };
  readonly lost: { readonly count: number; readonly started: number; readonly ids: readonly string[] };
  readonly early: {
    readonly count: number;
    readonly ids: readonly string[];
    /** The least that a start was behind its due time. */
    readonly leastMs: number | null;
    /** How far off, at worst, our reading of the Redis server's clock was. */
    readonly withinMs: number;
  };
  readonly duplicates: { readonly recovered: number; readonly unexplained: number; readonly ids: readonly string[] };
  readonly retried: number;
  readonly completedTwice: number;
  readonly lateness: { readonly outsideTakeOver: Lateness; readonly all: Lateness };
  readonly takeOver: {
    readonly electedMs: number | null;
    readonly promotedMs: number | null;
    /** What was allowed: the lock's TTL, a second, and what the machine stood still meanwhile. */
    readonly withinMs: number;
    readonly lockTtlMs: number;
    readonly stalledMs: number;
  };
}

/** What waited for the new leader is worked off in this time, and so long belongs to the take-over. */
const catchUpMs = 250;
const idsShownMax = 5;
/** A crash adds at most the lock's TTL and this, on a machine that lets its processes run. */
const graceMs = 1_000;

/** What became of the promises, by what the processes noted. Lateness is shown and not judged: it is the machine's too. */
export function verdict(
  history: History,
  takeOver: TakeOver,
  { lockTtlMs, stalledMs }: { lockTtlMs: number; stalledMs: number },
): Report {
  const starts = history.starts();
  const facts = {
    tasks: { added: history.added, delayed: history.delayed, completed: history.completed },
    lost: lostOf(history),
    early: earlyOf(starts),
    duplicates: duplicatesOf(starts),
    retried: starts.filter(({ cause }) => cause === 'retried').length,
    completedTwice: history.completedTwice().length,
    lateness: latenessesOf(starts, takeOver),
    takeOver: { ...takenOver(takeOver), withinMs: lockTtlMs + graceMs + stalledMs, lockTtlMs, stalledMs },
  };
  const broken = brokenPromises(facts);
  return { held: broken.length === 0, broken, ...facts };
}

function lostOf(history: History): Report['lost'] {
  const lost = history.lost();
  const started = lost.filter(({ wasStarted }) => wasStarted).length;
  return { count: lost.length, started, ids: lost.slice(0, idsShownMax).map(({ id }) => id) };
}

/** Early is what started before its time even when our reading of the server's clock was as slow as it may have been. */
function earlyOf(starts: readonly Start[]): Report['early'] {
  const early = starts.filter(({ at, owedMs }) => at.ms + at.withinMs < owedMs);
  return {
    count: early.length,
    ids: idsOf(early),
    leastMs: starts.reduce<number | null>((least, { at, owedMs }) => Math.min(least ?? Infinity, at.ms - owedMs), null),
    withinMs: starts.reduce((most, { at }) => Math.max(most, at.withinMs), 0),
  };
}

function duplicatesOf(starts: readonly Start[]): Report['duplicates'] {
  const unexplained = starts.filter(({ cause }) => cause === 'unexplained');
  const recovered = starts.filter(({ cause }) => cause === 'recovered').length;
  return { recovered, unexplained: unexplained.length, ids: idsOf(unexplained) };
}

function idsOf(starts: readonly Start[]): string[] {
  return [...new Set(starts.map(({ id }) => id))].slice(0, idsShownMax);
}

/** Of first starts and retries: a recovered task had its start. */
export function latenessesOf(starts: readonly Start[], takeOver: TakeOver): Report['lateness'] {
  const onTime = starts.filter(({ cause }) => cause === 'first' || cause === 'retried');
  const lateMs = ({ at, owedMs }: Start): number => Math.max(0, at.ms - owedMs);
  return {
    outsideTakeOver: latenessOf(onTime.filter((start) => !isDuring(start, takeOver)).map(lateMs)),
    all: latenessOf(onTime.map(lateMs)),
  };
}

function isDuring({ owedMs }: Start, { killedAt, electedAt, promotedAt = electedAt }: TakeOver): boolean {
  if (killedAt === undefined || owedMs < killedAt.ms) return false;
  return promotedAt === undefined || owedMs < promotedAt.ms + catchUpMs;
}

function takenOver({ killedAt, electedAt, promotedAt }: TakeOver): {
  electedMs: number | null;
  promotedMs: number | null;
} {
  const since = (instant: ServerInstant | undefined): number | null =>
    killedAt === undefined || instant === undefined ? null : instant.ms - killedAt.ms;
  return { electedMs: since(electedAt), promotedMs: since(promotedAt) };
}

function brokenPromises(facts: Omit<Report, 'held' | 'broken'>): string[] {
  const { tasks, lost, early, duplicates, completedTwice, takeOver } = facts;
  const { electedMs, withinMs } = takeOver;
  return [
    tasks.added === 0 && 'no task was added',
    lost.count > 0 && `${lost.count} lost: ${lost.ids.join(', ')}`,
    early.count > 0 && `${early.count} started before they were due: ${early.ids.join(', ')}`,
    duplicates.unexplained > 0 &&
      `${duplicates.unexplained} started again without a cause: ${duplicates.ids.join(', ')}`,
    completedTwice > 0 && `${completedTwice} completed twice`,
    electedMs === null && 'nobody took over from the leader that was killed',
    electedMs !== null &&
      electedMs > withinMs &&
      `the take-over took ${msText(electedMs)}, where ${msText(withinMs)} is promised`,
  ].filter((line) => line !== false);
}
