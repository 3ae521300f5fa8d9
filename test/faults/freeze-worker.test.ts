import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { until } from '../support/redis.js';
import { endMs, gatedTasks, mixedTasks, runsOf, Stage, tasksMax } from '../support/roles.js';

test('a worker frozen beyond its lease settles nothing that others took over', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  await stage.leader();
  const [doomed] = [
    await stage.worker(['--concurrency', '20', '--verbose']),
    await stage.worker(['--concurrency', '20']),
  ];
  const tasks = mixedTasks(tasksMax, 5);
  const importing = stage.import(tasks);
  await stage.progress(tasksMax / 50);
  const lost = await stage.freezeAtWork(doomed);
  const recovered = async (): Promise<number> => (await stage.queue.stats()).counts['recovered'] ?? 0;
  await until(async () => (await recovered()) >= lost.length, 'others to take over', endMs);
  await until(
    () => lost.every((id) => stage.journal.secondStarts().some((line) => line.id === id)),
    'the second runs',
    endMs,
  );
  doomed.kill('SIGCONT');
  await doomed.says(/lost its lease/);
  await importing;
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: counts['recovered'], frozen: 1 });
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  expect(await stage.entriesAdded()).toBe(runsOf(tasks));
  await stage.expectEmpty();
});

test('one outcome per delivery: who lost its lease can not complete what another has at work', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  await stage.leader();
  const doomed = await stage.worker();
  const tasks = gatedTasks(10);
  await stage.import(tasks);
  await stage.atWork(tasks.length);
  doomed.kill('SIGSTOP');
  const heir = await stage.worker();
  await until(() => stage.journal.atWork(heir.process.pid ?? 0).length === tasks.length, 'the second runs', endMs);
  doomed.kill('SIGCONT');
  stage.journal.openGate(doomed.process.pid);
  await until(() => stage.journal.atWork(doomed.process.pid ?? 0).length === 0, 'the first runs to end', endMs);
  doomed.kill('SIGTERM');
  expect(await doomed.ended).toMatchObject({ code: 0 }); // by then each of its ends was written, or refused
  expect(await stage.queue.stats()).toMatchObject({ active: tasks.length, counts: { added: tasks.length } });
  expect((await stage.queue.stats()).counts).not.toHaveProperty('complete');
  stage.journal.openGate();
  const { counts } = await stage.completed(tasks.length);
  expectExplained(stage.journal, { tasks, recovered: counts['recovered'] });
  expect(counts).toMatchObject({ complete: tasks.length, recovered: tasks.length });
  await stage.expectEmpty();
});
