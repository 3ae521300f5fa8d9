import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import type { Span } from './redis-clock.js';
import { acceptedAt, type TaskLife } from './task-life.js';

/** What one failover lost of what producers were told is added. */
export interface FailoverLoss {
  readonly from: string;
  readonly to: string;
  /** Until the address had moved. */
  readonly tookMs: number;
  /** From when the old master was gone to when it was the replica of another. */
  readonly span: Span;
  /** When the old master came back. */
  readonly backAtMs: number;
  /** Adds that returned and are gone: no end, and nothing left. */
  readonly adds: number;
  /** Of those: a worker was told that it has ended, before that was lost as well. */
  readonly endedAdds: number;
  /** From the first such answer to the last. */
  readonly overMs: number;
  /** How long after it came back the old master gave the last such answer. */
  readonly afterBackMs: number;
}

/** min-replicas-max-lag of the campaign is 2 s, and Redis looks each second. */
const cutOffMs = 3_500;
/** What was answered so long before the master was gone may not have reached its replica. */
const unreplicatedMs = 1_000;

/**
 * FAILOVER: what a failover loses was acknowledged by a master that was one no longer, or not to be one for long. Where a
 * replica has to keep up, an old master that comes back acknowledges nothing for longer than that lag.
 */
export function failover(evidence: Evidence, findings: Findings): void {
  const { plan, when } = evidence;
  const losses = failoverLosses(evidence);
  for (const { from, backAtMs, afterBackMs } of losses) {
    if (plan.minReplicas !== 1 || afterBackMs <= cutOffMs) continue;
    const told = `acknowledged adds for ${Math.round(afterBackMs)} ms, with no replica that kept up`;
    findings.broke(`${from} came back at ${when(backAtMs)} and ${told}`);
  }
  if (losses.length === 0) return;
  findings.figure('failovers', losses.length);
  findings.figure('failoverTookMsMax', Math.max(...losses.map(({ tookMs }) => tookMs)));
  losses.forEach(({ adds, endedAdds, overMs, afterBackMs }, at) => {
    findings.figure(`failover${at + 1}LostAdds`, adds);
    findings.figure(`failover${at + 1}LostAddsEnded`, endedAdds);
    findings.figure(`failover${at + 1}LostOverMs`, overMs);
    findings.figure(`failover${at + 1}LostMsAfterBack`, afterBackMs);
  });
}

/** In the order of the failovers. */
export function failoverLosses(evidence: Evidence): FailoverLoss[] {
  const lost = [...evidence.tasks.values()].filter((life) => life.ends.length === 0 && acceptedAt(life) !== undefined);
  return evidence.of('failover').map(({ at, from, to, tookMs }) => {
    const phases = evidence.of('server').filter(({ address }) => address === from);
    const after = (...wanted: readonly string[]): number =>
      phases.find((one) => one.at >= at && wanted.includes(one.phase))?.at ?? Number.POSITIVE_INFINITY;
    const backAtMs = after('thawed', 'started');
    const span = { fromMs: at - tookMs, toMs: after('demoted') };
    const mine = lost.filter((life) => isWithin(acceptedAt(life) ?? 0, span));
    const answeredMs = mine.map((life) => acceptedAt(life) ?? 0);
    const last = Math.max(...answeredMs);
    return {
      from,
      to,
      tookMs,
      span,
      backAtMs,
      adds: mine.length,
      endedAdds: mine.filter(hasEnded).length,
      overMs: mine.length === 0 ? 0 : last - Math.min(...answeredMs),
      afterBackMs: Math.max(0, last - backAtMs),
    };
  });
}

function isWithin(at: number, { fromMs, toMs }: Span): boolean {
  return at >= fromMs - unreplicatedMs && at <= toMs;
}

function hasEnded({ told }: TaskLife): boolean {
  return told.some(({ what }) => what === 'completed' || what === 'dead');
}
