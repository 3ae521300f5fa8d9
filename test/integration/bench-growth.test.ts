/** The part of the benchmark that Duestream runs alone: figures along an axis, with the place on it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

interface Figure {
  case: string;
  system: string;
  unit: string;
  better: string;
  x: number;
  values: number[];
}

test('each axis gives rates and the longest script, at each of its places', () => {
  const out = mkdtempSync(join(tmpdir(), 'duestream-growth-'));
  onTestFinished(() => rmSync(out, { recursive: true }));
  const chosen = ['ready, ', 'scheduled, ', 'payload, 10,000', 'workers, 2'].flatMap((name) => ['--only', name]);
  const size = ['--quick', '--scale', '0.000001', '--repetitions', '1'];
  const args = ['bench/bench.mjs', '--measures', 'growth', ...size, ...chosen, '--out', out];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stderr }).toMatchObject({ status: 0 });

  const { figures } = JSON.parse(readFileSync(join(out, 'quick-none.json'), 'utf8')) as { figures: Figure[] };
  expect(figures.map((one) => `${one.case}, ${one.x}: ${one.unit}, ${one.better}`)).toEqual([
    'drain, ready, 400: tasks/s, more',
    'longest script, ready, 400: ms, less',
    'longest script, add, 400: ms, less',
    'promotion, scheduled, 400: tasks/s, more',
    'longest script, scheduled, 400: ms, less',
    'drain, payload, 10000: tasks/s, more',
    'bulk add, payload, 10000: tasks/s, more',
    'longest script, payload, 10000: ms, less',
    'longest script, bulk add, 10000: ms, less',
    'drain, workers, 2: tasks/s, more',
    'longest script, workers, 2: ms, less',
  ]);
  expect(new Set(figures.map(({ system }) => system))).toEqual(new Set(['duestream']));
  for (const { values } of figures) expect(values).toEqual([expect.any(Number)]);
});
