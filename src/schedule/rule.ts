import type { Duration } from '../duration.js';
import type { Instant } from '../instant.js';

/** What to do with a local time that the clocks leap over: run it at the end of the gap, or not at all. */
export type Gap = 'shift' | 'skip';

/** Which of two to take when the clocks are put back and a local time comes twice. */
export type Fold = 'first' | 'last' | 'both';

/**
 * When a schedule has its occurrences. Without `gap` and `fold` they follow the pattern: where its field of hours begins
 * with `*` it means elapsed time, so that nothing is shifted and a repeated hour runs twice; where it names hours, each of
 * them is one time a day: shifted to the end of a gap, and only the first of two.
 */
export type ScheduleRule =
  | {
      /** Five fields, or six with seconds first, as croner reads them: names, `L`, `W`, `#`, `@daily` and its like. No years. */
      readonly cron: string;
      /** IANA name of the zone the pattern is in. Default `UTC`. */
      readonly tz?: string | undefined;
      readonly gap?: Gap | undefined;
      readonly fold?: Fold | undefined;
    }
  | {
      /** The time from one to the next, from 100ms. */
      readonly every: Duration;
      /** One of its times; all others are whole multiples of `every` away. Default 1970-01-01T00:00Z. */
      readonly anchor?: Instant | undefined;
    }
  | {
      /** Single times, 1 to 1,000. */
      readonly at: readonly Instant[];
    };

export type ScheduleTiming = ScheduleRule & {
  /** No occurrence before it. */
  readonly start?: Instant | undefined;
  /** No occurrence at or after it. */
  readonly end?: Instant | undefined;
  /**
   * Left out: dates such as `2027-12-24` in the rule's zone (UTC for `every` and `at`), single times in ISO 8601, or all that
   * a second pattern matches, in that zone. A pattern of five fields matches the whole minute. At most 1,000, 20 of them
   * patterns. Dates and patterns are held against the time as the rule has it, before a gap shifts it.
   */
  readonly exclude?: readonly (string | { readonly cron: string })[] | undefined;
  /**
   * Each occurrence is due that much later at most, by its name and time and not by luck, and always before the next. Default
   * 0; at most the shortest time from one occurrence to the next.
   */
  readonly jitter?: Duration | undefined;
};

export interface CronRule {
  readonly kind: 'cron';
  readonly cron: string;
  readonly tz: string;
  readonly gap: Gap;
  readonly fold: Fold;
}

export interface EveryRule {
  readonly kind: 'every';
  readonly everyMs: number;
  readonly anchorMs: number;
}

export interface AtRule {
  readonly kind: 'at';
  readonly atMs: readonly number[];
}

export interface Exclude {
  /** Calendar dates, sorted. */
  readonly dates: readonly string[];
  /** Single times, sorted. */
  readonly timesMs: readonly number[];
  readonly crons: readonly string[];
}

/**
 * A timing as it is kept: checked, with every default written out, frozen, and JSON as it is. The order of its fields is
 * always the same, so that equal timings are equal texts.
 */
export interface Timing {
  readonly rule: CronRule | EveryRule | AtRule;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly exclude: Exclude;
  readonly jitterMs: number;
}
