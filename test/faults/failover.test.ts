import { expect, onTestFinished, test } from 'vitest';
import { Proxy } from '../../src/cli/verify/proxy.js';
import { Replicas } from '../../src/cli/verify/replicas.js';
import { Queue, Worker } from '../../src/index.js';
import { codeOf, linkTo, until } from '../support/redis.js';

const name = 'moved';
const scheduled = 50;
/** What is added anew after a failover, and has to be run. */
const more = 20;

/** A queue and a worker that leads, each at the address that moves; `done` is what was run, in its order. */
async function openStage({ minReplicas }: { minReplicas: number }) {
  const replicas = await Replicas.open({ plan: { appendonly: 'everysec', minReplicas }, writer: { note: () => {} } });
  onTestFinished(() => replicas.stop());
  const way = new Proxy(replicas.master);
  await way.listen();
  onTestFinished(() => way.stop());
  replicas.follow(way);
  const queue = new Queue(name, { connection: way.url, repeatFor: '20s' });
  onTestFinished(() => queue.close());
  const done: string[] = [];
  const worker = new Worker(
    name,
    { tick: async ({ id }) => void done.push(id) },
    { connection: way.url, lease: '2s', lockTtl: '1s', drain: '1s' },
  );
  worker.on('error', () => {});
  onTestFinished(() => worker.stop());
  await worker.start();
  await until(async () => (await queue.leader()) !== null, 'a leader');
  return { replicas, way, queue, done, term: async () => (await queue.leader())?.term ?? 0 };
}

test('the master is killed: what had reached a replica is run from there, once, under a later term', {
  timeout: 90_000,
}, async () => {
  const { replicas, way, queue, done, term } = await openStage({ minReplicas: 0 });
  const before = await term();
  const ids = Array.from({ length: scheduled }, (_, at) => `task-${at}`);
  await queue.addMany(ids.map((id) => ({ name: 'tick', payload: null, id, in: '4s' })));
  await expect(linkTo(way.url).send(['WAIT', '2', '5000'])).resolves.toBe(2);
  await replicas.failOver('kill');
  await until(() => done.length >= scheduled, 'all tasks');
  expect(done.toSorted()).toEqual(ids.toSorted());
  expect(await term()).toBeGreaterThan(before);
  await until(async () => (await queue.stats()).counts['complete'] === scheduled, 'their ends');
});

test('the master is frozen and comes back: clients that are still connected leave it before it is demoted', {
  timeout: 90_000,
}, async () => {
  const { replicas, queue, done, term } = await openStage({ minReplicas: 1 });
  await queue.add('tick', null, { id: 'first' });
  await until(() => done.includes('first'), 'the first task');
  const before = await term();
  const old = await replicas.failOver('freeze');
  await replicas.bringBack(old, 'freeze');
  let added = 0;
  const goesOn = async (): Promise<boolean> => {
    added += 1;
    await queue.add('tick', null, { id: `after-${added}` });
    return done.filter((id) => id.startsWith('after-')).length >= more;
  };
  await until(goesOn, 'tasks of after the failover');
  await expect(linkTo(old.connection).send(['ROLE'])).resolves.toContain('master');
  const isRefused = async (): Promise<boolean> =>
    (await codeOf(linkTo(old.connection).send(['SET', 'a', '1'])).catch(() => '')) === 'ERR_REDIS_REPLY';
  await until(isRefused, 'the old master to see that it has no replica');
  await until(async () => (await term()) > before, 'a later term');
});
