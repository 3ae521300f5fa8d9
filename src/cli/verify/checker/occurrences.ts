import { latenessOf } from '../../demo/lateness.js';
import type { Findings } from './check-result.js';
import { calmLateness } from './due-times.js';
import type { Evidence } from './evidence.js';
import { firedAfterDeath, firingTerms, leaderDeaths } from './firings.js';
import { graceMs } from './recovery.js';
import { nominalTimesOf, occurrenceIdOf, type ScheduleLife, strangeness } from './schedule-life.js';
import { grows, type ExtraStart, startText } from './starts.js';
import type { TaskLife } from './task-life.js';

/**
 * ONE_OCCURRENCE: each nominal time of a schedule, from its first to its end, is fired once, started and ended; none is
 * fired in a pause, nor one that its rule does not have. The cursor and what was fired are one write: what Redis lost of
 * them it lost together, so no loss excuses a time that is missing, or was fired twice.
 */
export function oneOccurrence(evidence: Evidence, findings: Findings): void {
  const { schedules, plan } = evidence;
  const lives = [...evidence.tasks.values()].filter(({ nominal }) => nominal !== undefined);
  const missing = [...schedules.values()].flatMap((schedule) => {
    const owed = nominalTimesOf(schedule, plan.leaseMs + plan.lockTtlMs + graceMs);
    return owed.map((ms) => occurrenceIdOf(schedule.name, ms)).filter((id) => isMissing(id, evidence, findings));
  });
  const firings = firingsOf(evidence);
  const twice = lives.filter((life) => wasTwice(life, { times: firings.get(life.id) ?? 0, evidence, findings }));
  for (const life of lives) outOfPlace(life, evidence, findings);
  if (schedules.size === 0) return;
  findings.figure('occurrences', lives.length);
  findings.figure('occurrencesMissing', missing.length);
  findings.figure('occurrencesTwice', twice.length);
  findings.figure('firingTerms', firingTerms(evidence));
  findings.figure('leaderDeaths', leaderDeaths(evidence).length);
  findings.figure('firedLateAfterDeath', firedAfterDeath(evidence));
  tellLateness(lives, evidence, findings);
}

function isMissing(id: string, { tasks }: Evidence, findings: Findings): boolean {
  const { starts = [], ends = [] } = tasks.get(id) ?? {};
  if (starts.length > 0 && ends.length > 0) return false;
  findings.broke(starts.length === 0 ? `${id} never started` : `${id} has no end`);
  return true;
}

/** How often each was fired, as Redis noted it. */
function firingsOf({ audit }: Evidence): Map<string, number> {
  const times = new Map<string, number>();
  for (const record of audit.flat()) {
    if (record.op !== 'tick') continue;
    for (const id of record.ids) times.set(id, (times.get(id) ?? 0) + 1);
  }
  return times;
}

/** A second life, by what fired it, by how it ended, or by a start that goes on with no delivery before it. */
function wasTwice(
  life: TaskLife,
  { times, evidence, findings }: { times: number; evidence: Evidence; findings: Findings },
): boolean {
  const { id, ends } = life;
  if (times > 1) findings.broke(`${id} was fired ${times} times`);
  else if (ends.length > 1) findings.broke(`${id} ended ${ends.length} times`);
  else {
    const anew = begunAnew(life, evidence);
    if (anew === undefined) return false;
    findings.broke(`${startText(anew.before, evidence.when)}, and anew: ${startText(anew.again, evidence.when)}`);
  }
  return true;
}

/** A group that was made anew counts deliveries anew; an end that Redis lost was none. */
function begunAnew({ places, starts }: TaskLife, { faults, plan }: Evidence): ExtraStart | undefined {
  const pairs = starts.slice(1).map((again, at) => ({ before: starts[at] ?? again, again }));
  return pairs.find(({ before, again }) => {
    const span = { fromMs: before.at - plan.leaseMs, toMs: again.at };
    return !grows(before, again) && !faults.cost(['group', 'writes'], span, places);
  });
}

function outOfPlace({ id, nominal, places, starts }: TaskLife, evidence: Evidence, findings: Findings): void {
  const { schedules, faults, when } = evidence;
  const schedule = nominal && schedules.get(nominal.schedule);
  if (nominal === undefined || schedule === undefined) return;
  const strange = strangeness(schedule, nominal.ms);
  if (strange !== undefined) findings.broke(`${id} ran, ${strange}`);
  for (const start of starts) {
    const pause = pauseAt(schedule, { at: start.at, nominalMs: nominal.ms });
    if (pause === undefined || faults.mayHaveLost(pause.fromAt, places)) continue;
    findings.broke(`${startText(start, when)}, in the pause of its schedule from ${when(pause.fromAt)} on`);
  }
}

function pauseAt(
  { pauses }: ScheduleLife,
  { at, nominalMs }: { at: number; nominalMs: number },
): ScheduleLife['pauses'][number] | undefined {
  return pauses.find(({ nextMs, fromAt, toAt }) => nominalMs >= nextMs && at > fromAt && at < toAt);
}

/** From the nominal time to the first start: where nothing was broken, and of all. */
function tellLateness(lives: readonly TaskLife[], evidence: Evidence, findings: Findings): void {
  const lateMs = lives.flatMap(({ nominal, starts: [first] }) => {
    if (nominal === undefined || first === undefined) return [];
    const { lowMs, highMs } = evidence.clock.offsetAt(first.at);
    return [Math.max(0, first.at + (lowMs + highMs) / 2 - nominal.ms)];
  });
  const calm = calmLateness(evidence, lives);
  const all = latenessOf(lateMs.filter(Number.isFinite));
  for (const [name, ms] of Object.entries({
    occurrencesCalmP50Ms: calm.p50Ms,
    occurrencesCalmP99Ms: calm.p99Ms,
    occurrencesP50Ms: all.p50Ms,
    occurrencesP99Ms: all.p99Ms,
    occurrencesMaxMs: all.maxMs,
  })) {
    if (ms !== null) findings.figure(name, ms);
  }
}
