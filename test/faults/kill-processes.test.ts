import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { until } from '../support/redis.js';
import { endMs, mixedTasks, runsOf, Stage, tasksMax } from '../support/roles.js';

test('a killed worker and a killed leader lose nothing, and each second run is counted', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  const leaders = [await stage.leader(), await stage.leader()];
  const [doomed] = [await stage.worker(['--concurrency', '20']), await stage.worker(['--concurrency', '20'])];
  const tasks = mixedTasks(tasksMax, 5);
  const importing = stage.import(tasks);

  await stage.progress(tasksMax / 50);
  const lost = await stage.freezeAtWork(doomed);
  doomed.kill('SIGKILL');
  const first = await stage.leading();
  const leader = leaders.find(({ process }) => process.pid === first.pid);
  leader?.kill('SIGKILL');
  await leader?.ended;
  const second = await stage.leading(first.pid);
  expect(second.term).toBeGreaterThan(first.term);

  await importing;
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: counts['recovered'] });
  expect(stage.journal.secondStarts().map(({ id }) => id)).toEqual(expect.arrayContaining(lost));
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  expect(await stage.entriesAdded()).toBe(runsOf(tasks));
  await stage.expectEmpty();
});

test('the only leader is killed and nobody can follow: the workers promote what is overdue', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  const leader = await stage.leader();
  await stage.worker();
  await stage.leading();
  const tasks = mixedTasks(1_000);
  await stage.import(tasks);
  leader.kill('SIGKILL');
  const { counts } = await stage.completed(tasks.length);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ complete: tasks.length });
  expect(await stage.entriesAdded()).toBe(runsOf(tasks));
  await stage.expectEmpty();
});

test('a task that kills whoever runs it is given up, and the others run', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  await stage.leader();
  const tasks = mixedTasks(100).filter(({ name }) => name === 'work');
  await stage.import([{ id: 'poison', name: 'poison' }, ...tasks]);
  for (let lives = 1; (await stage.queue.stats()).dead === 0; lives += 1) {
    expect(lives).toBeLessThan(10);
    const worker = await stage.worker(['--concurrency', '1', '--max-deliveries', '1']);
    const died = worker.ended.then(() => true);
    await until(
      async () => (await stage.queue.stats()).dead > 0 || worker.process.signalCode !== null,
      'its end',
      endMs,
    );
    if (worker.process.signalCode !== null) await died;
  }
  await stage.completed(tasks.length);
  expect((await stage.queue.dead.get('poison'))?.reason).toBe('max_deliveries');
  const deliveries = stage.journal.starts().filter(({ id }) => id === 'poison');
  expect(deliveries.map(({ delivery }) => delivery)).toEqual([1, 2]);
});
