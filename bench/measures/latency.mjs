import { checkReports } from '../reports.mjs';
import { ascending, quantile } from '../statistics.mjs';

/** How long it takes from calling add to the start of the handler, for a task due now, on an idle system. */

const concurrency = 10;
const pauseMs = [5, 30];
/** Not counted: connections, scripts and the compiler are warm after them. */
const warm = 10;

export function cases(sizes) {
  return [{ measures: ['latency'], name: 'due now, idle', run: (stage) => run(stage, sizes) }];
}

async function run(stage, sizes) {
  const count = warm + sizes.latency;
  const [producer, worker] = await Promise.all([stage.producer(), stage.worker()]);
  await stage.begin(worker, { concurrency, capacity: count });
  await stage.sleep(sizes.settleSeconds * 1000);
  const calledMs = await producer.ask('addWithPauses', { count, pauseMs });
  await stage.untilEmpty();
  const report = await worker.ask('report');
  checkReports([report], count);
  const sorted = ascending(report.startMs.map((startMs, index) => startMs - calledMs[index]).subarray(warm));
  const reading = { measure: 'latency', unit: 'ms', better: 'less' };
  return [
    { ...reading, case: 'due now, idle, p50', value: quantile(sorted, 0.5) },
    { ...reading, case: 'due now, idle, p99', value: quantile(sorted, 0.99) },
  ];
}
