/** Results that nobody measured, to try the report on: about what each case comes to, and something around it. */

type Row = readonly [measure: string, row: string, unit: string, better: 'more' | 'less', ...values: (number | null)[]];

/** After the words: the bare loop, Duestream, BullMQ, bee-queue; null where a system has no such figure. */
const rows: readonly Row[] = [
  ['add', 'one by one', 'tasks/s', 'more', 10_900, 9_400, 5_200, 6_000],
  ['add', '100 in flight', 'tasks/s', 'more', 63_000, 66_000, 15_400, 19_000],
  ['add', 'bulk of 1,000', 'tasks/s', 'more', 81_000, 130_000, 12_400, 24_000],
  ['drain', 'one worker, concurrency 1', 'tasks/s', 'more', 9_600, 11_000, 3_700, 3_100],
  ['drain', 'one worker, concurrency 10', 'tasks/s', 'more', 43_000, 28_000, 6_700, 9_300],
  ['drain', 'one worker, concurrency 100', 'tasks/s', 'more', 58_000, 48_000, 7_700, 13_100],
  ['drain', 'two workers, concurrency 100', 'tasks/s', 'more', 78_000, 40_000, 6_600, 14_500],
  ['latency', 'due now, idle, p50', 'ms', 'less', 0.7, 1.1, 2.5, 1.9],
  ['latency', 'due now, idle, p99', 'ms', 'less', 2.1, 3.4, 7.8, 6.1],
  ['lateness', '100,000 at one instant, first', 'ms', 'less', 2, 3.2, 41, 30],
  ['lateness', '100,000 at one instant, p50', 'ms', 'less', 1_080, 1_300, 6_500, 4_100],
  ['lateness', '100,000 at one instant, last', 'ms', 'less', 2_160, 2_500, 12_700, 8_200],
  ['lateness', '1,000/s, p50', 'ms', 'less', 0.8, 1.2, 43, 22],
  ['lateness', '1,000/s, p99', 'ms', 'less', 7.6, 9.5, 154, 71],
  ['lateness', '1,000/s, max', 'ms', 'less', 15, 19, 260, 140],
  ['lateness', 'one alone, p50', 'ms', 'less', 1.9, 2.2, 58, 12],
  ['lateness', 'one alone, p99', 'ms', 'less', 6.4, 8, 84, 31],
  ['lateness', 'one alone beside 1,000,000, p50', 'ms', 'less', 2, 2.4, 61, 13],
  ['lateness', 'one alone beside 1,000,000, p99', 'ms', 'less', 6.9, 9, 92, 36],
  ['cost', 'memory per scheduled task, 200,000', 'bytes', 'less', 316, 350, 879, 376],
  ['cost', 'memory per scheduled task, 1,000,000', 'bytes', 'less', 318, 352, 881, 377],
  ['cost', 'Redis CPU per task drained', 'µs', 'less', 8.4, 14.5, 106, 60],
  ['cost', 'Node CPU per task drained', 'µs', 'less', 10.8, 21, 109, 66],
  ['cost', 'idle leader and worker', 'commands/s', 'less', null, 9.6, 3.1, 2.4],
  ['cost', 'idle leader', 'commands/s', 'less', null, 7.4, null, null],
  ['cost', 'slow handlers, share of what is possible', 'share', 'more', 0.99, 0.98, 0.97, 0.97],
  ['cost', 'two workers, smaller share of a backlog', 'share', 'more', 0.49, 0.47, 0.48, 0.45],
];

const along: readonly [row: string, unit: string, points: Readonly<Record<number, number>>][] = [
  ['drain, ready', 'tasks/s', { 10_000: 47_000, 100_000: 48_000, 1_000_000: 46_000, 3_000_000: 45_500 }],
  ['promotion, scheduled', 'tasks/s', { 10_000: 81_000, 100_000: 79_000, 1_000_000: 74_000, 3_000_000: 71_000 }],
  ['longest script, ready', 'ms', { 10_000: 1.4, 100_000: 1.9, 1_000_000: 2.4, 3_000_000: 3.1 }],
  ['longest script, scheduled', 'ms', { 10_000: 1.8, 100_000: 2.2, 1_000_000: 2.8, 3_000_000: 3.3 }],
  ['longest script, add', 'ms', { 10_000: 3.6, 100_000: 3.7, 1_000_000: 4.4, 3_000_000: 6.2 }],
  ['drain, payload', 'tasks/s', { 100: 48_000, 10_000: 21_000, 100_000: 3_600 }],
  ['bulk add, payload', 'tasks/s', { 100: 130_000, 10_000: 19_000, 100_000: 2_300 }],
  ['longest script, payload', 'ms', { 100: 1.8, 10_000: 2.6, 100_000: 3.9 }],
  ['longest script, bulk add', 'ms', { 100: 3.6, 10_000: 1.1, 100_000: 0.8 }],
  ['drain, workers', 'tasks/s', { 1: 48_000, 2: 43_000, 4: 38_000, 8: 31_000 }],
  ['longest script, workers', 'ms', { 1: 1.8, 2: 2.2, 4: 2.6, 8: 5.4 }],
];

const systems = ['bare', 'duestream', 'bullmq', 'bee-queue'];
const around = [1, 0.94, 1.09];

interface Sample {
  readonly made: Readonly<Record<string, unknown>>;
  readonly figures: readonly Readonly<Record<string, unknown>>[];
}

export function sampleResults(persistence: 'none' | 'everysec'): Sample {
  const machine = { cpu: 'a processor', cores: 2, memoryGiB: 8, kernel: '6.1.0' };
  const versions = { duestream: '0.1.0', node: '20.19.0', redis: '7.0.15', bullmq: '6.7.0', 'bee-queue': null };
  const repetitions = around.length;
  const made = {
    at: '2026-01-02T03:04:05.678Z',
    command: 'npm run bench',
    machine,
    versions,
    persistence,
    repetitions,
  };
  const values = (value: number): number[] => around.map((factor) => Number((value * factor).toPrecision(6)));
  const sideBySide = rows.flatMap(([measure, row, unit, better, ...of]) =>
    systems.flatMap((system, at) => {
      const value = of[at];
      return value === null || value === undefined
        ? []
        : [{ measure, case: row, system, unit, better, values: values(value) }];
    }),
  );
  const growth = along.flatMap(([row, unit, points]) =>
    Object.entries(points).map(([x, value]) => ({
      measure: 'growth',
      case: row,
      system: 'duestream',
      unit,
      x: Number(x),
      values: values(value),
      better: unit === 'ms' ? 'less' : 'more',
    })),
  );
  const size = { quick: false, scale: 1, shortenedBy: [], failed: 0 };
  return { made: { ...made, ...size }, figures: [...sideBySide, ...growth] };
}
