import { isOpen, openFrom } from './backfill.js';
import type { Backfill } from './cursor.js';
import { nextNominal } from './nominal.js';
import type { Standing } from './step.js';

/** Nominal times looked at in one go, unless its time is up before. */
const looksMax = 1_000;

/**
 * How many of its times are to be fired, counted from `nextMs` on: as many as are found in one go, and where the next is to go
 * on; null: that were all. Where nothing is open it looks at nothing.
 */
export function countOpen(
  { definition: { timing }, cursor }: Standing,
  backfill: Backfill,
  { nextMs, hasTime }: { nextMs: number; hasTime: () => boolean },
): { count: number; nextMs: number | null } {
  let count = 0;
  let nominalMs: number | null = nextMs - 1;
  for (let looks = 0; looks < looksMax && (looks === 0 || hasTime()); looks += 1) {
    nominalMs = nextNominal(timing, openFrom(cursor, backfill, nominalMs + 1) - 1);
    if (nominalMs === null || nominalMs >= backfill.toMs) return { count, nextMs: null };
    if (isOpen(cursor, backfill, nominalMs)) count += 1;
  }
  return { count, nextMs: nominalMs + 1 };
}
