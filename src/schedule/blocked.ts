import { type Cursor, type Passed, withPassed } from './cursor.js';
import type { Definition } from './definition.js';
import { fateOf, type Instants, timesMax, whyLate } from './fate.js';
import { nextNominal } from './nominal.js';
import { type Standing, type Step, stay } from './step.js';

/** What to do when a step is blocked by the former occurrence. `cancel`: end that one, then take the step. */
export function planBlocked({ definition, cursor }: Standing, at: Instants): readonly Step[] | 'cancel' {
  if (definition.policy.overlap === 'cancelOther') return 'cancel';
  const steps = planArrived({ definition, cursor }, at);
  return steps.length === 0 ? [stay(cursor)] : steps;
}

/**
 * What becomes of the times that have come while the former occurrence is not settled, or others wait already: they wait, as
 * many as may, or are passed over; in one step those that fare alike.
 */
export function planArrived({ definition, cursor }: Standing, at: Instants): Step[] {
  const { hasTime = () => true } = at;
  const steps: Step[] = [];
  for (let looked = 0; looked < timesMax && (looked === 0 || hasTime()); looked += 1) {
    const last = steps.at(-1);
    const next = nextBlocked({ definition, cursor: last?.cursor ?? cursor }, at);
    if (next === undefined) break;
    if (last === undefined || (last.passed !== null && last.passed.why !== next.passed?.why)) steps.push(next);
    else steps[steps.length - 1] = { ...next, passed: together(last.passed, next.passed) };
  }
  return steps;
}

/** Of the first time that has come; undefined: there is none. */
function nextBlocked({ definition, cursor }: Standing, at: Instants): Step | undefined {
  const { nextMs: nominalMs, waiting, count } = cursor;
  const { limit } = definition.policy;
  if (nominalMs === null || nominalMs > at.nowMs) return undefined;
  if (limit !== null && count + waiting.length >= limit) return stay({ ...cursor, nextMs: null });
  const nextMs = nextNominal(definition.timing, nominalMs);
  const fate = fateOf({ definition, cursor }, { nominalMs, nextMs }, at);
  const isWanted = fate === 'fire' || fate === 'catch up';
  if (isWanted && waiting.length < roomOf(definition)) {
    const caughtUp = fate === 'fire' ? 0 : cursor.caughtUp + 1;
    return stay({ ...waitingToo(cursor, nominalMs, at.nowMs), nextMs, caughtUp });
  }
  const why = isWanted ? (whyLate(cursor, nominalMs, at) ?? 'overlap') : fate;
  const passed: Passed = { fromMs: nominalMs, toMs: nominalMs, count: 1, why };
  return { ...stay(withPassed({ ...cursor, nextMs }, passed)), passed };
}

function roomOf({ policy: { overlap } }: Definition): number {
  if (overlap === 'bufferOne') return 1;
  return typeof overlap === 'object' ? overlap.bufferAll : 0;
}

function waitingToo({ waiting, ...cursor }: Cursor, nominalMs: number, nowMs: number): Cursor {
  const waitingSinceMs = waiting.length === 0 ? nowMs : cursor.waitingSinceMs;
  return { ...cursor, waiting: [...waiting, nominalMs], waitingSinceMs };
}

function together(before: Passed | null, passed: Passed | null): Passed | null {
  if (before === null || passed === null) return before ?? passed;
  return { ...passed, fromMs: before.fromMs, count: before.count + passed.count };
}
