import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { until } from '../support/redis.js';
import { endMs, mixedTasks, passed, Stage } from '../support/roles.js';

test('Redis frozen for longer than a lease: nothing that was at work is run twice', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  await stage.leader();
  const workers = await Promise.all([stage.worker(), stage.worker()]);
  const gated = Array.from({ length: 20 }, (_, at) => ({ id: `g${at}`, name: 'gated' }));
  await stage.import(gated);
  const atWork = (): number => workers.reduce((sum, { process }) => sum + stage.journal.atWork(process.pid ?? 0).length, 0);
  await until(() => atWork() === gated.length, 'all slots at work', endMs);
  await stage.redis.kill('SIGSTOP');
  await passed(5_000);
  await stage.redis.kill('SIGCONT');
  await passed(5_000); // the hold, and what comes after it
  stage.journal.openGate();
  const more = mixedTasks(1_000);
  await stage.import(more);
  const { counts } = await stage.completed(gated.length + more.length);
  expectExplained(stage.journal, [...gated, ...more].map(({ id }) => id), 0);
  expect(counts).toMatchObject({ complete: gated.length + more.length });
  await stage.expectEmpty();
});
