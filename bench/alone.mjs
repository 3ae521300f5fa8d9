import { wallClock, wallOffset } from './clock.mjs';
import { checkReports } from './reports.mjs';
import { ascending, quantile } from './statistics.mjs';

/** One task alone: each is scheduled a moment ahead once the one before has run, while a worker waits. */

const concurrency = 10;
const aheadMs = [150, 400];
const stuckMs = 30_000;
/** Not counted: a leader is elected after them, and all is warm. */
const warm = 3;

export function lateness(name, value) {
  return { measure: 'lateness', case: name, unit: 'ms', better: 'less', value };
}

/** @returns the lateness of each, in order of size */
export async function runAlone(stage, producer, samples) {
  const count = warm + samples;
  const worker = await stage.worker();
  const dueMs = new Float64Array(count);
  const before = wallOffset();
  await stage.begin(worker, { concurrency, capacity: count });
  for (let index = 0; index < count; index += 1) {
    const leadMs = Math.round(aheadMs[0] + Math.random() * (aheadMs[1] - aheadMs[0]));
    ({ dueMs: dueMs[index] } = await producer.ask('schedule', { from: index, count: 1, leadMs }));
    await stage.untilRan(worker, { count: index + 1, withinMs: stuckMs });
  }
  const wallOf = wallClock(before, wallOffset());
  const report = await worker.ask('report');
  checkReports([report], count);
  return ascending(report.startMs.map((startMs, index) => wallOf(startMs) - dueMs[index]).subarray(warm));
}

/** @returns the figures of it */
export function aloneReadings(name, sorted) {
  return [lateness(`${name}, p50`, quantile(sorted, 0.5)), lateness(`${name}, p99`, quantile(sorted, 0.99))];
}
