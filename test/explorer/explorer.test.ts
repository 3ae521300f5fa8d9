import { afterAll, beforeAll, expect, test } from 'vitest';
import { Ground } from './ground.js';
import { explore } from './run.js';
import { shrink, tell } from './shrink.js';

const firstSeed = Number(process.env['EXPLORER_SEED'] ?? 1);
const seeds = Number(process.env['EXPLORER_SEEDS'] ?? (process.env['EXPLORER_SEED'] === undefined ? 10 : 1));
const steps = Number(process.env['EXPLORER_STEPS'] ?? 1_500);

let ground: Ground;
const met = new Set<string>();

beforeAll(async () => {
  ground = await Ground.open();
});

afterAll(async () => {
  await ground.close();
});

test.each(Array.from({ length: seeds }, (_, at) => firstSeed + at))(
  'whatever goes wrong, and in whatever order, every promise is kept: seed %i',
  { timeout: 600_000 },
  async (seed) => {
    const startMs = performance.now();
    const run = await explore(ground, seed, steps);
    for (const what of run.met) met.add(what);
    if (process.env['EXPLORER_TELL']) {
      const seconds = (performance.now() - startMs) / 1000;
      console.log(`seed ${seed}: ${run.choices.length} steps, ${run.ran} commands in ${seconds.toFixed(2)} s`);
    }
    if (run.violation) expect.fail(tell(run, await shrink(ground, run)));
  },
);

test('what is met', () => {
  if (process.env['EXPLORER_TELL']) console.log([...met].sort().join('\n'));
});
