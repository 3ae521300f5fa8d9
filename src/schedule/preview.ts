import { systemClock } from '../clock.js';
import { formatDuration, shown } from '../duration.js';
import { invalid } from '../errors.js';
import { type Instant, instantMs } from '../instant.js';
import { wholeNumber } from '../options.js';
import { dueOf } from './due.js';
import { nothingExcluded } from './exclude-option.js';
import { nextNominal } from './nominal.js';
import { changeNotes, localText } from './preview-text.js';
import type { ScheduleTiming, Timing } from './rule.js';
import { resolveTiming } from './timing.js';

export interface PreviewOptions {
  /** The first time that is looked at. Default now. */
  readonly from?: Instant | undefined;
  /** The time at which the preview ends, itself no longer in it. Default: none. */
  readonly to?: Instant | undefined;
  /** How many that run, 1 to 1,000. Default 10. */
  readonly count?: number | undefined;
  /** The schedule's name, on which the jitter depends. Without it no jitter is shown. */
  readonly name?: string | undefined;
}

export interface PreviewedOccurrence {
  /** Epoch ms of the time the rule gives. */
  readonly nominal: number;
  /** Epoch ms at which it is due: the nominal time and its jitter. */
  readonly due: number;
  /** The nominal time in the rule's zone, such as `2027-03-28T03:00:00+02:00`. */
  readonly local: string;
  /** What a gap, a fold, an exclusion or the jitter did to it. */
  readonly notes: readonly string[];
  /** It does not run: left out, or one of the two of a repeated time, or in a gap; the notes say which. */
  readonly skipped: boolean;
}

const optionNames = ['from', 'to', 'count', 'name'];
const countMax = 1_000;
/** Of times that are skipped one after the other, so many are shown. */
const skippedMax = 5;

/**
 * The occurrences to come, without Redis. Those that do not run are entries too, on top of `count`, so that a preview shows
 * what an exclusion or a change of the clocks takes away; of many in a row only the first five.
 */
export function previewSchedule(input: ScheduleTiming, options: PreviewOptions = {}): PreviewedOccurrence[] {
  const timing = resolveTiming(input);
  const { fromMs, toMs, count, name } = resolved(options);
  const wide = withoutPolicy(timing);
  const entries: PreviewedOccurrence[] = [];
  let nextMs = nextNominal(timing, fromMs - 1);
  let atMs = nextNominal(wide, fromMs - 1);
  let [runs, skips] = [0, 0];
  while (atMs !== null && atMs < toMs && runs < count) {
    const skipped = atMs !== nextMs;
    skips = skipped ? skips + 1 : 0;
    const followingMs = nextNominal(wide, atMs);
    const isCut = skips === skippedMax && followingMs !== nextMs;
    entries.push(entryOf(timing, { atMs, skipped, name, isCut }));
    if (!skipped) {
      runs += 1;
      nextMs = nextNominal(timing, atMs);
    }
    atMs = isCut ? nextMs : followingMs;
  }
  return entries;
}

function resolved(options: PreviewOptions): { fromMs: number; toMs: number; count: number; name: string | undefined } {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`options must be an object, got ${shown(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name));
  if (unknown !== undefined) {
    throw invalid(`unknown option ${shown(unknown)}: expected one of ${optionNames.join(', ')}`);
  }
  const { from, to, count = 10, name } = options;
  if (name !== undefined && typeof name !== 'string') throw invalid(`name must be a text, got ${shown(name)}`);
  const fromMs = from === undefined ? systemClock.wallMs() : instantMs(from, 'from');
  const toMs = to === undefined ? Infinity : instantMs(to, 'to');
  if (toMs <= fromMs) throw invalid(`to must be after from, got ${shown(to)}`);
  return { fromMs, toMs, count: wholeNumber(count, 'count', { min: 1, max: countMax }), name };
}

/** Every time at which the rule has something to say: nothing left out, gaps shifted, both of two. */
function withoutPolicy(timing: Timing): Timing {
  const { rule } = timing;
  const wide = rule.kind === 'cron' ? ({ ...rule, gap: 'shift', fold: 'both' } as const) : rule;
  return { ...timing, rule: wide, exclude: nothingExcluded };
}

interface Found {
  readonly atMs: number;
  readonly skipped: boolean;
  readonly name: string | undefined;
  readonly isCut: boolean;
}

function entryOf(timing: Timing, { atMs, skipped, name, isCut }: Found): PreviewedOccurrence {
  const { rule } = timing;
  const due = skipped || name === undefined ? atMs : dueOf(timing, { schedule: name, nominalMs: atMs });
  const isExcluded = skipped && nextNominal({ ...timing, exclude: nothingExcluded }, atMs - 1) === atMs;
  const changes = isExcluded ? [] : changeNotes(timing, { atMs, skipped });
  const notes = [
    ...(skipped && changes.length === 0 ? ['excluded'] : changes),
    ...(skipped ? [] : jitterNotes(timing, { lateMs: due - atMs, name })),
    ...(isCut ? ['as are those after it, up to the next that is shown'] : []),
  ];
  return { nominal: atMs, due, local: localText(rule.kind === 'cron' ? rule.tz : 'UTC', atMs), notes, skipped };
}

function jitterNotes({ jitterMs }: Timing, { lateMs, name }: { lateMs: number; name: string | undefined }): string[] {
  if (jitterMs === 0) return [];
  if (name === undefined) return [`jitter of less than ${formatDuration(jitterMs)}, by the name of the schedule`];
  return [`jitter +${formatDuration(lateMs)}`];
}
