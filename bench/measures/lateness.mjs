import { wallClock, wallOffset } from '../clock.mjs';
import { lateness } from '../alone.mjs';
import { checkReports } from '../reports.mjs';
import { shown } from '../sizes.mjs';
import { ascending, quantile } from '../statistics.mjs';

/**
 * How long after they are due tasks start that were scheduled ahead: many due at one instant, many due one after the
 * other. One alone is in alone.mjs.
 */

const concurrency = 100;
const triesMax = 3;
const stuckMs = 60_000;

export function cases(sizes) {
  const burst = `${shown(sizes.burst)} at one instant`;
  return [
    scheduledCase(burst, { count: sizes.burst, spacingMs: 0, settleMs: sizes.settleSeconds * 1000 }, (sorted) => ({
      first: sorted[0],
      p50: quantile(sorted, 0.5),
      last: sorted.at(-1),
    })),
    scheduledCase(
      '1,000/s',
      { count: Math.round(sizes.spreadSeconds * 1000), spacingMs: 1, settleMs: sizes.settleSeconds * 1000 },
      (sorted) => ({ p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: sorted.at(-1) }),
    ),
  ];
}

function scheduledCase(name, load, told) {
  return {
    measures: ['lateness'],
    name,
    async run(stage) {
      const values = told(await latenessOf(stage, load));
      return Object.entries(values).map(([word, value]) => lateness(`${name}, ${word}`, value));
    },
  };
}

async function latenessOf(stage, { count, spacingMs, settleMs }) {
  const { worker, dueMs, before } = await beginAhead(stage, { count, spacingMs, settleMs });
  await stage.untilRan(worker, { count, withinMs: dueMs + count * spacingMs + stuckMs - Date.now() });
  await stage.untilEmpty();
  const wallOf = wallClock(before, wallOffset());
  const report = await worker.ask('report');
  checkReports([report], count);
  return ascending(report.startMs.map((startMs, index) => wallOf(startMs) - (dueMs + Math.floor(index * spacingMs))));
}

/** What placing a task took each system last time, in ms, and so how far ahead the next ones must be due. */
const placingMs = new Map();
const placingMsUnknown = 1 / 6;

/**
 * Places all before a worker begins, and has a worker that has begun before the first is due; or tries again, with
 * more time for it.
 */
async function beginAhead(stage, { count, spacingMs, settleMs }) {
  for (let tries = 1; tries <= triesMax; tries += 1) {
    const leadMs = Math.ceil(settleMs * tries + count * (placingMs.get(stage.system) ?? placingMsUnknown));
    const [producer, worker] = await Promise.all([stage.producer(), stage.worker()]);
    const { dueMs, placedMs } = await producer.ask('schedule', { count, leadMs, spacingMs });
    placingMs.set(stage.system, (1.5 * (placedMs - dueMs + leadMs)) / count);
    await producer.end();
    const before = wallOffset();
    await stage.begin(worker, { concurrency, capacity: count });
    if (Date.now() + settleMs / 4 < dueMs) return { worker, dueMs, before };
    await worker.end();
    await stage.server.empty();
  }
  throw new Error(`the first of ${count} tasks was due before a worker had begun, in ${triesMax} tries`);
}
