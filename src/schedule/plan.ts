import { type Cursor, type Passed, withFired, withPassed } from './cursor.js';
import { planBackfill } from './backfill.js';
import type { Definition } from './definition.js';
import { nextNominal } from './nominal.js';
import { aheadMs, type Standing, type Step, stay } from './step.js';

/**
 * A time that is late by less is on time, whatever the policy: it takes as long to find another leader, and more. Of a longer
 * lock TTL it is twice that.
 */
export const graceMsMin = 10_000;
/** Nominal times looked at in one plan: 10 ms of work at most. What is left comes with the next. */
const timesMax = 200;

export interface Instants {
  readonly nowMs: number;
  /** How late a time may be and be on time. */
  readonly graceMs: number;
}

/** What to do with a schedule now, in order. The steps after one that is refused or blocked are void. */
export function plan(standing: Standing, at: Instants): Step[] {
  const { definition, cursor } = standing;
  if (cursor.pause !== null) return [stay(cursor)];
  const filling = planBackfill(standing, at.nowMs); // first: what comes after may be blocked
  return [...filling, ...planDue({ definition, cursor: filling.at(-1)?.cursor ?? cursor }, at)];
}

function planDue({ definition, cursor }: Standing, at: Instants): Step[] {
  if (cursor.waiting.length > 0) return [fireWaiting(definition, cursor)];
  const course = new Course(definition, cursor, at);
  let nominalMs = cursor.nextMs;
  for (let looked = 0; looked < timesMax && isUp(nominalMs, definition, at) && !course.isOver; looked += 1) {
    const nextMs = nextNominal(definition.timing, nominalMs);
    course.take(nominalMs, nextMs);
    nominalMs = nextMs;
  }
  return course.steps();
}

/** What to do when a step is blocked by the former occurrence. `cancel`: end that one, then take the step. */
export function planBlocked({ definition, cursor }: Standing, nowMs: number): Step | 'cancel' {
  const { overlap } = definition.policy;
  if (overlap === 'cancelOther') return 'cancel';
  const nominalMs = cursor.nextMs;
  if (nominalMs === null || nominalMs > nowMs) return stay(cursor);
  const moved = { ...cursor, nextMs: nextNominal(definition.timing, nominalMs) };
  if (cursor.waiting.length < roomOf(overlap)) return stay({ ...moved, waiting: [...cursor.waiting, nominalMs] });
  const passed: Passed = { fromMs: nominalMs, toMs: nominalMs, count: 1, why: 'overlap' };
  return { ...stay(withPassed(moved, passed)), passed };
}

/** The occurrences, of the last ones, whose ends were not looked at yet, in their order. */
export function unjudged({ fired, judgedMs }: Cursor): readonly number[] {
  return fired.filter((ms) => judgedMs === null || ms > judgedMs);
}

/** The cursor with the end of the first of these counted; so many that died in a row pause the schedule. */
export function judge({ definition, cursor }: Standing, ended: 'dead' | 'settled', nowMs: number): Cursor {
  const judgedMs = unjudged(cursor)[0] ?? cursor.judgedMs;
  const failures = ended === 'dead' ? cursor.failures + 1 : 0;
  const { pauseAfter } = definition.policy;
  const judged = { ...cursor, judgedMs, failures };
  if (pauseAfter === null || failures < pauseAfter) return judged;
  return { ...judged, pause: { sinceMs: nowMs, note: `${failures} in a row became dead letters` } };
}

