import type { Evidence } from './evidence.js';
import type { Findings } from './check-result.js';
import { acceptanceOf, acknowledgedIn, type TaskLife } from './task-life.js';

/** NO_LOSS: a task whose add returned comes to an end. What Redis itself may have lost is counted, and forgiven. */
export function noLoss({ tasks, faults, when }: Evidence, findings: Findings): void {
  let lostWrites = 0;
  for (const life of tasks.values()) {
    const asked = acknowledgedIn(life);
    if (asked === undefined || life.ends.length > 0) continue;
    if (faults.mayHaveLost(asked.toMs, life.places, asked.fromMs)) lostWrites += 1;
    else findings.broke(`${life.id} was added at ${when(asked.toMs)} and has no end; ${lastOf(life, when)}`);
  }
  findings.figure('lostWrites', lostWrites);
}

/** NO_GHOST: what nobody added, or whose add did not happen, never runs and never ends. */
export function noGhost({ tasks, when }: Evidence, findings: Findings): void {
  for (const life of tasks.values()) {
    const acceptance = acceptanceOf(life);
    if (acceptance !== 'refused' && acceptance !== 'unasked') continue;
    const why = acceptance === 'refused' ? 'whose add was refused' : 'which nobody added';
    const { id, starts, ends, retries, told } = life;
    const [start] = starts;
    if (start !== undefined) findings.broke(`${id}, ${why}, started on ${start.by} at ${when(start.at)}`);
    else if (ends.length + retries.length + told.length > 0) findings.broke(`${id}, ${why}, has an end`);
  }
}

function lastOf({ starts, retries }: TaskLife, when: Evidence['when']): string {
  const last = starts.at(-1);
  if (last === undefined) return 'it never started';
  const retried = retries.length > 0 ? `, ${retries.length} retried` : '';
  return `it last started on ${last.by} at ${when(last.at)}${retried}`;
}
