import { expect, test } from 'vitest';
import { expectExplained } from '../support/journal.js';
import { Proxy } from '../support/proxy.js';
import { until } from '../support/redis.js';
import { endMs, mixedTasks, passed, Stage, tasksMax } from '../support/roles.js';

test('a worker and a leader behind a network that fails at random: everything is settled', {
  timeout: 2 * endMs,
}, async () => {
  const stage = await Stage.open();
  const proxy = await Proxy.before(stage.redis);
  await Promise.all([stage.leader(), stage.leader(proxy.url), stage.worker(['--concurrency', '20'], proxy.url)]);
  const count = Math.min(tasksMax, 20_000) / 2;
  const tasks = mixedTasks(count, 5);
  await stage.import(tasks);
  await stage.progress(count / 20);
  const random = generator(8);
  proxy.cutAfter = () => 2_000 + random() * 20_000;
  for (let times = 0; times < 25; times += 1) {
    const kind = random();
    if (kind < 0.4) proxy.reset();
    else proxy.blackHole((['requests', 'replies', 'both'] as const)[Math.floor((kind - 0.4) * 5)]);
    await passed(random() * 300);
    proxy.heal();
    proxy.cutAfter = () => 2_000 + random() * 20_000;
    await passed(random() * 100);
  }
  proxy.heal();
  const { counts } = await stage.completed(count);
  expectExplained(stage.journal, { tasks, recovered: counts['recovered'] });
  expect(counts).toMatchObject({ added: count, complete: count });
  expect(proxy.connections).toBeGreaterThan(10);
  await stage.expectEmpty();
});

test('a delivery that arrives after its lease is not started', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  const proxy = await Proxy.before(stage.redis);
  await stage.leader();
  await stage.worker(['--concurrency', '1'], proxy.url);
  const tasks = mixedTasks(600, 5).map(({ id, payload }) => ({ id, payload, name: 'work' }));
  await stage.import(tasks);
  await stage.progress(50);
  proxy.blackHole('replies');
  await stage.worker(['--concurrency', '20']);
  await until(async () => ((await stage.queue.stats()).counts['recovered'] ?? 0) > 0, 'the other to take over', endMs);
  const { counts } = await stage.completed(tasks.length);
  proxy.heal();
  await stage.import([{ id: 'last', name: 'work' }]);
  await stage.completed(tasks.length + 1);
  expectExplained(stage.journal, { tasks: [...tasks, { id: 'last', name: 'work' }], recovered: counts['recovered'] });
  await stage.expectEmpty();
});

test('an import behind a network that loses replies adds each task once', { timeout: 2 * endMs }, async () => {
  const stage = await Stage.open();
  const proxy = await Proxy.before(stage.redis);
  const random = generator(5);
  proxy.cutAfter = () => 1_000 + random() * 5_000;
  const tasks = mixedTasks(tasksMax);
  await stage.import(tasks, proxy.url);
  expect(proxy.cuts).toBeGreaterThan(1);
  expect((await stage.queue.stats()).counts).toMatchObject({ added: tasks.length });
});

/** Numbers that look random and are the same each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
