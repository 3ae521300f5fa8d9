import { expect, onTestFinished, test } from 'vitest';
import { Queue, Worker } from '../../src/index.js';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { type ClusterNode, useCluster } from '../support/cluster.js';
import { until } from '../support/redis.js';

const cluster = useCluster();

test('a slot moves from master to master while its tasks run: each is run once, and nobody is wedged', {
  timeout: 90_000,
}, async () => {
  const [first, second, third] = cluster().masters as [ClusterNode, ClusterNode, ClusterNode];
  const name = cluster().queueOn(first);
  const slot = slotOf(`{${name}:0}`);
  const queue = new Queue(name, { connection: cluster().url, repeatFor: '30s' });
  onTestFinished(() => queue.close());
  const hasty = new Queue(name, { connection: cluster().url, commandTimeout: '300ms', repeatFor: '300ms' });
  onTestFinished(() => hasty.close());
  const done: string[] = [];
  const tick = async ({ id }: { id: string }): Promise<void> => void done.push(id);
  const workers = [0, 1].map(() => new Worker(name, { tick }, { connection: cluster().url, concurrency: 4 }));
  for (const worker of workers) {
    worker.on('error', () => {});
    onTestFinished(() => worker.stop());
    await worker.start();
  }
  let isMoving = true;
  const ids: string[] = [];
  const adding = (async () => {
    while (isMoving) {
      const tasks = Array.from({ length: 5 }, (_, at) => ({ name: 'tick', payload: null, in: 20 * at }));
      for (const { id } of await queue.addMany(tasks)) ids.push(id);
    }
  })();
  const goesOn = async (): Promise<void> => {
    const count = done.length;
    await until(() => done.length > count + 50, 'tasks to go on');
  };
  await goesOn();
  for (const [from, to] of [
    [first, second],
    [second, third],
    [third, first],
  ] as const) {
    await cluster().moveSlot(slot, { from, to }, async () => {
      await expect(hasty.stats()).rejects.toThrow(/^TRYAGAIN/);
    });
    await goesOn();
  }
  isMoving = false;
  await adding;
  await until(() => done.length >= ids.length, 'all tasks');
  expect(done.toSorted()).toEqual(ids.toSorted());
  await until(async () => (await queue.stats()).counts['complete'] === ids.length, 'their ends');
  for (const worker of workers) await until(() => worker.health().ready, 'their health');
});
