/**
 * How large each case is: in full, quick, and the least that `--scale` leaves of it. Every system runs the same size,
 * and the words of a case say it where it matters.
 */
const table = {
  addOneByOne: [10_000, 2_000, 50],
  addInFlight: [50_000, 10_000, 100],
  addBulk: [100_000, 20_000, 1_000],
  drain: [100_000, 20_000, 200],
  drainOne: [20_000, 5_000, 50],
  latency: [200, 50, 5],
  burst: [100_000, 20_000, 100],
  spreadSeconds: [20, 3, 0.1],
  alone: [100, 12, 2],
  others: [1_000_000, 50_000, 500],
  memorySmall: [200_000, 20_000, 200],
  growth: [3_000_000, 100_000, 400],
  growthCounted: [100_000, 10_000, 100],
  idleSeconds: [10, 2, 0.2],
  settleSeconds: [1.5, 0.7, 0.3],
  slow: [10_000, 3_000, 200],
};

/** @returns {Record<keyof typeof table, number>} */
export function sizesOf({ quick, scale }) {
  const sized = ([full, small, least]) => {
    const size = Math.max(least, (quick ? small : full) * scale);
    return size < 1 ? size : Math.round(size);
  };
  return Object.fromEntries(Object.entries(table).map(([name, sizes]) => [name, sized(sizes)]));
}

/** 100000 -> 100,000: as it stands in the words of a case. */
export function shown(count) {
  return count.toLocaleString('en-US');
}
