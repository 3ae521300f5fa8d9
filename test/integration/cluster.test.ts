import { expect, onTestFinished, test } from 'vitest';
import { doctor, Leader, listQueues, Queue, type QueueOptions, RejectTask, Worker } from '../../src/index.js';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { CommandLine } from '../support/cli.js';
import { type ClusterNode, useCluster } from '../support/cluster.js';
import { codeOf, startRedis, until } from '../support/redis.js';
import { ruleOf } from '../support/rights.js';

const cluster = useCluster();
const master = (place: number): ClusterNode => cluster().masters[place] as ClusterNode;

function open(name: string, options: QueueOptions = {}): Queue {
  const queue = new Queue(name, { connection: cluster().url, ...options });
  onTestFinished(() => queue.close());
  return queue;
}

test.each([0, 1, 2])(
  'a queue on master %d: added to, led, worked, looked at, its dead letters replayed',
  async (place) => {
    const name = cluster().queueOn(master(place));
    const queue = open(name);
    const done: string[] = [];
    let isBroken = true;
    const worker = new Worker(
      name,
      {
        tick: ({ id }) => void done.push(id),
        bad: () => {
          if (isBroken) throw new RejectTask('broken');
        },
      },
      { connection: cluster().url },
    );
    onTestFinished(() => worker.stop());
    await worker.start();
    const ids = Array.from({ length: 20 }, (_, at) => `task-${at}`);
    await queue.addMany(ids.map((id, at) => ({ name: 'tick', payload: null, id, in: 10 * at })));
    await queue.add('bad', null, { id: 'bad' });
    await until(() => done.length === ids.length, 'all tasks');
    expect(done.toSorted()).toEqual(ids.toSorted());
    await until(async () => (await queue.stats()).dead === 1, 'the dead letter');
    isBroken = false;
    const [letter] = (await queue.dead.list()).letters;
    await queue.dead.replay(letter?.number ?? '');
    await until(async () => (await queue.stats()).counts['complete'] === ids.length + 1, 'its second try');
    await expect(queue.leader()).resolves.toMatchObject({ pid: process.pid });
    await until(() => worker.health().ready, 'its health');
    await expect(listQueues({ connection: cluster().url })).resolves.toContain(name);
    const { checks } = await doctor({ connection: cluster().url, queue: name });
    const wrong = checks.filter(({ ok }) => !ok).map((check) => check.name);
    expect(wrong).toEqual(['persistence', 'persistence', 'persistence']);
    await expect(master(place).send('EXISTS', `duestream:{${name}:0}:meta`)).resolves.toBe(1);
  },
);

test('a process that only leads leads there', async () => {
  const name = cluster().queueOn(master(2), 'led');
  const leader = new Leader(name, { connection: cluster().url, lockTtl: '500ms' });
  onTestFinished(() => leader.stop());
  await leader.start();
  await until(() => leader.seat === 'leader', 'a leader');
  await until(() => leader.health().ready, 'its health');
  const queue = open(name);
  await expect(queue.resign()).resolves.toMatchObject({ pid: process.pid });
});

test('a worker has as many connections as with one server, and one more for the list of queues', async () => {
  const name = cluster().queueOn(master(0), 'counted');
  const { nodes } = cluster();
  const connection = { cluster: nodes.map((node) => node.name), name: 'counted' };
  const worker = new Worker(name, { tick: () => {} }, { connection });
  onTestFinished(() => worker.stop());
  const queue = open(name);
  await queue.create(); // who settles a queue looks at other partitions, too
  await worker.start();
  await queue.add('tick');
  await until(async () => (await queue.stats()).counts['complete'] === 1, 'its work');
  const count = async (): Promise<number> =>
    (await Promise.all(nodes.map((node) => node.connections('counted')))).reduce((sum, one) => sum + one, 0);
  // Commands to two masters, reader, vote, wake-ups; a question to the cluster comes and goes.
  await until(async () => (await count()) <= 5, 'no more than these');
  await until(() => worker.health().ready, 'its health');
  await worker.stop();
  await until(async () => (await count()) === 0, 'none left');
});

test('scripts that a node has forgotten are sent again', async () => {
  const queue = open(cluster().queueOn(master(1), 'forgotten'));
  await queue.add('tick', null, { id: 'a' });
  await master(1).send('SCRIPT', 'FLUSH');
  await expect(queue.add('tick', null, { id: 'b' })).resolves.toMatchObject({ status: 'ready' });
});

