import { checkReports, spanMs } from './reports.mjs';

/**
 * Places tasks while no worker runs, lets workers empty it, and checks that each task ran once.
 * @param {{ tasks: number, workers?: number, concurrency: number, sleepMs?: number, bytes?: number }} load
 */
export async function drain(stage, { tasks, workers = 1, concurrency, sleepMs, bytes }) {
  await stage.place({ count: tasks, bytes });
  const crew = await Promise.all(Array.from({ length: workers }, () => stage.worker()));
  const redisCpuBefore = await stage.server.cpuMicros();
  await Promise.all(crew.map((worker) => stage.begin(worker, { concurrency, capacity: tasks, sleepMs })));
  await stage.untilEmpty();
  const redisCpuMicros = (await stage.server.cpuMicros()) - redisCpuBefore;
  const reports = await Promise.all(crew.map((worker) => worker.ask('report')));
  checkReports(reports, tasks);
  const seconds = spanMs(reports) / 1000;
  return {
    tasksPerSecond: sleepMs ? tasks / seconds : (tasks - 1) / seconds,
    redisCpuMicros: redisCpuMicros / tasks,
    nodeCpuMicros: reports.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0) / tasks,
    shares: reports.map(({ ran }) => ran / tasks),
  };
}
