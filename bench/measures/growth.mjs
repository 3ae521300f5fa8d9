import { partitionKeys } from '../../dist/keys.js';
import { LongestScript } from '../longest-script.mjs';
import { shown } from '../sizes.mjs';
import { ascending } from '../statistics.mjs';

/**
 * Duestream alone: its rates and its longest script, with more tasks, larger payloads, more workers. However many tasks
 * there are, rates are taken over the first so many: what is asked is what the others cost by being there.
 */
const concurrency = 100;
const tasksAlong = [10_000, 100_000, 1_000_000, 3_000_000];
const bytesAlong = [100, 10_000, 100_000];
const workersAlong = [1, 2, 4, 8];
/** Payloads of one run together, so that it fits into memory. */
const bytesTogetherMax = 200 * 1024 * 1024;

export function cases({ growth: most, growthCounted: counted }) {
  const sizes = tasksAlong.filter((tasks) => tasks <= most);
  const tasks = sizes.length > 0 ? sizes : [most];
  return [
    ...tasks.map((x) => growthCase(`ready, ${shown(x)}`, (stage) => drainReady(stage, { x, counted }))),
    ...tasks.map((x) => growthCase(`scheduled, ${shown(x)}`, (stage) => promoteScheduled(stage, { x, counted }))),
    ...bytesAlong.map((x) => growthCase(`payload, ${shown(x)} bytes`, (stage) => drainPayload(stage, { x, counted }))),
    ...workersAlong.map((x) => growthCase(`workers, ${x}`, (stage) => drainByWorkers(stage, { x, counted }))),
  ];
}

function growthCase(name, run) {
  return { measures: ['growth'], name, systems: ['duestream'], run };
}

const rate = (row, x, value) => ({ measure: 'growth', case: row, unit: 'tasks/s', better: 'more', x, value });

/** The script's name is for whoever watches: the documents hold numbers. */
function longest(row, x, { ms, name }) {
  const found = { measure: 'growth', case: `longest script, ${row}`, unit: 'ms', better: 'less', x, value: ms };
  console.error(`bench:   ${found.case}, ${shown(x)}: ${name}`);
  return found;
}

/** x tasks lie ready; the rate is that of the first of them. */
async function drainReady(stage, { x, counted }) {
  const scripts = new LongestScript(stage.server);
  await scripts.watch();
  await stage.place({ count: x });
  const adding = await scripts.take();
  const { tasksPerSecond, draining } = await drainFirst(stage, { filled: x, counted: Math.min(counted, x) });
  return [rate('drain, ready', x, tasksPerSecond), longest('ready', x, draining), longest('add', x, adding)];
}

/** Payloads of x bytes: added in bulk, then drained. */
async function drainPayload(stage, { x, counted }) {
  const count = Math.min(counted, Math.floor(bytesTogetherMax / x));
  const scripts = new LongestScript(stage.server);
  const producer = await stage.producer();
  await scripts.watch();
  const tookMs = await producer.ask('addBulk', { count, bytes: x });
  const adding = await scripts.take();
  await producer.end();
  await stage.expectRemaining(count);
  const { tasksPerSecond, draining } = await drainFirst(stage, { filled: count, counted: count });
  return [
    rate('drain, payload', x, tasksPerSecond),
    rate('bulk add, payload', x, count / (tookMs / 1_000)),
    longest('payload', x, draining),
    longest('bulk add', x, adding),
  ];
}

/** x worker processes share what lies ready. */
async function drainByWorkers(stage, { x, counted }) {
  await stage.place({ count: counted });
  const { tasksPerSecond, draining } = await drainFirst(stage, { filled: counted, counted, workers: x });
  return [rate('drain, workers', x, tasksPerSecond), longest('workers', x, draining)];
}

/** Until the first `counted` of what is there are done; no task may have run twice. */
async function drainFirst(stage, { filled, counted, workers = 1 }) {
  const crew = await Promise.all(Array.from({ length: workers }, () => stage.worker()));
  const scripts = new LongestScript(stage.server);
  await scripts.watch();
  await Promise.all(crew.map((worker) => stage.begin(worker, { concurrency, capacity: filled })));
  await stage.untilLeft(filled - counted);
  const draining = await scripts.take();
  const reports = await Promise.all(crew.map((worker) => worker.ask('report')));
  return { tasksPerSecond: (counted - 1) / (firstMs(reports, counted) / 1_000), draining };
}

/** From the first start to the one of this number. */
function firstMs(reports, counted) {
  const errors = reports.flatMap(({ errors }) => errors);
  if (errors.length > 0) throw new Error(`a worker met ${errors.length} errors, the first: ${errors[0]}`);
  const starts = [];
  const seen = new Set();
  for (const { startMs, times } of reports) {
    for (let index = 0; index < times.length; index += 1) {
      if (times[index] > 1 || (times[index] === 1 && seen.has(index))) throw new Error(`task ${index} ran twice`);
      if (times[index] === 0) continue;
      seen.add(index);
      starts.push(startMs[index]);
    }
  }
  if (starts.length < counted) throw new Error(`${starts.length} tasks ran, where ${counted} should have`);
  const sorted = ascending(starts);
  return sorted[counted - 1] - sorted[0];
}

/**
 * x tasks are scheduled, of which the first become due at one instant while nobody leads; then a leader starts. Their
 * stream ids tell when Redis moved them, by its own clock.
 */
async function promoteScheduled(stage, { x, counted }) {
  const count = Math.min(counted, x);
  const producer = await stage.producer();
  if (x > count) await producer.ask('schedule', { from: count, count: x - count, leadMs: 86_400_000, spacingMs: 1 });
  const { dueMs, placedMs } = await producer.ask('schedule', { count, leadMs: 1_000 + count / 20 });
  await producer.end();
  if (placedMs >= dueMs) throw new Error(`placing ${count} tasks took until they were due`);
  await stage.expectRemaining(x);
  await stage.sleep(Math.max(0, dueMs - Date.now()));
  const leader = await stage.worker();
  const scripts = new LongestScript(stage.server);
  await scripts.watch();
  await stage.begin(leader, { concurrency, capacity: 1, role: 'leader' });
  const { stream } = partitionKeys('duestream', stage.queue, 0);
  await untilReady(stage, { stream, count });
  const promoting = await scripts.take();
  const [first, last] = await Promise.all([
    stage.server.send(['XRANGE', stream, '-', '+', 'COUNT', '1']),
    stage.server.send(['XREVRANGE', stream, '+', '-', 'COUNT', '1']),
  ]);
  const tookMs = Math.max(1, msOf(last) - msOf(first));
  return [rate('promotion, scheduled', x, (count - 1) / (tookMs / 1_000)), longest('scheduled', x, promoting)];
}

function msOf([[entry]]) {
  return Number(entry.split('-')[0]);
}

const lookMs = 25;
const stuckMs = 60_000;

async function untilReady(stage, { stream, count }) {
  const endMs = performance.now() + stuckMs;
  while ((await stage.server.send(['XLEN', stream])) < count) {
    if (performance.now() > endMs) throw new Error(`${count} tasks were not promoted within ${stuckMs / 1_000} s`);
    await stage.sleep(lookMs);
  }
}
