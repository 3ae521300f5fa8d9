import { expect, test } from 'vitest';

/** The model behind docs/scaling.md, with costs that are easy to reckon with. */
interface Size {
  masters: number;
  partitions: number;
  workers: number;
  memoryBytes: number;
  wireBytesPerSecond: number;
  leaderCores: number;
  connectionsPerMaster: number;
  limit: string;
}

const { sizeOf, fleetOf } = (await import(new URL('../../bench/scaling/model.mjs', import.meta.url).href)) as {
  sizeOf: (cost: object, load: { tasksPerSecond: number; scheduled: number }) => Size;
  fleetOf: (cost: object, load: { tasksPerSecond: number; scheduled: number }) => Size & { queues: number };
};

const free = { leaderMicros: 0, workerMicros: 0, leaderRedisMicros: 0, workerRedisMicros: 0 };
const cost = { redisMicros: 30, workerMicros: 12, leaderMicros: 3, wireBytes: 500, memoryBytes: 350, partition: free };

test('a small load needs one of each', () => {
  expect(sizeOf(cost, { tasksPerSecond: 10_000, scheduled: 100_000 })).toMatchObject({
    masters: 1,
    partitions: 1,
    workers: 1,
    wireBytesPerSecond: 5_000_000,
    limit: "the masters' cores: add masters",
  });
});

test('cores are used to six tenths', () => {
  const size = sizeOf(cost, { tasksPerSecond: 100_000, scheduled: 1_000 });
  expect(size).toMatchObject({ masters: 5, partitions: 5, workers: 2 });
  expect(size.leaderCores).toBeCloseTo(0.5);
});

test('many scheduled tasks need partitions below a million each, as many on every master', () => {
  const { masters, partitions, limit } = sizeOf(cost, { tasksPerSecond: 1_000, scheduled: 200_000_000 });
  expect(partitions / masters).toBe(64);
  expect(200_000_000 / partitions).toBeLessThanOrEqual(1_000_000);
  expect(limit).toBe("the masters' memory: add masters");
});

test('partitions cost while nothing happens: of a leader, of every worker, and of the masters', () => {
  const partition = { leaderMicros: 1_000, workerMicros: 500, leaderRedisMicros: 400, workerRedisMicros: 100 };
  const load = { tasksPerSecond: 100_000, scheduled: 200_000_000 };
  const [plain, dear] = [sizeOf(cost, load), sizeOf({ ...cost, partition }, load)];
  expect([plain.masters, plain.partitions, plain.workers]).toEqual([5, 320, 2]);
  expect([dear.masters, dear.partitions, dear.workers]).toEqual([6, 384, 3]);
  expect(dear.leaderCores - plain.leaderCores).toBeCloseTo((384 * 1_000) / 600_000);
});

test('what is too much for one queue is split into several', () => {
  const load = { tasksPerSecond: 1_000_000, scheduled: 1_000_000 };
  expect(sizeOf(cost, load).leaderCores).toBeCloseTo(5);
  expect(fleetOf(cost, load)).toMatchObject({ queues: 8, limit: expect.stringMatching(/^the leader/) as string });
  expect(fleetOf(cost, load).leaderCores).toBeCloseTo(5);
  expect(fleetOf(cost, { tasksPerSecond: 10_000, scheduled: 100_000 })).toMatchObject({ queues: 1, masters: 1 });
});

test('what is met next is named', () => {
  const limitOf = (tasksPerSecond: number, scheduled: number): string =>
    sizeOf(cost, { tasksPerSecond, scheduled }).limit;
  expect(limitOf(1_000_000, 1_000)).toMatch(/^the leader/);
  expect(limitOf(1_000, 2_000_000_000)).toMatch(/^partitions/);
  expect(sizeOf({ ...cost, workerMicros: 50_000 }, { tasksPerSecond: 100_000, scheduled: 100_000_000 }).limit).toMatch(
    /^connections/,
  );
});
