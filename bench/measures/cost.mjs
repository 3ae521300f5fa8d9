import { drain } from '../drain.mjs';
import { systems } from '../systems/systems.mjs';

/**
 * What a system costs while nothing is due, and what slow handlers cost it. CPU per task comes with the drain at 100,
 * memory per scheduled task with the lateness beside many others.
 */

const slots = 100;
const sleepMs = 50;
const idleConcurrency = 10;

export function cases(sizes) {
  return [
    idleCase('idle leader and worker', sizes, { role: 'both' }),
    idleCase('idle leader', sizes, { role: 'leader' }),
    idleCase('idle worker', sizes, { role: 'worker', beside: 'leader' }),
    slowCase('slow handlers, share of what is possible', { tasks: sizes.slow }, ({ tasksPerSecond }) => {
      return tasksPerSecond / (slots / (sleepMs / 1000));
    }),
    slowCase('two workers, smaller share of a backlog', { tasks: sizes.slow, workers: 2 }, ({ shares }) => {
      return Math.min(...shares);
    }),
  ];
}

/** Commands a second, as clients send them. */
function idleCase(name, { idleSeconds, settleSeconds }, { role, beside }) {
  const begin = async (stage, role) => {
    await stage.begin(await stage.worker(), { concurrency: idleConcurrency, capacity: 0, role });
    await stage.sleep(settleSeconds * 1000);
  };
  return {
    measures: ['cost'],
    name,
    ...(role !== 'both' && { systems: Object.keys(systems).filter((system) => systems[system].roles?.includes(role)) }),
    async run(stage) {
      if (beside) await begin(stage, beside);
      const others = await stage.server.clientAddresses();
      await begin(stage, role);
      const count = await stage.server.countCommands(stage.sleep(idleSeconds * 1000), others);
      return [{ measure: 'cost', case: name, unit: 'commands/s', better: 'less', value: count / idleSeconds }];
    },
  };
}

function slowCase(name, load, valueOf) {
  return {
    measures: ['cost'],
    name,
    async run(stage) {
      const drained = await drain(stage, { ...load, concurrency: slots, sleepMs });
      return [{ measure: 'cost', case: name, unit: 'share', better: 'more', value: valueOf(drained) }];
    },
  };
}