test('seeds that are down or frozen are passed over', async () => {
  const [gone, frozen] = [await startRedis({ port: 'free' }), await startRedis({ port: 'free' })];
  const connection = `redis+cluster://127.0.0.1:${gone.port},127.0.0.1:${frozen.port},${master(2).name}`;
  await gone.stop();
  await frozen.kill('SIGSTOP');
  const queue = open(cluster().queueOn(master(0), 'seeds'), { connection });
  await expect(queue.add('tick')).resolves.toMatchObject({ status: 'ready' });
});

test('a cluster of which nobody answers is unreachable, by the time the call has', async () => {
  const gone = await startRedis({ port: 'free' });
  await gone.stop();
  const connection = `redis+cluster://127.0.0.1:${gone.port}`;
  const queue = open('nobody', { connection, commandTimeout: '300ms', repeatFor: '300ms' });
  await expect(queue.add('tick')).rejects.toMatchObject({
    code: 'ERR_REDIS_UNREACHABLE',
    message: expect.stringMatching(/no node of the cluster answers: connect ECONNREFUSED/) as string,
  });
  await expect(codeOf(queue.get('x'))).resolves.toBe('ERR_REDIS_UNREACHABLE');
});

test('a call under way when the queue is closed is told at once', async () => {
  const gone = await startRedis({ port: 'free' });
  await gone.stop();
  const queue = open('closing', { connection: `redis+cluster://127.0.0.1:${gone.port}`, repeatFor: '1m' });
  const call = codeOf(queue.add('tick'));
  await queue.close();
  await expect(call).resolves.toBe('ERR_CLOSED');
});

test('a refused password is told at once', async () => {
  const connection = { cluster: [master(0).name], username: 'nobody', password: 'wrong-one' };
  const queue = open('refused', { connection });
  const error: unknown = await queue.add('tick').catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'ERR_REDIS_REPLY', message: expect.stringMatching(/^WRONGPASS/) as string });
  expect(String(error)).not.toContain('wrong-one');
});

test('the rights that the documents name are enough', async () => {
  const rules = [ruleOf('duestream'), ruleOf("duestream '\\+cluster\\|slots'")];
  for (const node of cluster().nodes) for (const rule of rules) await node.send(...rule);
  const connection = cluster().url.replace('//', '//duestream:password@');
  const name = cluster().queueOn(master(2), 'rights');
  const errors: unknown[] = [];
  const worker = new Worker(name, { tick: () => {} }, { connection });
  worker.on('error', (error) => errors.push(error));
  onTestFinished(() => worker.stop());
  await worker.start();
  const queue = open(name, { connection });
  await queue.add('tick');
  await until(async () => (await queue.stats()).counts['complete'] === 1, 'its work');
  await until(() => worker.health().ready, 'its health');
  expect(errors).toEqual([]);
});

test('a slot that nobody serves is named, and what waits for it is done when somebody does', async () => {
  const name = cluster().queueOn(master(0), 'uncovered');
  const slot = slotOf(`{${name}:0}`);
  const { nodes } = cluster();
  const served = open(name, { repeatFor: '20s' });
  await served.stats();
  for (const node of nodes) await node.send('CLUSTER', 'DELSLOTS', slot);
  const waiting = served.add('tick', null, { id: 'a' });
  const hasty = open(name, { commandTimeout: '300ms', repeatFor: '300ms' });
  await expect(hasty.add('tick', null, { id: 'b' })).rejects.toMatchObject({
    code: 'ERR_REDIS_UNREACHABLE',
    message: expect.stringContaining(`slot ${slot}`) as string,
  });
  await master(0).send('CLUSTER', 'ADDSLOTS', slot);
  await expect(waiting).resolves.toEqual({ id: 'a', status: 'ready' });
});

test('the command line speaks to a cluster, and never shows its password', async () => {
  const cli = new CommandLine();
  onTestFinished(() => cli.close());
  const name = cluster().queueOn(master(1), 'typed');
  const env = { DUESTREAM_REDIS_URL: cluster().url };
  await expect(cli.run(['add', name, 'tick', '--id', 'one'], { env })).resolves.toMatchObject({
    code: 0,
    stdout: 'one ready\n',
  });
  await expect(cli.json(['stats', name, '--redis', cluster().url])).resolves.toMatchObject({ ready: 1 });
  const wrong = cluster().url.replace('//', '//me:pa55word@');
  const { code, stderr } = await cli.run(['add', name, 'tick', '--redis', wrong]);
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/WRONGPASS/) as string });
  expect(stderr).not.toContain('pa55word');
  await expect(cli.run(['leader', name, '--lock-nodes', cluster().url])).resolves.toMatchObject({ code: 2 });
  await expect(cli.run(['add', name, 'tick', '--redis', 'redis+cluster://'])).resolves.toMatchObject({ code: 2 });
});
