import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { spanOf, type Start, type TaskLife } from './task-life.js';

/** A start of an attempt that had been started before. */
export interface ExtraStart {
  readonly before: Start;
  readonly again: Start;
}

/** DUP_EXPLAINED: whoever starts an attempt again has a fault to show that broke the lease of the start before. */
export function dupExplained(evidence: Evidence, findings: Findings): void {
  const { tasks, faults, plan, when } = evidence;
  let explained = 0;
  for (const life of tasks.values()) {
    for (const { before, again } of extraStartsOf(life)) {
      const span = { fromMs: before.at - plan.leaseMs, toMs: Math.min(again.at, doneBy(life, before, plan.leaseMs)) };
      if (faults.costLeases(before.by, span) || faults.cost(['group', 'writes'], span, life.places)) explained += 1;
      else findings.broke(`${startText(before, when)}, and again ${startText(again, when)}: no fault explains it`);
    }
  }
  findings.figure('extraStarts', explained);
}

/** A fault explains what it may have touched: from the start to the end of that attempt, and a lease more. */
function doneBy({ retries, ends }: TaskLife, { attempt, at }: Start, leaseMs: number): number {
  const end = [retries[attempt - 1], ...ends].find((one) => one !== undefined && one.toMs >= at);
  return (end?.toMs ?? Number.POSITIVE_INFINITY) + leaseMs;
}

export function extraStartsOf({ starts }: TaskLife): ExtraStart[] {
  if (starts.length < 2) return [];
  const last = new Map<number, Start>();
  const extra: ExtraStart[] = [];
  for (const again of starts) {
    const before = last.get(again.attempt);
    if (before !== undefined) extra.push({ before, again });
    last.set(again.attempt, again);
  }
  return extra;
}

/**
 * ATTEMPT_MONO: from start to start (attempt, delivery) grows, and the next attempt begins after the one before was
 * given back to the schedule. A group that was made anew counts deliveries anew; writes that were lost are lost here too.
 */
export function attemptMono(evidence: Evidence, findings: Findings): void {
  const { tasks, faults, plan, when } = evidence;
  for (const life of tasks.values()) {
    life.starts.forEach((start, at) => {
      const before = life.starts[at - 1];
      if (before === undefined || grows(before, start)) return;
      const span = { fromMs: before.at - plan.leaseMs, toMs: start.at };
      if (faults.cost(['group', 'writes'], span, life.places)) return;
      findings.broke(`${startText(before, when)}, then ${startText(start, when)}`);
    });
    retriedFirst(life, evidence, findings);
  }
}

/** A later delivery, or a later attempt. */
export function grows(before: Start, start: Start): boolean {
  if (start.attempt !== before.attempt) return start.attempt > before.attempt;
  return start.delivery > before.delivery;
}

function retriedFirst(life: TaskLife, { faults, when }: Evidence, findings: Findings): void {
  for (const start of life.starts) {
    if (start.attempt === 1) continue;
    const retry = life.retries[start.attempt - 2];
    if (retry !== undefined && retry.fromMs <= start.at) continue;
    if (faults.cost(['writes'], spanOf(life), life.places)) continue;
    findings.broke(`${startText(start, when)}, but attempt ${start.attempt - 1} had not been given back`);
  }
}

export function startText({ id, attempt, delivery, by, at }: Start, when: Evidence['when']): string {
  return `${id} (attempt ${attempt}, delivery ${delivery}) started on ${by} at ${when(at)}`;
}
