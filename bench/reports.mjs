/** What the workers of one run noted, together. */

/** The run counts only when each of the tasks ran once, no other ran, and no worker met an error. */
export function checkReports(reports, tasks) {
  const errors = reports.flatMap(({ errors }) => errors);
  if (errors.length > 0) throw new Error(`a worker met ${errors.length} errors, the first: ${errors[0]}`);
  const strays = reports.reduce((sum, { strays }) => sum + strays, 0);
  if (strays > 0) throw new Error(`${strays} tasks ran that should not have`);
  for (let index = 0; index < tasks; index += 1) {
    const times = reports.reduce((sum, { times }) => sum + times[index], 0);
    if (times !== 1) throw new Error(`task ${index} of ${tasks} ran ${times} times`);
  }
}

/** From the first handler's start to the last one's end, in ms. */
export function spanMs(reports) {
  const firsts = reports.filter(({ ran }) => ran > 0).map(firstStartMs);
  return Math.max(...reports.map(({ lastEndMs }) => lastEndMs)) - Math.min(...firsts);
}

function firstStartMs({ startMs, times }) {
  let first = Number.POSITIVE_INFINITY;
  for (let index = 0; index < times.length; index += 1) {
    if (times[index] > 0 && startMs[index] < first) first = startMs[index];
  }
  return first;
}
