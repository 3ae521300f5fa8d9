import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { endMs, mixedTasks, runsOf, Stage, tasksMax } from '../support/roles.js';

test('a leader that was frozen beyond its lock changes nothing when it wakes', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  const leaders = await Promise.all([stage.leader(), stage.leader()]);
  await stage.worker(['--concurrency', '50']);
  const tasks = mixedTasks(tasksMax);
  await stage.import(tasks);
  const terms: number[] = [];
  for (let times = 1; times <= 3; times += 1) {
    const old = await stage.leading();
    const frozen = leaders.find(({ process }) => process.pid === old.pid);
    frozen?.kill('SIGSTOP');
    terms.push(old.term, (await stage.leading(old.pid)).term);
    frozen?.kill('SIGCONT');
    await frozen?.says(new RegExp(`(leads no more[^]*){${frozen.stderr.split('leads, term').length - 1}}`));
  }
  expect(terms).toEqual(terms.toSorted((one, other) => one - other));
  expect(new Set(terms).size).toBe(4);
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  expect(counts).not.toHaveProperty('dropped');
  expect(await stage.entriesAdded()).toBe(runsOf(tasks));
  await stage.expectEmpty();
});
