/**
 * Two clocks. `nowMs` is the monotonic one, which all processes of a host share: drain and latency are measured by it.
 * Tasks are due by the wall clock, which Redis reads too; `wallClock` tells how the two stand to each other.
 */

/** CLOCK_MONOTONIC in ms with a fraction. */
export function nowMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What to add to `performance.now()` of this process to get `nowMs()`; that one costs a handler less. */
export function sharedOffsetMs() {
  return nowMs() - performance.now();
}

/** Of this many edges the one that was seen soonest counts: a process that loses the CPU in between sees one late. */
const edges = 20;

/**
 * What the wall clock is ahead of the monotonic one, to some microseconds: Date.now() steps at the edge of a
 * millisecond, and the two readings of the monotonic clock around a step hold it between them.
 */
export function wallOffset() {
  let tightest = { offsetMs: 0, withinMs: Number.POSITIVE_INFINITY, atMs: 0 };
  for (let edge = 0; edge < edges; edge += 1) {
    const seen = nextEdge();
    if (seen.withinMs < tightest.withinMs) tightest = seen;
  }
  return tightest;
}

function nextEdge() {
  const from = Date.now();
  let beforeMs = nowMs();
  for (;;) {
    const wallMs = Date.now();
    const afterMs = nowMs();
    if (wallMs !== from) {
      const withinMs = (afterMs - beforeMs) / 2;
      return { offsetMs: wallMs - beforeMs - withinMs, withinMs, atMs: afterMs };
    }
    beforeMs = afterMs;
  }
}

/** Turns monotonic instants of a run into wall ones. Looked at before and after it: a wall clock is slewed meanwhile. */
export function wallClock(before, after) {
  const slope = (after.offsetMs - before.offsetMs) / (after.atMs - before.atMs);
  return (atMs) => atMs + before.offsetMs + slope * (atMs - before.atMs);
}
