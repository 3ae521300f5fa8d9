import { type Cursor, type Passed, type PassedWhy, withFired, withPassed } from './cursor.js';
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
  /** False: enough was worked out for now, the rest comes with the next look. Each plan looks at one time at least. */
  readonly hasTime?: () => boolean;
  /** How late a time may be and be on time. */
  readonly graceMs: number;
}

/** What to do with a schedule now, in order. The steps after one that is refused or blocked are void. */
export function plan(standing: Standing, at: Instants): Step[] {
  const { definition, cursor } = standing;
  if (cursor.moving !== null) return [];
  if (cursor.pause !== null) return [stay(cursor)];
  const filling = planBackfill(standing, at); // first: what comes after may be blocked
  return [...filling, ...planDue({ definition, cursor: filling.at(-1)?.cursor ?? cursor }, at)];
}

function planDue({ definition, cursor }: Standing, at: Instants): Step[] {
  if (cursor.waiting.length > 0) return [fireWaiting(definition, cursor)];
  const course = new Course(definition, cursor, at);
  if (course.isOver && cursor.nextMs !== null) return [stay({ ...cursor, nextMs: null })];
  const { hasTime = () => true } = at;
  let nominalMs = cursor.nextMs;
  for (let looked = 0; looked < timesMax && isUp(nominalMs, definition, at) && !course.isDone; looked += 1) {
    if (looked > 0 && !hasTime()) break;
    const nextMs = nextNominal(definition.timing, nominalMs);
    course.take(nominalMs, nextMs);
    nominalMs = nextMs;
  }
  return course.steps();
}

/** What to do when a step is blocked by the former occurrence. `cancel`: end that one, then take the step. */
export function planBlocked({ definition, cursor }: Standing, at: Instants): Step | 'cancel' {
  const { overlap, limit } = definition.policy;
  if (overlap === 'cancelOther') return 'cancel';
  const { nextMs: nominalMs, waiting } = cursor;
  if (nominalMs === null || nominalMs > at.nowMs) return stay(cursor);
  if (limit !== null && cursor.count + waiting.length >= limit) return stay({ ...cursor, nextMs: null });
  const nextMs = nextNominal(definition.timing, nominalMs);
  const fate = fateOf({ definition, cursor }, { nominalMs, nextMs }, at);
  const isKept = fate === 'fire' || fate === 'catch up';
  if (isKept && waiting.length < roomOf(overlap)) return stay({ ...cursor, nextMs, waiting: [...waiting, nominalMs] });
  const passed: Passed = { fromMs: nominalMs, toMs: nominalMs, count: 1, why: isKept ? 'overlap' : fate };
  return { ...stay(withPassed({ ...cursor, nextMs }, passed)), passed };
}

/** What a schedule's policy makes of a time that has come. */
function fateOf({ definition, cursor }: Standing, { nominalMs, nextMs }: Time, at: Instants): Fate {
  const { catchUp, windowMs } = definition.policy;
  const { nowMs, graceMs } = at;
  const wasInPause = cursor.resumedMs !== null && nominalMs < cursor.resumedMs;
  if (nowMs - nominalMs <= graceMs && !wasInPause) return 'fire';
  const missed = wasInPause ? 'paused' : 'missed';
  if (catchUp === 'skip' || (windowMs !== null && nowMs - nominalMs > windowMs)) return missed;
  if (catchUp !== 'one') return cursor.caughtUp < catchUp.all ? 'catch up' : missed;
  if (nextMs === null || nextMs > nowMs) return 'fire';
  return wasInPause ? 'paused' : 'coalesced';
}

type Fate = 'fire' | 'catch up' | 'missed' | 'coalesced' | 'paused';

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
export function lookMs({ definition, cursor }: Standing, nowMs: number): number | null {
  if (cursor.moving !== null) return nowMs + movingLookMs;
  if (cursor.pause !== null) return null;
  const { waiting, nextMs, backfill } = cursor;
  // Who must look at the former occurrence first is not looked at ahead; who is behind takes turns with the others.
  const aheadOf = definition.policy.overlap === 'allow' ? 0 : aheadMs;
  const ownMs = nextMs === null ? null : Math.max(nextMs + aheadOf, nowMs);
  const looks = [waiting.length > 0 ? nowMs + aheadMs + waitingLookMs : ownMs, backfill?.lookMs ?? null];
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
  const { limit } = definition.policy;
  const isOver = limit !== null && fired.count >= limit;
  const after = isOver ? { ...fired, nextMs: null, waiting: [] } : fired;
  return { ...stay(after), fireMs: nominalMs, unlessMs: formerOf(definition, cursor) };
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
  #hasFired = false;

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

  /** No further time is decided on: none is left, or the next must wait for what was just fired. */
  get isDone(): boolean {
    return this.isOver || (this.#definition.policy.overlap !== 'allow' && this.#hasFired);
  }

  take(nominalMs: number, nextMs: number | null): void {
    const one = { nominalMs, nextMs };
    const fate = fateOf({ definition: this.#definition, cursor: this.#cursor }, one, this.#at);
    switch (fate) {
      case 'fire':
        this.#endPassing();
        this.#cursor = { ...this.#cursor, caughtUp: 0 };
        return this.#fire(one);
      case 'catch up':
        this.#cursor = { ...this.#cursor, caughtUp: this.#cursor.caughtUp + 1 };
        return this.#fire(one);
      default:
        this.#pass(one, fate);
    }
  }

  steps(): Step[] {
    this.#endPassing();
    return this.#steps;
  }

  #pass({ nominalMs, nextMs }: Time, why: PassedWhy): void {
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
    this.#hasFired = true;
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
