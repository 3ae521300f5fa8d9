import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { endMs, mixedTasks, Stage, tasksMax } from '../support/roles.js';

test('a rolling restart under load ends each process with 0 and starts nothing twice', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  const leaders = await Promise.all([stage.leader(), stage.leader()]);
  const workers = await Promise.all([stage.worker(), stage.worker()]);
  const tasks = mixedTasks(tasksMax, 5);
  const importing = stage.import(tasks);
  await stage.progress(tasksMax / 50);

  const handOversMs: number[] = [];
  for (const old of leaders) {
    await stage.leader();
    const { pid } = await stage.leading();
    const toldAtMs = Date.now();
    old.kill('SIGTERM');
    expect(await old.ended).toMatchObject({ code: 0 });
    if (old.process.pid !== pid) continue;
    expect(old.stderr).toMatch(/leads no more: resigned/);
    handOversMs.push((await stage.leading(pid)).since - toldAtMs);
  }
  expect(handOversMs.length).toBeGreaterThan(0);
  expect(Math.max(...handOversMs)).toBeLessThan(10_000); // usually a few ms from the signal
  for (const old of workers) {
    await stage.worker();
    old.kill('SIGTERM');
    expect(await old.ended).toMatchObject({ code: 0 });
  }
  await importing;
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  expect(counts).not.toHaveProperty('recovered'); // nobody left anything behind
  await stage.expectEmpty();
});
