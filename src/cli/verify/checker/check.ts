import type { HistoryRecord, RecordOf } from '../history/records.js';
import { type Check, type CheckResult, Findings } from './check-result.js';
import { type CheckName, checks } from './checks.js';
import { type Evidence, evidenceOf } from './evidence.js';
import { type Sometimes, sometimes } from './sometimes.js';
import { acceptanceOf } from './task-life.js';

export interface Verdict {
  /** What was played: its seed repeats the draws. */
  readonly plan: RecordOf<'plan'>;
  /** Every promise held, and the campaign met what it has to meet. */
  readonly held: boolean;
  readonly results: readonly (CheckResult & { readonly name: CheckName })[];
  readonly sometimes: readonly Sometimes[];
  /** Those of all checks, and of the campaign. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * Judges a campaign by its history, in the order of its instants, and by nothing else: no Redis, no clock, no process.
 * Who wants to know what it takes for broken finds each promise in a function of its own, in `checks`.
 */
export function check(history: readonly HistoryRecord[]): Verdict {
  const evidence = evidenceOf(history);
  const results = (Object.entries(checks) as [CheckName, Check][]).map(([name, look]) => {
    const findings = new Findings();
    look(evidence, findings);
    return { ...findings.result(name), name };
  });
  const met = sometimes(evidence);
  return {
    plan: evidence.plan,
    held: [...results, ...met].every(({ held }) => held),
    results,
    sometimes: met,
    figures: Object.assign(figuresOf(evidence), ...results.map(({ figures }) => figures)) as Record<string, number>,
  };
}

function figuresOf({ tasks, faults, of }: Evidence): Record<string, number> {
  const acceptances = { accepted: 0, possible: 0, refused: 0, unasked: 0, fired: 0 };
  const ends = { complete: 0, bury: 0, cancelled: 0, expired: 0, retry: 0 };
  const told = { recovered: 0, lease_lost: 0 };
  for (const life of tasks.values()) {
    acceptances[acceptanceOf(life)] += 1;
    for (const { verb } of [...life.ends, ...life.retries]) ends[verb] += 1;
    for (const { what } of life.told) if (what === 'recovered' || what === 'lease_lost') told[what] += 1;
  }
  const { accepted, possible, refused } = acceptances;
  return {
    tasks: tasks.size,
    accepted,
    possible,
    refused,
    starts: of('start').length,
    completed: ends.complete,
    dead: ends.bury,
    cancelled: ends.cancelled,
    expired: ends.expired,
    retried: ends.retry,
    recovered: told.recovered,
    leasesLost: told.lease_lost,
    faults: faults.windows.length,
  };
}
