import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { endMs, mixedTasks, Stage, tasksMax } from '../support/roles.js';

test('a rolling restart under load ends each process with 0 and starts nothing twice', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  const leaders = await Promise.all([stage.leader(), stage.leader()]);
  const workers = await Promise.all([stage.worker(), stage.worker()]);
  const tasks = mixedTasks(tasksMax, 5);
  const importing = stage.import(tasks);
  await stage.progress(tasksMax / 50);

  const handOversMs: number[] = [];
  for (const old of leaders) {
    const { pid } = await stage.leading();
    await stage.leader();
    const fromMs = performance.now();
    old.kill('SIGTERM');
    expect(await old.ended).toMatchObject({ code: 0 });
    if (old.process.pid !== pid) continue;
    await stage.leading(pid);
    handOversMs.push(performance.now() - fromMs);
  }
  for (const old of workers) {
    await stage.worker();
    old.kill('SIGTERM');
    expect(await old.ended).toMatchObject({ code: 0 });
  }
  await importing;
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  await stage.expectEmpty();
});
