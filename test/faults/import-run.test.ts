import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { endMs, mixedTasks, runsOf, Stage, tasksMax } from '../support/roles.js';

test('every imported task runs exactly once, none early, and nothing is left', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  await stage.leader();
  await stage.worker(['--concurrency', '50']);
  const tasks = mixedTasks(tasksMax);
  await stage.import(tasks);
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  expect(counts).not.toHaveProperty('recovered');
  expect(await stage.entriesAdded()).toBe(runsOf(tasks));
  await stage.expectEmpty();
});
