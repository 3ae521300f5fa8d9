/** Numbers from numbers. */

export function ascending(values) {
  return Float64Array.from(values).sort();
}

/** The smallest value that at least this share of the values, in order, does not exceed. */
export function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export function median(values) {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
