import type { RecordOf } from '../history/records.js';
import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';

type Audit = RecordOf<'audit'>;

/**
 * FENCE: in Redis' own order, whatever was promoted was promoted by the leader it accepted just then, or by none; and only
 * that leader moved schedules.
 */
export function fence({ audit }: Evidence, findings: Findings): void {
  let promotes = 0;
  let without = 0;
  for (const [record, accepted] of audit.flatMap(withAccepted)) {
    if (record.op !== 'promote' && record.op !== 'tick') continue;
    if (record.op === 'promote') promotes += 1;
    if (record.term === null) without += 1;
    else if (record.term !== accepted) {
      const was = accepted === undefined ? 'nobody was accepted' : `${accepted} was the accepted one`;
      const did = record.op === 'tick' ? 'fired' : 'promoted';
      findings.broke(`entry ${record.entry}: term ${record.term} ${did} ${record.ids.length} tasks when ${was}`);
    }
  }
  findings.figure('promotes', promotes);
  findings.figure('promotesWithoutLeader', without);
}

/** STALE_REFUSED: a write is refused for a term that is not the accepted one, and that term writes nothing any more. */
export function staleRefused({ audit, of }: Evidence, findings: Findings): void {
  const terms = new Set<number>();
  for (const partition of audit) {
    const refused = new Map<number, string>();
    for (const [record, accepted] of withAccepted(partition)) {
      if (record.op === 'refused') {
        if (record.term === accepted)
          findings.broke(`entry ${record.entry}: the accepted term ${accepted} was refused`);
        else refused.set(record.term, record.entry);
      }
      if (record.op !== 'promote' && record.op !== 'tick') continue;
      const before = record.term === null ? undefined : refused.get(record.term);
      if (before === undefined) continue;
      findings.broke(`entry ${record.entry}: ${record.op} by a term that had been refused, in entry ${before}`);
    }
    for (const term of refused.keys()) terms.add(term);
  }
  findings.figure('refusedWrites', Math.max(of('stale_write_refused').length, terms.size));
}

/** Each entry of a partition, with the term that was accepted there after it. */
function withAccepted(partition: readonly Audit[]): [record: Audit, accepted: number | undefined][] {
  let accepted: number | undefined;
  return partition.map((record) => {
    accepted = acceptedAfter(record, accepted);
    return [record, accepted];
  });
}

function acceptedAfter(record: Audit, accepted: number | undefined): number | undefined {
  if (record.op === 'lead') return record.term;
  return record.op === 'resign' && record.term === accepted ? undefined : accepted;
}

/** TERM_MONO: terms grow, also over a failover that lost some. */
export function termMono({ audit }: Evidence, findings: Findings): void {
  const terms = new Set<number>();
  for (const partition of audit) {
    let last: number | undefined;
    for (const record of partition) {
      if (record.op !== 'lead') continue;
      terms.add(record.term);
      if (last !== undefined && record.term <= last) {
        findings.broke(`entry ${record.entry}: term ${record.term} was taken after ${last}`);
      }
      last = record.term;
    }
  }
  findings.figure('terms', terms.size);
}

/** ONE_LEADER_PER_TERM: one takes a term, and one process is elected for it. */
export function oneLeaderPerTerm({ audit, of, when }: Evidence, findings: Findings): void {
  const taken = new Map<number, string>();
  for (const partition of audit) {
    const here = new Set<number>();
    for (const record of partition) {
      if (record.op !== 'lead') continue;
      const before = taken.get(record.term);
      const isTwice = here.has(record.term) || (before !== undefined && before !== record.leader);
      if (isTwice) findings.broke(`term ${record.term} was taken by ${before} and by ${record.leader}`);
      taken.set(record.term, record.leader);
      here.add(record.term);
    }
  }
  const elected = new Map<number, string>();
  for (const { event, term, by, at } of of('seat')) {
    if (event !== 'elected') continue;
    const before = elected.get(term);
    if (before !== undefined) {
      findings.broke(`${by} was elected for term ${term} at ${when(at)}, as ${before} had been`);
    }
    elected.set(term, by);
  }
}
