import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { home } from './places.js';
import type { Span } from './redis-clock.js';

/** How long one process trusted that it leads. */
interface Reign extends Span {
  readonly by: string;
  readonly term: number;
}

/** Two clocks of one process are read one after the other, and told in one. */
const unevenMs = 1;

/**
 * TRUST_DISJOINT: no two processes trust at once that they lead, as long as clocks run evenly and a vote is given once.
 * The fence holds without it; this is what keeps a stale leader from trying.
 */
export function trustDisjoint(evidence: Evidence, findings: Findings): void {
  const { faults, plan, when } = evidence;
  const reigns = reignsOf(evidence).sort((a, b) => a.fromMs - b.fromMs);
  let under: Reign[] = [];
  for (const reign of reigns) {
    under = under.filter(({ toMs }) => toMs > reign.fromMs + unevenMs);
    for (const other of under) {
      if (other.by === reign.by) continue;
      const both = { fromMs: reign.fromMs - 2 * plan.lockTtlMs, toMs: Math.min(reign.toMs, other.toMs) };
      if (faults.cost(['clock', 'writes', 'votes'], both, home)) continue;
      const names = `${other.by} (term ${other.term}) and ${reign.by} (term ${reign.term})`;
      findings.broke(`${names} both trusted that they lead, from ${when(reign.fromMs)} to ${when(both.toMs)}`);
    }
    under.push(reign);
  }
  findings.figure('reigns', reigns.length);
}

/** From the first trust in a term to the end of the last, to when the seat fell, or the process with it. */
function reignsOf({ records }: Evidence): Reign[] {
  const reigns: Reign[] = [];
  const open = new Map<string, { by: string; term: number; fromMs: number; toMs: number }>();
  const close = (by: string, at: number): void => {
    const reign = open.get(by);
    if (reign !== undefined) reigns.push({ ...reign, toMs: Math.min(reign.toMs, at) });
    open.delete(by);
  };
  for (const record of records) {
    if (record.what === 'trust') {
      const { by, term, at, untilMs } = record;
      const reign = open.get(by);
      if (reign?.term === term) reign.toMs = Math.max(reign.toMs, untilMs);
      else {
        close(by, at);
        open.set(by, { by, term, fromMs: at, toMs: untilMs });
      }
    }
    if (record.what === 'seat' && record.event !== 'elected') close(record.by, record.at);
    if (record.what === 'process' && record.phase !== 'started') close(record.name, record.at);
  }
  for (const by of open.keys()) close(by, Number.POSITIVE_INFINITY);
  return reigns;
}
