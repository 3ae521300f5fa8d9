import type { Clock } from '../clock.js';
import { DuestreamError, invalid } from '../errors.js';
import { type Instant, instantMs } from '../instant.js';
import { checkOptions, checkSwitch, wholeNumber } from '../options.js';
import { hasRoomFor } from '../schedule/backfill.js';
import { countOpen } from '../schedule/backfill-count.js';
import type { Backfill, Cursor } from '../schedule/cursor.js';
import type { Standing } from '../schedule/step.js';

export interface BackfillOptions {
  readonly from: Instant;
  /** Up to but not at it. Default: now. No time that is still to come is backfilled. */
  readonly to?: Instant;
  /** At most so many a second, 1 to 10,000. Default 100. */
  readonly perSecond?: number;
  /** Also those that the schedule has fired, as far as they are not in the queue any more. Default: only those it has not. */
  readonly again?: boolean;
}

/** What a backfill would add. Times are epoch ms. */
export interface BackfillPreview {
  readonly name: string;
  readonly from: number;
  /** Up to but not at it: what is still to come is left out. */
  readonly to: number;
  /** How many occurrences, 100,000 at most. */
  readonly count: number;
  /** There are more than `count`. */
  readonly hasMore: boolean;
}

const tooScattered = 'was backfilled in 100 ranges that lie apart: begin in one of them, or where it ends';
const optionNames = ['from', 'to', 'perSecond', 'again'];
const countMax = 100_000;
/** Of a count, each of about a thousand times at most, and so long at most. */
const piecesMax = 2_000;
const pieceMsMax = 20;

/** The backfill that somebody asks for, once it is known how far the schedule has come. Checked before anything is sent. */
export function backfillOf(name: string, options: BackfillOptions): (cursor: Cursor, nowMs: number) => Backfill {
  checkOptions(options ?? null, optionNames, 'a backfill');
  const { from, to, perSecond = 100, again = false } = options;
  checkSwitch(again, 'again');
  wholeNumber(perSecond, 'perSecond', { min: 1, max: 10_000 });
  const fromMs = instantMs(from, 'from');
  const givenToMs = to === undefined ? Number.POSITIVE_INFINITY : instantMs(to, 'to');
  if (givenToMs <= fromMs) throw invalid('to must be later than from');
  return (cursor, nowMs) => {
    if (cursor.backfill !== null) throw new DuestreamError('ERR_CONFLICT', `${name} is being backfilled already`);
    const toMs = Math.min(givenToMs, nowMs, cursor.nextMs ?? nowMs);
    if (toMs <= fromMs) throw invalid('from must be in the past: what is still to come is not backfilled');
    if (!hasRoomFor(cursor, [fromMs, toMs])) throw new DuestreamError('ERR_CONFLICT', `${name} ${tooScattered}`);
    return { fromMs, nextMs: fromMs, toMs, perSecond, again, lookMs: nowMs, count: 0 };
  };
}

/** Counts in pieces, between which other work has its turn: a pattern takes some µs for each time. */
export async function countBackfill(
  standing: Standing & { readonly name: string },
  backfill: Backfill,
  clock: Clock,
): Promise<BackfillPreview> {
  const { fromMs: from, toMs: to } = backfill;
  let count = 0;
  let nextMs: number | null = from;
  for (let pieces = 0; nextMs !== null && count <= countMax && pieces < piecesMax; pieces += 1) {
    if (pieces > 0) await clock.sleep(0);
    const endMs = clock.monotonicMs() + pieceMsMax;
    const piece = countOpen(standing, backfill, { nextMs, hasTime: () => clock.monotonicMs() < endMs });
    count += piece.count;
    nextMs = piece.nextMs;
  }
  const hasMore = nextMs !== null || count > countMax;
  return { name: standing.name, from, to, count: Math.min(count, countMax), hasMore };
}
