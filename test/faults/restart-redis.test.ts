import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { Proxy } from '../support/proxy.js';
import { until } from '../support/redis.js';
import { endMs, mixedTasks, runsOf, Stage, tasksMax } from '../support/roles.js';

test('Redis killed and started again: everybody comes back, nothing is lost', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open({ appendonly: 'always' });
  await Promise.all([stage.leader(), stage.leader(), stage.worker(), stage.worker()]);
  const tasks = mixedTasks(tasksMax);
  const half = tasksMax / 2;
  await stage.import(tasks.slice(0, half));
  await stage.progress(tasksMax / 50);
  const adding = stage.add(tasks.slice(half)); // some replies are lost: those calls are repeated
  await until(async () => ((await stage.queue.stats()).counts['added'] ?? 0) > half, 'more tasks', endMs);
  await stage.redis.kill('SIGKILL');
  await stage.redis.start();
  await adding;
  const { counts } = await stage.completed(tasksMax);
  expectExplained(stage.journal, { tasks, recovered: counts['recovered'] });
  expect(counts).toMatchObject({ added: tasksMax, complete: tasksMax });
  expect(await stage.entriesAdded()).toBe(runsOf(tasks));
  await stage.expectEmpty();
});

test('Redis killed in the middle of a reply of a megabyte', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open({ appendonly: 'always' });
  const proxy = await Proxy.before(stage.redis);
  await stage.leader();
  const tasks = Array.from({ length: 40 }, (_, at) => {
    const payload = { ms: 200, filling: 'x'.repeat(1_040_000) };
    return { id: `big${at}`, name: 'work', payload };
  });
  await stage.import(tasks);
  await stage.worker(['--concurrency', '2'], proxy.url);
  await until(() => proxy.replyBytes > 2_000_000, 'big replies', endMs);
  const isInReply = async (): Promise<boolean> => {
    const clients = String(await stage.link.send(['CLIENT', 'LIST', 'TYPE', 'normal']));
    return (
      /cmd=evalsha/.test(clients) && [...clients.matchAll(/omem=(\d+)/g)].some(([, held]) => Number(held) > 100_000)
    );
  };
  // The hole may open between two replies, and then no big one is asked for: heal, and try at the next.
  for (let looks = 0; !(await isInReply()); looks += 1) {
    if (looks % 100 === 0) {
      proxy.heal();
      const seen = proxy.replyBytes;
      await until(() => proxy.replyBytes > seen + 300_000, 'the next big reply', endMs);
      proxy.blackHole('replies');
    }
  }
  await stage.redis.kill('SIGKILL');
  proxy.heal();
  await stage.redis.start();
  const { counts } = await stage.completed(tasks.length);
  expectExplained(stage.journal, { tasks, recovered: counts['recovered'] });
  expect(counts).toMatchObject({ complete: tasks.length });
  await stage.expectEmpty();
});

test('Redis comes back empty: what it lost is lost, and every role goes on with new tasks', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  await Promise.all([stage.leader(), stage.leader(), stage.worker(), stage.worker()]);
  await stage.import(mixedTasks(1_000));
  await stage.progress(100);
  await stage.redis.kill('SIGKILL');
  await stage.redis.start();
  const tasks = mixedTasks(1_000).map((task) => ({ ...task, id: `new ${task.id}` }));
  await stage.import(tasks);
  const { counts } = await stage.completed(tasks.length);
  expect(counts).toMatchObject({ added: tasks.length, complete: tasks.length });
  await stage.expectEmpty();
});
