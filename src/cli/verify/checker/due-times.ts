import { type Lateness, latenessOf } from '../../demo/lateness.js';
import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { graceMs } from './recovery.js';
import { startText } from './starts.js';
import type { Start, TaskLife } from './task-life.js';

/** `at` of a record is rounded to µs. */
const roundedMs = 0.001;
const latenessMsMax = 1_000;

/**
 * NO_EARLY: no start before the task was due, by Redis' clock; not even when that clock was as far ahead as it may have
 * been. Due is what Redis said with the delivery, and no earlier than what the producer asked for, or the nominal time.
 */
export function noEarly(evidence: Evidence, findings: Findings): void {
  const { tasks, clock, when } = evidence;
  let starts = 0;
  for (const life of tasks.values()) {
    const askedMs = life.starts.length > 0 ? askedDueMs(life, evidence) : 0;
    for (const start of life.starts) {
      starts += 1;
      const dueMs = Math.max(start.dueMs, askedMs);
      const earlyMs = dueMs - (start.at + roundedMs + aheadMs(start, evidence));
      if (earlyMs > 0) findings.broke(`${startText(start, when)}, ${earlyMs.toFixed(3)} ms before it was due`);
    }
  }
  if (starts > 0 && !clock.isKnown) findings.broke('nobody read the clock of Redis: early or not, who knows');
}

/** A delivery that was opened just before that clock was stepped back was due then. */
function aheadMs({ at }: Start, { clock, faults, plan }: Evidence): number {
  const span = { fromMs: at - plan.leaseMs, toMs: at };
  return (faults.cost(['clock'], span) ? clock.offsetBetween(span.fromMs, at) : clock.offsetAt(at)).highMs;
}

/** What the producer asked for, at the earliest: a delay counts from when Redis got the call. */
function askedDueMs({ nominal, adds, answers }: TaskLife, { clock }: Evidence): number {
  if (nominal !== undefined) return nominal.ms;
  const [add] = adds;
  if (add === undefined || adds.length > 1) return 0;
  if (add.dueMs !== undefined) return add.dueMs;
  if (add.inMs === undefined) return 0;
  const toMs = answers[0]?.at ?? add.at;
  return add.at - roundedMs + clock.offsetBetween(add.at, toMs).lowMs + add.inMs;
}

/**
 * LATENESS: from due to start, where nothing was broken and nothing of what was broken can be felt any more. It is the
 * machine's too, so only a second is too much, and only in the long form.
 */
export function lateness(evidence: Evidence, findings: Findings): void {
  const { count, p50Ms, p99Ms, maxMs } = calmLateness(evidence, evidence.tasks.values());
  findings.figure('latenessCount', count);
  for (const [name, ms] of Object.entries({ latenessP50Ms: p50Ms, latenessP99Ms: p99Ms, latenessMaxMs: maxMs })) {
    if (ms !== null) findings.figure(name, ms);
  }
  if (evidence.plan.form === 'long' && p99Ms !== null && p99Ms > latenessMsMax) {
    findings.broke(`one in a hundred started more than ${p99Ms.toFixed(0)} ms after it was due, with nothing broken`);
  }
}

/** Of these tasks. */
export function calmLateness({ clock, faults, plan, of }: Evidence, lives: Iterable<TaskLife>): Lateness {
  const loadMs = of('phase').find(({ phase }) => phase === 'load')?.at ?? Number.NEGATIVE_INFINITY;
  const afterMs = plan.leaseMs + plan.lockTtlMs + graceMs;
  const lateMs: number[] = [];
  for (const { adds, starts } of lives) {
    const askedAt = adds[0]?.at ?? Number.NEGATIVE_INFINITY;
    for (const start of starts) {
      if (start.delivery > 1) continue;
      const { lowMs, highMs } = clock.offsetAt(start.at);
      const owedAt = Math.max(start.dueMs - (lowMs + highMs) / 2, askedAt);
      if (owedAt < loadMs || !Number.isFinite(owedAt)) continue;
      if (faults.isTroubled({ fromMs: owedAt - afterMs, toMs: start.at })) continue;
      lateMs.push(Math.max(0, start.at - owedAt));
    }
  }
  return latenessOf(lateMs);
}
