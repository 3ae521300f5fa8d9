import { Figures } from './results.mjs';
import { Stage } from './stage.mjs';
import { shownValue } from './table.mjs';

/**
 * Runs every case for every system. A run that fails is told, and leaves no figure.
 * @returns the figures, and how many runs failed
 */
export async function runAll(cases, { server, flags, sizes, signal, say }) {
  const figures = new Figures();
  let failed = 0;
  for (const { each, system, repetition } of interleaved(cases, flags)) {
    const run = `${each.measures[0]}: ${each.name}  ${system} ${repetition}/${flags.repetitions}`;
    try {
      const readings = await runOne(each, { system, server, sizes, wanted: flags.measures, signal });
      for (const reading of readings) figures.add(system, reading);
      say(`${run}  ${readings.map(({ value, unit }) => `${shownValue(value)} ${unit}`).join(', ')}`);
    } catch (error) {
      if (signal.aborted) throw error;
      failed += 1;
      say(`${run}  FAILED: ${error.message}`);
    }
  }
  return { figures: figures.list(), failed };
}

/** A B C D, and again A B C D, within each case: whatever else the machine does falls on all systems. */
function* interleaved(cases, flags) {
  for (const each of cases) {
    const systems = flags.systems.filter((system) => each.systems?.includes(system) ?? true);
    for (let repetition = 1; repetition <= flags.repetitions; repetition += 1) {
      for (const system of systems) yield { each, system, repetition };
    }
  }
}

async function runOne(each, { system, server, sizes, wanted, signal }) {
  signal.throwIfAborted();
  const stage = new Stage({ system, server, sizes, wanted });
  const kill = () => stage.kill();
  signal.addEventListener('abort', kill);
  try {
    await server.empty();
    const readings = await each.run(stage);
    await stage.end();
    return readings.filter(({ measure }) => wanted.includes(measure));
  } finally {
    stage.kill();
    signal.removeEventListener('abort', kill);
  }
}
