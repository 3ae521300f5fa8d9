import type { RecordOf } from '../history/records.js';
import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { acceptanceOf, acknowledgedIn } from './task-life.js';

/** A sweep has repaired by then what an operator's hand took away. */
const repairMs = 10_000;

/**
 * CONSERVE: at any instant what was added is somewhere, or has its end; and in the end that is what producers added, and
 * schedules fired.
 */
export function conserve(evidence: Evidence, findings: Findings): void {
  const { faults, when, of } = evidence;
  const snapshots = of('snapshot');
  for (const snapshot of snapshots) {
    if (faults.cost(['group'], { fromMs: snapshot.at - repairMs, toMs: snapshot.at })) continue;
    const { scheduled, due, ready, active } = snapshot;
    const [came, ended] = [cameIn(snapshot), endedIn(snapshot)];
    const there = scheduled + due + ready + active;
    if (came === there + ended) continue;
    const places = `${scheduled} scheduled, ${due} due, ${ready} ready, ${active} active, ${ended} ended`;
    findings.broke(`at ${when(snapshot.at)} ${came} came, and ${there + ended} are known of: ${places}`);
  }
  if (snapshots.length === 0) findings.broke('nobody looked at how much there is: there is nothing to hold against');
  findings.figure('snapshots', snapshots.length);
  addedInTheEnd(evidence, findings);
}

function addedInTheEnd({ tasks, faults, of }: Evidence, findings: Findings): void {
  const drained = of('phase').find(({ phase }) => phase === 'drained');
  const last = of('snapshot').at(-1);
  if (drained === undefined || last === undefined) return;
  let sure = 0;
  let most = 0;
  for (const life of tasks.values()) {
    const acceptance = acceptanceOf(life);
    if (acceptance === 'accepted' || acceptance === 'possible') most += 1;
    const asked = acknowledgedIn(life);
    if (asked !== undefined && !faults.mayHaveLost(asked.toMs, life.places, asked.fromMs)) sure += 1;
  }
  const fired = last.counts['fired'] ?? 0;
  const added = (last.counts['added'] ?? 0) - fired;
  if (added >= sure && added <= most) return;
  const beside = fired > 0 ? ` beside ${fired} fired` : '';
  findings.broke(
    `Redis counts ${added} added${beside}, where producers added ${sure === most ? sure : `${sure} to ${most}`}`,
  );
}

function cameIn({ counts }: RecordOf<'snapshot'>): number {
  return (counts['added'] ?? 0) + (counts['replayed'] ?? 0);
}

function endedIn({ counts }: RecordOf<'snapshot'>): number {
  const ends = ['complete', 'bury', 'cancelled', 'expired'];
  return ends.reduce((sum, end) => sum + (counts[end] ?? 0), 0);
}

/**
 * QUIESCE: when all tasks have ended nothing of them is left, and when everybody has left nobody is known and no lock is
 * held. Consumers that died are forgotten after ten leases, for which only the long form waits.
 */
export function quiesce({ records, plan }: Evidence, findings: Findings): void {
  let phase = 'load';
  let looks = 0;
  for (const record of records) {
    if (record.what === 'phase') phase = record.phase;
    if (record.what !== 'left') continue;
    looks += 1;
    for (const [key, size] of Object.entries(record.keys)) {
      if (size > 0) findings.broke(`${phase}, and ${size} left in ${key}`);
    }
    const { consumers, silent, lock } = record;
    if (plan.form === 'long' && silent > 0) findings.broke(`${phase}, and ${silent} consumers are known that are dead`);
    if (phase !== 'stopped') continue;
    if (plan.form === 'long' && consumers > 0) findings.broke(`${phase}, and ${consumers} consumers are known`);
    if (lock > 0) findings.broke(`${phase}, and ${lock} of the lock's votes are held`);
  }
  if (looks === 0) findings.broke('nobody looked at what is left in Redis: the campaign did not come to its end');
}
