/** Schedules with a place in their course, for what is planned from there. */
import { type Cursor, newCursor } from '../../src/schedule/cursor.js';
import type { Definition } from '../../src/schedule/definition.js';
import { graceMsMin } from '../../src/schedule/fate.js';
import { plan } from '../../src/schedule/plan.js';
import { resolvePolicy, type SchedulePolicy } from '../../src/schedule/policy.js';
import type { Step } from '../../src/schedule/step.js';
import { resolveTiming } from '../../src/schedule/timing.js';

/** A day's start, in ms: all times below are counted from it. */
export const dayMs: number = 1_800_000_000_000 - (1_800_000_000_000 % 86_400_000);
export const minuteMs = 60_000;

export const every = (length: string, policy: SchedulePolicy = {}, timing: object = {}): Definition => ({
  version: 1,
  timing: resolveTiming({ every: length, ...timing }),
  policy: resolvePolicy(policy),
  record: '["job"]',
  expiresInMs: null,
});

/** One that has come so far, with the next time so many ms from the day's start. */
export const cursorAt = (nextMs: number | null, more: Partial<Cursor> = {}): Cursor => ({
  ...newCursor(1, dayMs - 86_400_000, nextMs === null ? null : dayMs + nextMs),
  ...more,
});

export const planAt = (definition: Definition, cursor: Cursor, nowMs: number): Step[] =>
  plan({ definition, cursor }, { nowMs: dayMs + nowMs, graceMs: graceMsMin });

export const since = (ms: number | null): number | null => (ms === null ? null : ms - dayMs);
export const fired = (steps: readonly Step[]): (number | null)[] =>
  steps.filter(({ fireMs }) => fireMs !== null).map(({ fireMs }) => since(fireMs));
export const passed = (steps: readonly Step[]): [number, number, number, string][] =>
  steps
    .flatMap((step) => (step.passed === null ? [] : [step.passed]))
    .map(({ fromMs, toMs, count, why }) => [fromMs - dayMs, toMs - dayMs, count, why]);
