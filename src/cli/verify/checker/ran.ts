import type { RecordOf } from '../history/records.js';
import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { startText } from './starts.js';
import type { End, Start, TaskLife } from './task-life.js';

/**
 * RAN: nothing is settled that did not run. Before a consumer ended an attempt a handler had started it, and what was
 * written is what that handler came to: complete when it returned, retry or bury when it threw.
 */
export function ran(evidence: Evidence, findings: Findings): void {
  const returns = returnsOf(evidence);
  for (const life of evidence.tasks.values()) {
    const attempts = [...life.retries, ...life.ends].filter(({ consumer }) => consumer !== '');
    attempts.forEach((end, at) => startedAndReturned(life, { end, attempt: at + 1 }, { evidence, findings, returns }));
  }
}

type Returns = ReadonlyMap<string, RecordOf<'return'>>;

function startedAndReturned(
  { id, places, starts }: TaskLife,
  { end, attempt }: { end: End; attempt: number },
  { evidence, findings, returns }: { evidence: Evidence; findings: Findings; returns: Returns },
): void {
  const { faults, plan, when } = evidence;
  const byMs = end.toMs + plan.leaseMs; // a stream id stands still while Redis' clock is behind
  if (faults.mayHaveLost(end.fromMs, places)) return; // attempts may be counted anew
  const before = starts.filter((start) => start.attempt === attempt && start.at <= byMs);
  if (before.length === 0) {
    findings.broke(`attempt ${attempt} of ${id} never started, and its ${end.verb} was written at ${when(end.toMs)}`);
    return;
  }
  const endings = before.map((start) => ({ start, ended: returns.get(keyOf(start)) }));
  const isSo = endings.some(({ ended }) => ended !== undefined && ended.at <= byMs && fits(ended, end));
  if (isSo) return;
  const { start } = endings.at(-1) as { start: Start };
  const [how] = endings.flatMap(({ ended }) => (ended === undefined ? [] : [ended.how]));
  findings.broke(`${startText(start, when)} and ${how ?? 'never ended'}, and its ${end.verb} was written`);
}

/** Cut short by a stop or a lost lease it may be tried again, whatever it came to. */
function fits({ how, aborted }: RecordOf<'return'>, { verb }: End): boolean {
  if (verb === 'complete') return how === 'returned';
  return how === 'threw' || aborted !== undefined;
}

function returnsOf({ of }: Evidence): Returns {
  return new Map(of('return').map((one) => [keyOf(one), one]));
}

function keyOf({ by, id, attempt, delivery }: Pick<Start, 'by' | 'id' | 'attempt' | 'delivery'>): string {
  return `${by} ${id} ${attempt} ${delivery}`;
}
