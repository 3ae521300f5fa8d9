import { instantMsMax } from '../instant.js';
import type { Backfill, Cursor, Range } from './cursor.js';
import { nextNominal } from './nominal.js';
import { aheadMs, type Standing, type Step, stay } from './step.js';

/** How often a backfill goes on, so that its rate is kept without one great heap each second. */
const everyMs = 100;
/** Nominal times looked at in one go, most of which may have been fired. */
const looksMax = 1_000;
/** They are read with every look at the schedule. */
const rangesMax = 100;

/** The next handful of a backfill, if it is due. They run beside what is there: no overlap is looked at. */
export function planBackfill(
  { definition, cursor }: Standing,
  { nowMs, hasTime = () => true }: { nowMs: number; hasTime?: () => boolean },
): Step[] {
  const { backfill } = cursor;
  if (backfill === null || backfill.lookMs > nowMs + aheadMs) return [];
  const { timing } = definition;
  const { perSecond } = backfill;
  const firesMax = Math.ceil((perSecond * everyMs) / 1_000);
  const steps: Step[] = [];
  // Looks are taken so long ahead: all of them are, so that it keeps its rate.
  const lookMs = Math.max(nowMs + aheadMs, backfill.lookMs) + Math.ceil((firesMax * 1_000) / perSecond);
  let at = { ...backfill, lookMs };
  const after = (ms: number): number | null => nextNominal(timing, openFrom(cursor, backfill, ms) - 1);
  let nominalMs = after(backfill.nextMs);
  for (let looks = 0; looks < looksMax && steps.length < firesMax && (looks === 0 || hasTime()); looks += 1) {
    if (nominalMs === null || nominalMs >= backfill.toMs)
      return [...steps, stay(ended(cursor, { ...at, nextMs: at.toMs }))];
    const nextMs = after(nominalMs + 1);
    at = { ...at, nextMs: nominalMs + 1 };
    if (isOpen(cursor, backfill, nominalMs)) {
      at = { ...at, count: at.count + 1 };
      steps.push({ ...stay({ ...cursor, backfill: at }), fireMs: nominalMs });
    }
    nominalMs = nextMs;
  }
  return [...steps, stay({ ...cursor, backfill: at })];
}

/** Whether it has not been fired: what has come since the schedule was made, by whatever rule, is taken for fired unless it is listed. */
export function isOpen(
  { createdMs, passed, filled, waiting }: Cursor,
  { again }: Backfill,
  nominalMs: number,
): boolean {
  if (waiting.includes(nominalMs)) return false;
  if (again) return true;
  if (filled.some(([fromMs, toMs]) => nominalMs >= fromMs && nominalMs < toMs)) return false;
  const wasPassed = passed.some(({ fromMs, toMs }) => nominalMs >= fromMs && nominalMs <= toMs);
  return nominalMs < createdMs || wasPassed;
}

/** The first instant from that one on at which a time may be open, as `isOpen` has it. */
export function openFrom({ createdMs, passed, filled }: Cursor, { again }: Backfill, fromMs: number): number {
  if (again) return fromMs;
  const [, filledMs] = filled.find(([startMs, endMs]) => fromMs >= startMs && fromMs < endMs) ?? [];
  const afterMs = filledMs ?? fromMs;
  if (afterMs < createdMs) return afterMs;
  const lines = passed.filter(({ toMs }) => toMs >= afterMs);
  return lines.reduce((firstMs, line) => Math.min(firstMs, Math.max(line.fromMs, afterMs)), instantMsMax);
}

/** Without a backfill: what it has added, and where it has been up to `nextMs`, stays known. */
export function ended(cursor: Cursor, { fromMs, nextMs, toMs, count }: Backfill): Cursor {
  const filled = nextMs > fromMs ? joined([...cursor.filled, [fromMs, nextMs]]) : cursor.filled;
  return { ...cursor, backfill: null, lastBackfill: { fromMs, nextMs, toMs, count }, filled };
}

/** Whether another range can be kept beside those that were filled. */
export function hasRoomFor({ filled }: Cursor, [fromMs, toMs]: Range): boolean {
  const itsFirst: Range = [fromMs, fromMs + 1]; // it may be stopped at once
  return [itsFirst, [fromMs, toMs] as const].every((range) => joined([...filled, range]).length <= rangesMax);
}

/** In order, those that touch joined. */
function joined(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const [fromMs, toMs] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last !== undefined && fromMs <= last[1]) all[all.length - 1] = [last[0], Math.max(last[1], toMs)];
    else all.push([fromMs, toMs]);
  }
  return all;
}