/** When the schedule is to be looked at again; null: never, unless somebody changes it. */
export function lookMs(cursor: Cursor, nowMs: number): number | null {
  if (cursor.isMoving) return nowMs + movingLookMs;
  if (cursor.pause !== null) return null;
  const { waiting, nextMs, backfill } = cursor;
  const looks = [waiting.length > 0 ? nowMs + aheadMs + waitingLookMs : nextMs, backfill?.lookMs ?? null];
  const set = looks.filter((ms) => ms !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** How soon somebody else sees a move through that was cut short. */
const movingLookMs = 1_000;
/** How often it is looked whether the one that others wait for is settled. */
const waitingLookMs = 100;

function roomOf(overlap: Definition['policy']['overlap']): number {
  if (overlap === 'bufferOne') return 1;
  return typeof overlap === 'object' ? overlap.bufferAll : 0;
}

function fireWaiting(definition: Definition, cursor: Cursor): Step {
  const [nominalMs = 0, ...waiting] = cursor.waiting;
  const fired = withFired({ ...cursor, waiting }, nominalMs);
  return { ...stay(fired), fireMs: nominalMs, unlessMs: formerOf(definition, cursor) };
}

function formerOf({ policy }: Definition, { fired }: Cursor): number | null {
  return policy.overlap === 'allow' ? null : (fired.at(-1) ?? null);
}

/** Whether its time has come. Who has to look at the former occurrence first does so then, and not before. */
function isUp(nominalMs: number | null, { policy }: Definition, { nowMs }: Instants): nominalMs is number {
  return nominalMs !== null && nominalMs <= (policy.overlap === 'allow' ? nowMs + aheadMs : nowMs);
}

/** Goes through nominal times one by one, and gathers what becomes of them. */
class Course {
  readonly #definition: Definition;
  readonly #at: Instants;
  readonly #steps: Step[] = [];
  #cursor: Cursor;
  #passing: Passed | undefined;

  constructor(definition: Definition, cursor: Cursor, at: Instants) {
    this.#definition = definition;
    this.#cursor = cursor;
    this.#at = at;
  }

  /** So many were fired as there may be. */
  get isOver(): boolean {
    const { limit } = this.#definition.policy;
    return limit !== null && this.#cursor.count >= limit;
  }

  take(nominalMs: number, nextMs: number | null): void {
    const { catchUp } = this.#definition.policy;
    const one = { nominalMs, nextMs };
    if (!this.#isMissed(nominalMs)) {
      this.#endPassing();
      this.#cursor = { ...this.#cursor, caughtUp: 0 };
      return this.#fire(one);
    }
    if (catchUp === 'skip' || !this.#isInWindow(nominalMs)) return this.#pass(one, 'missed');
    if (catchUp === 'one') {
      const isLast = nextMs === null || nextMs > this.#at.nowMs;
      return isLast ? this.#fire(one) : this.#pass(one, 'coalesced');
    }
    if (this.#cursor.caughtUp >= catchUp.all) return this.#pass(one, 'missed');
    this.#cursor = { ...this.#cursor, caughtUp: this.#cursor.caughtUp + 1 };
    this.#fire(one);
  }

  steps(): Step[] {
    this.#endPassing();
    return this.#steps;
  }

  #isMissed(nominalMs: number): boolean {
    const { nowMs, graceMs } = this.#at;
    return nowMs - nominalMs > graceMs || this.#wasInPause(nominalMs);
  }

  #wasInPause(nominalMs: number): boolean {
    const { resumedMs } = this.#cursor;
    return resumedMs !== null && nominalMs < resumedMs;
  }

  #isInWindow(nominalMs: number): boolean {
    const { windowMs } = this.#definition.policy;
    return windowMs === null || this.#at.nowMs - nominalMs <= windowMs;
  }

  #pass({ nominalMs, nextMs }: Time, because: 'missed' | 'coalesced'): void {
    const why = this.#wasInPause(nominalMs) ? 'paused' : because;
    if (this.#passing !== undefined && this.#passing.why !== why) this.#endPassing();
    const { fromMs, count } = this.#passing ?? { fromMs: nominalMs, count: 0 };
    this.#passing = { fromMs, toMs: nominalMs, count: count + 1, why };
    this.#cursor = { ...this.#cursor, nextMs };
  }

  #endPassing(): void {
    const passed = this.#passing;
    if (passed === undefined) return;
    this.#passing = undefined;
    this.#cursor = withPassed(this.#cursor, passed);
    this.#steps.push({ ...stay(this.#cursor), passed });
  }

  #fire({ nominalMs, nextMs }: Time): void {
    this.#endPassing();
    const unlessMs = formerOf(this.#definition, this.#cursor);
    this.#cursor = { ...withFired(this.#cursor, nominalMs), nextMs };
    if (this.isOver) this.#cursor = { ...this.#cursor, nextMs: null };
    this.#steps.push({ ...stay(this.#cursor), fireMs: nominalMs, unlessMs });
  }
}

/** A nominal time, and the one after it. */
interface Time {
  readonly nominalMs: number;
  readonly nextMs: number | null;
}
