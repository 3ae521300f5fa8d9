import { aloneReadings, runAlone } from '../alone.mjs';
import { shown } from '../sizes.mjs';

/**
 * The lateness of a task alone, on an empty Redis and beside many that are scheduled for a day later; and the memory
 * that these take, for it takes a while to place them.
 */

const dayMs = 86_400_000;
/** Their numbers: no worker has room for one, so that it would be seen if one of them ran. */
const othersFrom = 1_000_000_000;

export function cases(sizes) {
  const { alone, memorySmall, others } = sizes;
  return [
    {
      measures: ['lateness'],
      name: 'one alone',
      async run(stage) {
        const sorted = await runAlone(stage, await stage.producer(), alone);
        await stage.expectRemaining(0);
        return aloneReadings('one alone', sorted);
      },
    },
    {
      measures: ['lateness', 'cost'],
      name: `one alone beside ${shown(others)}`,
      async run(stage) {
        const producer = await stage.producer();
        const memory = await placeOthers(stage, producer, [memorySmall, others]);
        if (!stage.wanted.includes('lateness')) return memory;
        const sorted = await runAlone(stage, producer, alone);
        await stage.expectRemaining(others);
        return [...aloneReadings(`one alone beside ${shown(others)}`, sorted), ...memory];
      },
    },
  ];
}

/** @returns the figures of memory once so many are there, and so many */
async function placeOthers(stage, producer, counts) {
  const readings = [];
  const emptyBytes = await stage.server.memoryBytes();
  let placed = 0;
  for (const count of counts) {
    const more = { from: othersFrom + placed, count: count - placed, leadMs: dayMs + placed, spacingMs: 1 };
    await producer.ask('schedule', more);
    placed = count;
    await stage.expectRemaining(placed);
    readings.push({
      measure: 'cost',
      case: `memory per scheduled task, ${shown(count)}`,
      unit: 'bytes',
      better: 'less',
      value: ((await stage.server.memoryBytes()) - emptyBytes) / count,
    });
  }
  return readings;
}
