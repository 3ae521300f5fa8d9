/**
 * The clock that all processes of this host share: CLOCK_MONOTONIC, in ms with a fraction. Wall clocks differ by
 * milliseconds between two processes, and a campaign steps them on purpose.
 */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What to add to `performance.now()` of this process, by which the library reckons, to get that clock. */
export function sharedClockOffsetMs(): number {
  return nowMs() - performance.now();
}

/** The clock on the wall of this process, which a campaign may step. */
export function wallMs(): number {
  return Date.now();
}
