import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { meet, type Places } from './places.js';
import type { Span } from './redis-clock.js';
import { acceptedAt, acknowledgedIn, type TaskLife } from './task-life.js';

/** One failover, and how long it took. */
interface Failover {
  readonly from: string;
  readonly to: string;
  /** What became of the old master. */
  readonly how: 'killed' | 'frozen';
  /** Those that the old master had. Undefined: all. */
  readonly places: Places;
  /** Until the address had moved, or the replica had taken over. */
  readonly tookMs: number;
  /** From when the old master was gone to when it was the replica of another. */
  readonly span: Span;
  /** When the old master came back. */
  readonly backAtMs: number;
}

/** What it lost of what producers were told is added. */
export interface FailoverLoss extends Failover {
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
/** From the signal that kills a server to the note of it. */
const noticedMs = 100;

/**
 * FAILOVER: what a failover loses was acknowledged by a master that was one no longer, or not to be one for long. Where a
 * replica has to keep up, an old master that comes back acknowledges nothing for longer than that lag. Of a cluster each
 * add that was lost was asked for before its master was killed, or was a replica again; and none, if adds wait for the
 * replica, for there is but one to take over.
 */
export function failover(evidence: Evidence, findings: Findings): void {
  const { plan, when } = evidence;
  const losses = failoverLosses(evidence);
  for (const { from, backAtMs, afterBackMs } of losses) {
    if (plan.minReplicas !== 1 || afterBackMs <= cutOffMs) continue;
    const told = `acknowledged adds for ${Math.round(afterBackMs)} ms, with no replica that kept up`;
    findings.broke(`${from} came back at ${when(backAtMs)} and ${told}`);
  }
  if (plan.cluster === true) lostByItsMaster(evidence, losses, findings);
  if (losses.length === 0) return;
  findings.figure('failovers', losses.length);
  findings.figure('failoverTookMsMax', Math.max(...losses.map(({ tookMs }) => tookMs)));
  losses.forEach(({ adds, endedAdds, overMs, afterBackMs }, at) => {
    findings.figure(`failover${at + 1}LostAdds`, adds);
    findings.figure(`failover${at + 1}LostAddsEnded`, endedAdds);
    findings.figure(`failover${at + 1}LostOverMs`, overMs);
    findings.figure(`failover${at + 1}LostMsAfterBack`, afterBackMs);
  });
  for (const how of ['killed', 'frozen'] as const) {
    const own = losses.filter((loss) => loss.how === how);
    if (own.length === 0) continue;
    findings.figure(`${how}Masters`, own.length);
    findings.figure(
      `${how}LostAdds`,
      own.reduce((sum, { adds }) => sum + adds, 0),
    );
  }
}

/** Each, and by no other. */
function lostByItsMaster(evidence: Evidence, losses: readonly Failover[], findings: Findings): void {
  const { plan, when } = evidence;
  for (const life of lostOf(evidence)) {
    const at = acceptedAt(life) ?? 0;
    const told = `${life.id} was added at ${when(at)} and is lost`;
    const isConfirmed = plan.durability === 'replicated';
    if (isConfirmed) findings.broke(`${told}, though a replica had confirmed it`);
    else if (!losses.some((loss) => mayHaveBeenIts(loss, life))) findings.broke(`${told}, by a master that was well`);
  }
}

/** It asked for it no later than it was taken for a master: the killed one until it was killed. */
function mayHaveBeenIts({ how, places, span }: Failover, life: TaskLife): boolean {
  const askedMs = acknowledgedIn(life)?.fromMs ?? 0;
  const lastMs = how === 'killed' ? span.fromMs + noticedMs : span.toMs;
  return meet(places, life.places) && isWithin(life, span, unreplicatedMs) && askedMs <= lastMs;
}

/** Accepted, and without an end. */
function lostOf({ tasks }: Evidence): TaskLife[] {
  return [...tasks.values()].filter((life) => life.ends.length === 0 && acceptedAt(life) !== undefined);
}

/** In the order of the failovers; each lost add counts for one of them. */
export function failoverLosses(evidence: Evidence): FailoverLoss[] {
  const failovers = failoversOf(evidence);
  const lost = lostOf(evidence).map((life) => ({ life, by: failoverOf(life, failovers) }));
  return failovers.map((one) => {
    const mine = lost.flatMap(({ life, by }) => (by === one ? [life] : []));
    const answeredMs = mine.map((life) => acceptedAt(life) ?? 0);
    const last = Math.max(...answeredMs);
    return {
      ...one,
      adds: mine.length,
      endedAdds: mine.filter(hasEnded).length,
      overMs: mine.length === 0 ? 0 : last - Math.min(...answeredMs),
      afterBackMs: Math.max(0, last - one.backAtMs),
    };
  });
}

function failoversOf({ of }: Evidence): Failover[] {
  return of('failover').map(({ at, from, to, tookMs, partitions }) => {
    const phases = of('server').filter(({ address }) => address === from);
    const after = (...wanted: readonly string[]): number =>
      phases.find((one) => one.at >= at && wanted.includes(one.phase))?.at ?? Number.POSITIVE_INFINITY;
    return {
      from,
      to,
      how: phases.findLast((one) => one.at <= at)?.phase === 'killed' ? 'killed' : 'frozen',
      places: partitions && new Set(partitions),
      tookMs,
      span: { fromMs: at - tookMs, toMs: after('demoted') },
      backAtMs: after('thawed', 'started'),
    };
  });
}

/** One that it was acknowledged in rather than one that it was acknowledged just before. */
function failoverOf(life: TaskLife, failovers: readonly Failover[]): Failover | undefined {
  const possible = failovers.filter(({ places }) => meet(places, life.places));
  return (
    possible.find(({ span }) => isWithin(life, span, 0)) ??
    possible.find(({ span }) => isWithin(life, span, unreplicatedMs))
  );
}

function isWithin(life: TaskLife, { fromMs, toMs }: Span, beforeMs: number): boolean {
  const asked = acknowledgedIn(life);
  return asked !== undefined && asked.toMs >= fromMs - beforeMs && asked.fromMs <= toMs;
}

function hasEnded({ told }: TaskLife): boolean {
  return told.some(({ what }) => what === 'completed' || what === 'dead');
}
