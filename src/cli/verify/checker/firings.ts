import type { Evidence } from './evidence.js';
import { nominalOf } from './schedule-life.js';

/** An occurrence that a leader fired, as Redis noted it. */
interface Firing {
  readonly term: number;
  /** On the history's clock, at the earliest. */
  readonly at: number;
  readonly owedAt: number;
}

/** Who leads takes less than that to fire what is up. */
const promptMs = 100;
/** A leader is found within this, or the death of the last one is not why. */
const leaderlessMsMax = 5_000;

/** How many terms fired occurrences. */
export function firingTerms({ audit }: Evidence): number {
  const terms = audit.flat().map((record) => (record.op === 'tick' && record.ids.length > 0 ? record.term : 0));
  return new Set(terms.filter((term) => term > 0)).size;
}

/** When processes were killed that trusted that they lead. */
export function leaderDeaths({ of, processes }: Evidence): number[] {
  return of('process').flatMap(({ name, phase, at }) => {
    if (phase !== 'killed') return [];
    const trusts = processes.get(name)?.filter(({ what }) => what === 'trust') ?? [];
    const trusted = trusts.some((one) => one.what === 'trust' && one.at <= at && one.untilMs >= at);
    return trusted ? [at] : [];
  });
}

/** Those that came when the leader had been killed, and were fired by another. */
export function firedAfterDeath(evidence: Evidence): number {
  const deaths = leaderDeaths(evidence);
  const late = firingsOf(evidence).filter(({ at, owedAt }) => at - owedAt > promptMs);
  return late.filter(({ at, owedAt }) => deaths.some((death) => death <= at && death >= owedAt - leaderlessMsMax))
    .length;
}

function firingsOf({ audit, clock, schedules }: Evidence): Firing[] {
  return audit.flat().flatMap((record) => {
    if (record.op !== 'tick') return [];
    const { fromMs: at, toMs } = clock.whenItWas(record.redisMs);
    const aheadMs = record.redisMs - toMs;
    const nominals = record.ids.flatMap((id) => nominalOf(id, schedules) ?? []);
    return nominals.map(({ ms }) => ({ term: record.term, at, owedAt: ms - aheadMs }));
  });
}
