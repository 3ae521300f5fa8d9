import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { startText } from './starts.js';
import type { End, Start, TaskLife, Told } from './task-life.js';

const verbs = { completed: 'complete', retried: 'retry', dead: 'bury' } as const;

/**
 * SETTLE_UNIQUE: a task ends once, a delivery is settled once, nothing starts after its end, and what a worker was told
 * is what Redis wrote.
 */
export function settleUnique(evidence: Evidence, findings: Findings): void {
  for (const life of evidence.tasks.values()) {
    endsOnce(life, evidence, findings);
    settledOnce(life, findings);
    startsBeforeItsEnd(life, evidence, findings);
    toldIsWritten(life, evidence, findings);
  }
}

function endsOnce({ id, ends }: TaskLife, { when }: Evidence, findings: Findings): void {
  if (ends.length < 2) return;
  const all = ends.map(({ verb, fromMs }) => `${verb} at ${when(fromMs)}`);
  findings.broke(`${id} ended ${ends.length} times: ${all.join(', ')}`);
}

/** Only what a consumer settled has a delivery. */
function settledOnce({ id, ends, retries }: TaskLife, findings: Findings): void {
  if (ends.length + retries.length < 2) return;
  const seen = new Set<string>();
  for (const { of, count, consumer } of [...retries, ...ends]) {
    const delivery = `${of}, delivery ${count}`;
    if (consumer !== '' && seen.has(delivery)) findings.broke(`${id}: entry ${delivery} was settled twice`);
    seen.add(delivery);
  }
}

function startsBeforeItsEnd(life: TaskLife, evidence: Evidence, findings: Findings): void {
  const { faults, plan, when } = evidence;
  for (const start of life.starts) {
    const over = life.ends.find((end) => isAfter(start.at, end, plan.leaseMs)) ?? retryOf(life, start.attempt);
    if (over === undefined || !isAfter(start.at, over, plan.leaseMs)) continue;
    if (faults.cost(['group', 'writes'], { fromMs: over.fromMs - plan.leaseMs, toMs: start.at }, life.places)) continue;
    findings.broke(`${startText(start, when)}, after its ${over.verb} at ${when(over.toMs)}`);
  }
}

function retryOf({ retries }: TaskLife, attempt: number): End | undefined {
  return retries[attempt - 1];
}

/** A cancel may come between open and the handler's first line; what was opened starts within its lease or not at all. */
function isAfter(at: number, { verb, toMs }: End, leaseMs: number): boolean {
  return at > toMs + (verb === 'cancelled' ? leaseMs : 0);
}

function toldIsWritten(life: TaskLife, evidence: Evidence, findings: Findings): void {
  const { id, told, ends, retries } = life;
  const { faults, when } = evidence;
  const written = [...retries, ...ends];
  const counted = { completed: 0, retried: 0, dead: 0 };
  for (const one of told) {
    const { what, at, by } = one;
    if (what === 'recovered' || what === 'lease_lost') continue;
    if (faults.mayHaveLost(at, life.places, ownStart(life, one)?.at)) continue; // what a busy worker hears may be old
    counted[what] += 1;
    const end = written.filter(({ verb }) => verb === verbs[what])[counted[what] - 1];
    if (end !== undefined && end.fromMs <= at) {
      byItsHolder(life, { told: one, end }, { evidence, findings });
      continue;
    }
    findings.broke(
      `${by} was told at ${when(at)} that ${id} is ${what}, the ${counted[what]}. time, and Redis did not write that`,
    );
  }
}

/** The last start of that attempt by whom it was told. */
function ownStart({ starts }: TaskLife, told: Told): Start | undefined {
  return starts.filter(({ attempt, by, at }) => attempt === told.attempt && by === told.by && at < told.at).at(-1);
}

/** Who settles is who holds the delivery: nobody else had started that attempt in the meantime. */
function byItsHolder(
  life: TaskLife,
  { told, end }: { told: Told; end: End },
  { evidence: { faults, plan, when }, findings }: { evidence: Evidence; findings: Findings },
): void {
  const ofAttempt = life.starts.filter(({ attempt, at }) => attempt === told.attempt && at < end.fromMs);
  const last = ofAttempt.at(-1);
  const own = ownStart(life, told);
  if (last === undefined || last.by === told.by || (own !== undefined && own.at >= last.at)) return;
  const span = { fromMs: (ofAttempt[0] as Start).at - plan.leaseMs, toMs: end.toMs };
  if (faults.cost(['group', 'writes'], span, life.places)) return;
  findings.broke(`${startText(last, when)}, and ${told.by} settled it at ${when(end.toMs)}, which had lost it by then`);
}
