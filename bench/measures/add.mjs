import { shown } from '../sizes.mjs';

/** How many tasks a second one producer adds, due now, while nobody works. */

const lanes = 100;
const batchMax = 1_000;
/** So many are added before the clock runs: connections, scripts and the compiler are warm then. */
const warmMax = 2_000;

export function cases(sizes) {
  const batch = Math.min(batchMax, sizes.addBulk);
  return [
    addCase('one by one', { method: 'addOneByOne', count: sizes.addOneByOne }),
    addCase(`${lanes} in flight`, { method: 'addInFlight', count: sizes.addInFlight, lanes }),
    addCase(`bulk of ${shown(batch)}`, { method: 'addBulk', count: sizes.addBulk, batch }),
  ];
}

function addCase(name, { method, count, ...args }) {
  return {
    measures: ['add'],
    name,
    async run(stage) {
      const producer = await stage.producer();
      const warm = Math.min(warmMax, count);
      await producer.ask(method, { ...args, from: 0, count: warm });
      const tookMs = await producer.ask(method, { ...args, from: warm, count });
      await stage.expectRemaining(warm + count);
      return [{ measure: 'add', case: name, unit: 'tasks/s', better: 'more', value: count / (tookMs / 1000) }];
    },
  };
}
