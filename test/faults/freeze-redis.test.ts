import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { endMs, gatedTasks, mixedTasks, passed, Stage } from '../support/roles.js';

/** Three leases: by then whoever waits longer and longer between two tries waits for more than a lease. */
const outageMs = 6_000;
/** The hold that follows it lasts a lease; then there is time for whoever would take over. */
const afterMs = 5_000;

test('Redis frozen for longer than a lease: nothing that was at work is run twice', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  await Promise.all([stage.leader(), stage.worker(), stage.worker()]);
  const gated = gatedTasks(20);
  await stage.import(gated);
  await stage.atWork(gated.length);
  await stage.redis.kill('SIGSTOP');
  await passed(outageMs);
  await stage.redis.kill('SIGCONT');
  await stage.worker(); // it knows nothing of an outage, and finds everything abandoned
  await passed(afterMs);
  stage.journal.openGate();
  const tasks = [...gated, ...mixedTasks(1_000)];
  await stage.import(tasks.slice(gated.length));
  const { counts } = await stage.completed(tasks.length);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ complete: tasks.length });
  await stage.expectEmpty();
});

test('Redis killed, and back after more than a lease: the same', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open({ appendonly: 'always' });
  await Promise.all([stage.leader(), stage.worker(), stage.worker()]);
  const tasks = gatedTasks(20);
  await stage.import(tasks);
  await stage.atWork(tasks.length);
  await stage.redis.kill('SIGKILL');
  await passed(outageMs);
  await stage.redis.start();
  await stage.worker();
  await passed(afterMs);
  stage.journal.openGate();
  const { counts } = await stage.completed(tasks.length);
  expectExplained(stage.journal, { tasks, recovered: 0 });
  expect(counts).toMatchObject({ complete: tasks.length });
  await stage.expectEmpty();
});

test('SIGTERM while Redis is frozen: every role ends by itself, with 0', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  const roles = await Promise.all([stage.leader(), stage.leader(), stage.worker()]);
  await stage.leading();
  await stage.redis.kill('SIGSTOP');
  for (const role of roles) role.kill('SIGTERM');
  for (const role of roles) expect(await role.ended).toMatchObject({ code: 0 });
});
