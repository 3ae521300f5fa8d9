import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Makes the series of one registry. Each name gets the prefix here, so that none can miss it. */
export interface Series {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, options?: GaugeOptions<L>): Gauge<L>;
  histogram<L extends string>(name: string, help: string, options: HistogramOptions<L>): Histogram<L>;
}

export interface GaugeOptions<L extends string> {
  readonly labels?: readonly L[];
  /** Runs at each scrape, before the value is read. It must not reject: that fails the scrape of a handed-in registry. */
  readonly collect?: () => Promise<void>;
}

export interface HistogramOptions<L extends string> {
  readonly labels: readonly L[];
  readonly buckets: readonly number[];
}

export const prefix = 'duestream_';

/** Lag and delay, in seconds: fine around the 10 ms that are promised, coarse up to a backlog of minutes. */
export const lagBuckets: readonly number[] = [
  0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 6, 15, 60,
  300,
];

/** A call to Redis, in seconds: up to its deadline. */
export const callBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];

/** A handler's run, in seconds. Few, for this histogram is kept per task name. */
export const runBuckets: readonly number[] = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900];

export function seriesOf(registry: Registry): Series {
  const registers = [registry];
  return {
    counter: (name, help, labelNames = []) => new Counter({ name: prefix + name, help, labelNames, registers }),
    gauge: (name, help, { labels: labelNames = [], collect } = {}) =>
      new Gauge({ name: prefix + name, help, labelNames, registers, ...(collect && { collect }) }),
    histogram: (name, help, { labels: labelNames, buckets }) =>
      new Histogram({ name: prefix + name, help, labelNames, registers, buckets: [...buckets] }),
  };
}

/** Ms as seconds. Never below 0: a sum that falls reads as a restart, and two clocks may differ by a ms. */
export function seconds(ms: number): number {
  return Math.max(0, ms) / 1_000;
}
