import { instantMsMax } from '../instant.js';
import { isOpen } from './backfill.js';
import type { Backfill, Cursor } from './cursor.js';
import { nextNominal } from './nominal.js';
import type { Standing } from './step.js';

/** Nominal times looked at in one go: 10 ms of work at most. */
const looksMax = 1_000;

/**
 * How many of its times are to be fired, counted from `nextMs` on: as many as `looksMax` looks find, and where the next is to go
 * on; null: that were all. Where nothing is open it looks at nothing.
 */
export function countOpen(
  { definition: { timing }, cursor }: Standing,
  backfill: Backfill,
  nextMs: number,
): { count: number; nextMs: number | null } {
  let count = 0;
  let nominalMs: number | null = nextMs - 1;
  for (let looks = 0; looks < looksMax; looks += 1) {
    nominalMs = nextNominal(timing, openFrom(cursor, backfill, nominalMs + 1) - 1);
    if (nominalMs === null || nominalMs >= backfill.toMs) return { count, nextMs: null };
    if (isOpen(cursor, backfill, nominalMs)) count += 1;
  }
  return { count, nextMs: nominalMs + 1 };
}

/** The first instant from that one on at which a time may be open, as `isOpen` has it. */
function openFrom({ createdMs, passed, filled }: Cursor, { again }: Backfill, fromMs: number): number {
  if (again) return fromMs;
  const [, filledMs] = filled.find(([startMs, endMs]) => fromMs >= startMs && fromMs < endMs) ?? [];
  const afterMs = filledMs ?? fromMs;
  if (afterMs < createdMs) return afterMs;
  const lines = passed.filter(({ toMs }) => toMs >= afterMs);
  return lines.reduce((firstMs, line) => Math.min(firstMs, Math.max(line.fromMs, afterMs)), instantMsMax);
}
