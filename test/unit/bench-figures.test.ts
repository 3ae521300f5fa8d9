/** What stands between the runs of the benchmark and its figures. */
import { describe, expect, test } from 'vitest';

interface Report {
  errors: string[];
  strays: number;
  ran: number;
  times: number[];
  startMs: number[];
  lastEndMs: number;
}

interface Parts {
  checkReports(reports: Report[], tasks: number): void;
  spanMs(reports: Report[]): number;
  quantile(sorted: Float64Array, share: number): number;
  median(values: number[]): number;
  ascending(values: number[]): Float64Array;
  tableOf(document: { made: object; figures: object[] }): string;
  sizesOf(flags: { quick: boolean; scale: number }): Record<string, number>;
}

async function part<K extends keyof Parts>(file: string): Promise<Pick<Parts, K>> {
  return (await import(new URL(`../../bench/${file}.mjs`, import.meta.url).href)) as Pick<Parts, K>;
}

function report(times: number[], more: Partial<Report> = {}): Report {
  const ran = times.reduce((sum, each) => sum + each, 0);
  return { errors: [], strays: 0, ran, times, startMs: times.map((_, at) => at), lastEndMs: times.length, ...more };
}

describe('a run counts', async () => {
  const { checkReports } = await part<'checkReports'>('reports');

  test('when each task ran once, on whichever worker', () => {
    expect(() => checkReports([report([1, 0, 1]), report([0, 1, 0])], 3)).not.toThrow();
  });

  test.each([
    ['a task did not run', [report([1, 0])], 'task 1 of 2 ran 0 times'],
    ['a task ran on both workers', [report([1, 1]), report([1, 0])], 'task 0 of 2 ran 2 times'],
    ['a task ran that was not due', [report([1, 1], { strays: 1 })], '1 tasks ran that should not have'],
    ['a worker met an error', [report([1, 1], { errors: ['lost'] })], 'a worker met 1 errors, the first: lost'],
  ])('not when %s', (_what, reports, message) => {
    expect(() => checkReports(reports, 2)).toThrow(message);
  });
});

test('a span goes from the first start of any worker to the last end of any', async () => {
  const { spanMs } = await part<'spanMs'>('reports');
  const one = report([1, 0, 0], { startMs: [10, 0, 0], lastEndMs: 12 });
  const other = report([0, 1, 1], { startMs: [0, 8, 20], lastEndMs: 25 });
  expect(spanMs([one, other, report([0, 0, 0])])).toBe(17);
});

test('a quantile is a value that was measured', async () => {
  const { ascending, median, quantile } = await part<'ascending' | 'median' | 'quantile'>('statistics');
  const sorted = ascending(Array.from({ length: 100 }, (_, at) => 100 - at));
  expect([0, 0.5, 0.99, 1].map((share) => quantile(sorted, share))).toEqual([1, 50, 99, 100]);
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
});

test('no case is empty, however small the scale', async () => {
  const { sizesOf } = await part<'sizesOf'>('sizes');
  expect(Math.min(...Object.values(sizesOf({ quick: true, scale: 1e-6 })))).toBeGreaterThan(0);
  expect(sizesOf({ quick: false, scale: 1 })).toMatchObject({ drain: 100_000, spreadSeconds: 20 });
});

test('the table has medians, their ratios to the peer, and a dash where there is no figure', async () => {
  const { tableOf } = await part<'tableOf'>('table');
  const add = { measure: 'add', case: 'one by one', unit: 'tasks/s', better: 'more' };
  const figures = [
    { ...add, system: 'duestream', values: [9_000, 30_000, 12_000] },
    { ...add, system: 'bullmq', values: [4_000] },
    { ...add, case: 'other', system: 'bullmq', values: [0.1234] },
  ];
  expect(tableOf({ made: { persistence: 'none', repetitions: 3 }, figures })).toBe(
    [
      'persistence none, medians of 3 (and their ratio to bullmq)',
      '',
      'add                          duestream  bullmq',
      '  one by one  tasks/s  12,000 (3.00 x)   4,000',
      '  other       tasks/s                -   0.123',
    ].join('\n'),
  );
});
