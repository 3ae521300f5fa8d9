import { formatDuration } from '../duration.js';
import type { EndedBackfill, Passed, Range } from '../schedule/cursor.js';
import { occurrences } from '../schedule/nominal.js';
import type { Policy } from '../schedule/policy.js';
import type { Timing } from '../schedule/rule.js';
import type { Standing } from '../schedule/step.js';
import { decodeRecord } from '../task.js';
import type { Stored } from './schedule-store.js';

/** A schedule as `list` shows it. All times are epoch ms, nominal: without jitter. */
export interface ScheduleSummary {
  readonly name: string;
  readonly version: number;
  /** `finished`: no time is left, or its limit is reached. `unreadable`: a newer version wrote it; only its name is known. */
  readonly state: 'active' | 'paused' | 'finished' | 'unreadable';
  /** The rule in words of its own: a pattern and its zone, or a distance. */
  readonly rule: string;
  readonly task: string;
  readonly next: number | null;
  readonly last: number | null;
  /** How many were fired. */
  readonly count: number;
}

/** The task that is added at each time; the options that it was given. */
export interface ScheduleTaskInfo {
  readonly name: string;
  readonly payload: unknown;
  readonly key: string;
  readonly maxAttempts?: number;
  readonly backoff?: { readonly type: 'fixed' | 'exponential'; readonly delayMs: number; readonly maxMs: number };
  readonly timeoutMs?: number;
  readonly expiresInMs?: number;
}

/** All there is to know of a schedule. */
export interface ScheduleInfo extends Omit<ScheduleSummary, 'task'> {
  readonly timing: Timing;
  readonly policy: Policy;
  readonly task: ScheduleTaskInfo;
  readonly createdAt: number;
  /** Its next ten times; of a paused one, those that are still to come. */
  readonly upcoming: readonly number[];
  /** The last ten that were fired, the newest first. */
  readonly fired: readonly number[];
  /** The last ten runs of times that were not fired, and why, the newest first. */
  readonly passed: readonly PassedInfo[];
  /** Times that wait until the occurrence before them is settled. */
  readonly waiting: readonly number[];
  readonly paused: { readonly since: number; readonly note: string } | null;
  /** The one that is under way. */
  readonly backfill: BackfillInfo | null;
  /** The last one that is over: it did all of its range, unless its `next` is before its `to`. */
  readonly lastBackfill: BackfillInfo | null;
}

/** Times that were not fired, and why. */
export interface PassedInfo extends Passed {
  /** A backfill has been there since. */
  readonly backfilled: boolean;
}

/** A backfill, and how far it has come. */
export interface BackfillInfo {
  readonly from: number;
  /** Up to but not at it. */
  readonly to: number;
  /** The first instant of the range that it has not come to. */
  readonly next: number;
  /** How many occurrences it has added. */
  readonly added: number;
}

const shownMax = 10;

/** Of one that a newer version has written. */
export function unreadable(name: string): ScheduleSummary {
  return { name, version: 0, state: 'unreadable', rule: '', task: '', next: null, last: null, count: 0 };
}

export function toScheduleSummary(stored: Standing & { readonly name: string }): ScheduleSummary {
  const { name, definition, cursor } = stored;
  const isFinished = cursor.nextMs === null && cursor.waiting.length === 0;
  const stateWithoutPause = isFinished ? 'finished' : 'active';
  return {
    name,
    version: definition.version,
    state: cursor.pause === null ? stateWithoutPause : 'paused',
    rule: ruleText(definition.timing),
    task: taskOf(stored).name,
    next: cursor.pause === null ? cursor.nextMs : null,
    last: cursor.fired.at(-1) ?? null,
    count: cursor.count,
  };
}

export function toScheduleInfo(stored: Stored): ScheduleInfo {
  const { definition, cursor, nowMs } = stored;
  const { timing, policy } = definition;
  const { nextMs, pause, backfill, lastBackfill } = cursor;
  const fromMs = pause === null ? nextMs : Math.max(nextMs ?? 0, nowMs); // what came in the pause is none of the next
  const left = policy.limit === null ? shownMax : Math.min(shownMax, policy.limit - cursor.count);
  return {
    ...toScheduleSummary(stored),
    timing,
    policy,
    task: taskOf(stored),
    createdAt: cursor.createdMs,
    upcoming: nextMs === null || fromMs === null ? [] : upcomingOf(timing, { fromMs, max: left }),
    fired: cursor.fired.toReversed(),
    passed: cursor.passed.map((one) => ({ ...one, backfilled: isFilled(one, cursor.filled) })).toReversed(),
    waiting: cursor.waiting,
    paused: pause && { since: pause.sinceMs, note: pause.note },
    backfill: backfill && toBackfillInfo(backfill),
    lastBackfill: lastBackfill && toBackfillInfo(lastBackfill),
  };
}

/** None where they can't be worked out here, as in a zone that this process does not know: the rest is told all the same. */
function upcomingOf(timing: Timing, range: { fromMs: number; max: number }): number[] {
  try {
    return occurrences(timing, range);
  } catch {
    return [];
  }
}

function isFilled({ fromMs, toMs }: Passed, filled: readonly Range[]): boolean {
  return filled.some(([startMs, endMs]) => startMs <= fromMs && toMs < endMs);
}

function toBackfillInfo({ fromMs: from, toMs: to, nextMs: next, count: added }: EndedBackfill): BackfillInfo {
  return { from, to, next, added };
}

function taskOf({ definition, name }: Standing & { readonly name: string }): ScheduleTaskInfo {
  const { record: text, expiresInMs } = definition;
  const expires = expiresInMs === null ? {} : { expiresInMs };
  const decoded = decodeRecord(text);
  if (decoded.kind !== 'record') return { name: '', payload: null, key: name, ...expires };
  const { createdAtMs: _none, ...task } = decoded.record;
  return { ...task, key: task.key ?? name, ...expires };
}

function ruleText({ rule }: Timing): string {
  switch (rule.kind) {
    case 'cron':
      return `${rule.cron} ${rule.tz}`;
    case 'every':
      return `every ${formatDuration(rule.everyMs)}`;
    case 'at':
      return `at ${rule.atMs.length} ${rule.atMs.length === 1 ? 'time' : 'times'}`;
  }
}
