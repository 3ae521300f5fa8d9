/** How long after their due time tasks started. Null when there are none. */
export interface Lateness {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export function latenessOf(latenessesMs: readonly number[]): Lateness {
  const sorted = latenessesMs.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? null,
  };
}

/** The smallest value that so many are not above. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** 0.42 ms, 12 ms, 1.62 s. */
export function msText(ms: number | null): string {
  if (ms === null) return '-';
  if (Math.abs(ms) >= 999.5) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms.toFixed(digitsFor(Math.abs(ms)))} ms`;
}

function digitsFor(ms: number): number {
  if (ms >= 99.5) return 0;
  return ms >= 9.95 ? 1 : 2;
}
