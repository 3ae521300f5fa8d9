import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { until } from '../support/redis.js';
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

test('an import that was killed is run again: each line is there once', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  const tasks = mixedTasks(tasksMax);
  const doomed = stage.startImport(tasks);
  await until(async () => ((await stage.queue.stats()).counts['added'] ?? 0) > 0, 'the first tasks', endMs);
  doomed.kill('SIGKILL');
  await doomed.ended;
  const { added, duplicates } = JSON.parse((await stage.startImport(tasks).ended).stdout) as Record<string, number>;
  expect(Number(added) + Number(duplicates)).toBe(tasksMax);
  expect((await stage.queue.stats()).counts).toMatchObject({ added: tasksMax });
});
