import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { firstFrom, type Span } from './redis-clock.js';

/** A lease and a lock run out, and this on top: then the work goes on. */
export const graceMs = 2_000;

/**
 * RECOVER: when nothing is broken any more, the work goes on: in the long form within a lease, a lock's TTL and two
 * seconds, wherever it was calm for that long; in the quick form, at all.
 */
export function recover(evidence: Evidence, findings: Findings): void {
  const { plan, when, of } = evidence;
  const withinMs = plan.leaseMs + plan.lockTtlMs + graceMs;
  const startsAt = of('start').map(({ at }) => at);
  let mostMs = 0;
  let judged = 0;
  for (const calm of calmTimes(evidence)) {
    const next = startsAt[firstFrom(startsAt.length, (at) => (startsAt[at] as number) >= calm.fromMs)];
    const isLong = calm.toMs - calm.fromMs > withinMs;
    const isJudged = isLong || (plan.form === 'quick' && isLast(calm, evidence));
    if (!isJudged) continue;
    judged += 1;
    if (next !== undefined) mostMs = Math.max(mostMs, next - calm.fromMs);
    if (next !== undefined && (plan.form === 'quick' || next - calm.fromMs <= withinMs)) continue;
    const wentOn = next === undefined ? 'never went on' : `went on only at ${when(next)}`;
    findings.broke(`nothing was broken any more from ${when(calm.fromMs)} on, and the work ${wentOn}`);
  }
  if (judged === 0 && plan.form === 'long' && evidence.faults.windows.length > 0) {
    findings.broke('it was never calm for long enough to see whether the work goes on');
  }
  findings.figure('calmTimes', judged);
  findings.figure('recoveredWithinMs', mostMs);
}

/** From the end of what was broken to the next fault, or the end of the load. */
function calmTimes({ faults, loadEndMs }: Evidence): Span[] {
  return faults.troubled
    .map(({ toMs }, at) => ({
      fromMs: toMs,
      toMs: Math.min(faults.troubled[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY, loadEndMs),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}

/** The calm before the drain, in a campaign that came to it. */
function isLast({ toMs }: Span, { loadEndMs, of }: Evidence): boolean {
  return toMs === loadEndMs && of('phase').some(({ phase }) => phase === 'drain');
}
