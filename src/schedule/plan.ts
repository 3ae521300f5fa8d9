import { type Cursor, type Passed, type PassedWhy, withFired, withPassed } from './cursor.js';
import { planBackfill } from './backfill.js';
import { planArrived } from './blocked.js';
import type { Definition } from './definition.js';
import { fateOf, type Instants, type Time, timesMax } from './fate.js';
import { nextNominal } from './nominal.js';
import { aheadMs, type Standing, type Step, stay } from './step.js';

/** What to do with a schedule now, in order. The steps after one that is refused or blocked are void. */
export function plan(standing: Standing, at: Instants): Step[] {
  const { definition, cursor } = standing;
  if (cursor.moving !== null) return [];
  if (cursor.pause !== null) return [stay(cursor)];
  const filling = planBackfill(standing, at); // first: what comes after may be blocked
  return [...filling, ...planDue({ definition, cursor: filling.at(-1)?.cursor ?? cursor }, at)];
}

function planDue({ definition, cursor }: Standing, at: Instants): Step[] {
  if (cursor.waiting.length > 0) return planWaiting({ definition, cursor }, at);
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

/** What has come meanwhile waits with the others, so that it is decided when it comes, however many there are before it. */
function planWaiting({ definition, cursor }: Standing, at: Instants): Step[] {
  const { overlap } = definition.policy;
  const isHeldUp = overlap !== 'allow' && overlap !== 'cancelOther'; // it was not always so: the rule may be a new one
  const arrived = isHeldUp ? planArrived({ definition, cursor }, at) : [];
  return [...arrived, fireWaiting({ definition, cursor: arrived.at(-1)?.cursor ?? cursor }, at)];
}

function fireWaiting({ definition, cursor }: Standing, { nowMs }: Instants): Step {
  const [nominalMs = 0, ...waiting] = cursor.waiting;
  const waitingSinceMs = waiting.length === 0 ? null : nowMs;
  const fired = withFired({ ...cursor, waiting, waitingSinceMs }, nominalMs);
  const { limit } = definition.policy;
  const isOver = limit !== null && fired.count >= limit;
  const after = isOver ? { ...fired, nextMs: null, waiting: [], waitingSinceMs: null } : fired;
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
