import { drain } from '../drain.mjs';

/** How fast workers empty a queue of tasks that do nothing. */

const most = 100;

export function cases(sizes) {
  return [
    drainCase({ workers: 1, concurrency: 1, tasks: sizes.drainOne }),
    drainCase({ workers: 1, concurrency: 10, tasks: sizes.drain }),
    drainCase({ workers: 1, concurrency: most, tasks: sizes.drain }),
    drainCase({ workers: 2, concurrency: most, tasks: sizes.drain }),
  ];
}

function drainCase(load) {
  const { workers, concurrency } = load;
  const name = `${workers === 1 ? 'one worker' : 'two workers'}, concurrency ${concurrency}`;
  const tellsCost = workers === 1 && concurrency === most;
  return {
    measures: tellsCost ? ['drain', 'cost'] : ['drain'],
    name,
    async run(stage) {
      const { tasksPerSecond, redisCpuMicros, nodeCpuMicros } = await drain(stage, load);
      const rate = { measure: 'drain', case: name, unit: 'tasks/s', better: 'more', value: tasksPerSecond };
      if (!tellsCost) return [rate];
      const cost = { measure: 'cost', unit: 'µs', better: 'less' };
      return [
        rate,
        { ...cost, case: 'Redis CPU per task drained', value: redisCpuMicros },
        { ...cost, case: 'Node CPU per task drained', value: nodeCpuMicros },
      ];
    },
  };
}
