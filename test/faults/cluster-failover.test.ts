import { expect, onTestFinished, test } from 'vitest';
import { Queue, Worker } from '../../src/index.js';
import { type ClusterNode, serversOf, TestCluster } from '../support/cluster.js';
import { listenTo } from '../support/ear.js';
import { until } from '../support/redis.js';

const options = { timeout: 90_000 };

/** A queue on a master, a worker that leads, and what was run, in its order. */
async function openStage(cluster: TestCluster, master: ClusterNode) {
  const name = cluster.queueOn(master);
  const queue = new Queue(name, { connection: cluster.url, repeatFor: '30s' });
  onTestFinished(() => queue.close());
  const done: string[] = [];
  const worker = new Worker(
    name,
    { tick: async ({ id }) => void done.push(id) },
    { connection: cluster.url, lease: '2s', lockTtl: '1s', drain: '1s' },
  );
  worker.on('error', () => {});
  onTestFinished(() => worker.stop());
  await worker.start();
  await until(async () => (await queue.leader()) !== null, 'a leader');
  return { name, queue, worker, done, term: async () => (await queue.leader())?.term ?? 0 };
}

type Stage = Awaited<ReturnType<typeof openStage>>;

let added = 0;
/** Adds tasks until so many have been run: the queue goes on. */
async function goesOn({ queue, done }: Stage, count = 10): Promise<void> {
  const ids: string[] = [];
  const isThere = async (): Promise<boolean> => {
    const { id } = await queue.add('tick', null, { id: `more-${(added += 1)}` });
    ids.push(id);
    return ids.filter((each) => done.includes(each)).length >= count;
  };
  await until(isThere, 'new tasks', 40_000);
}

/** What was written on this master so far is on its replica too. WAIT counts from the last write of its own connection. */
async function inStep(master: ClusterNode, name: string): Promise<void> {
  await master.send('SET', `test:{${name}:0}`, 'x');
  await expect(master.send('WAIT', 1, 5_000)).resolves.toBe(1);
}

test(
  'a master is killed: its tasks are run from its replica, once, and the queues of other masters go on meanwhile',
  options,
  async () => {
    const cluster = await TestCluster.forTest();
    const [lost, well] = cluster.masters as [ClusterNode, ClusterNode];
    const heir = cluster.replicaOf(lost);
    const [hit, spared] = [await openStage(cluster, lost), await openStage(cluster, well)];
    const before = await hit.term();
    const ids = Array.from({ length: 50 }, (_, at) => `task-${at}`);
    await hit.queue.addMany(ids.map((id) => ({ name: 'tick', payload: null, id, in: '4s' })));
    await inStep(lost, hit.name);
    await heir.send('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes');
    await lost.server.kill('SIGKILL');
    const late = hit.queue.add('tick', null, { id: 'late' });
    await goesOn(spared);
    await until(() => spared.worker.health().ready, 'the health of the spared');
    await heir.send('CONFIG', 'SET', 'cluster-replica-no-failover', 'no');
    await cluster.untilReplaced(lost);
    await expect(late).resolves.toEqual({ id: 'late', status: 'ready' });
    await until(() => hit.done.length > ids.length, 'all tasks', 40_000);
    expect(hit.done.toSorted()).toEqual([...ids, 'late'].toSorted());
    await until(async () => (await hit.queue.stats()).counts['complete'] === ids.length + 1, 'their ends');
    await until(async () => (await hit.term()) > before, 'a later term');
    await until(() => hit.worker.health().ready, 'its health');
  },
);

test('the killed master comes back as a replica and takes over again: all follow both ways', options, async () => {
  const cluster = await TestCluster.forTest();
  const [first] = cluster.masters as [ClusterNode];
  const stage = await openStage(cluster, first);
  await goesOn(stage);
  await first.server.kill('SIGKILL');
  const heir = await cluster.untilReplaced(first);
  await goesOn(stage);
  await first.server.start();
  const isInStep = async (): Promise<boolean> => (await first.told('replication', 'master_link_status')) === 'up';
  await until(isInStep, 'the first to be in step again');
  await cluster.untilWhole();
  await first.send('CLUSTER', 'FAILOVER');
  await until(async () => (await first.told('replication', 'role')) === 'master', 'the first to be master again');
  await goesOn(stage);
  await expect(heir.told('replication', 'role')).resolves.toBe('slave');
});

test(
  'a master is frozen and replaced: what hangs there is given up, and when it wakes nobody goes back',
  options,
  async () => {
    const cluster = await TestCluster.forTest();
    const [first] = cluster.masters as [ClusterNode];
    const stage = await openStage(cluster, first);
    await goesOn(stage);
    await first.server.kill('SIGSTOP');
    onTestFinished(() => first.server.kill('SIGCONT'));
    await cluster.untilReplaced(first);
    await goesOn(stage);
    await first.server.kill('SIGCONT');
    await until(async () => (await first.told('replication', 'role')) === 'slave', 'the first to be a replica');
    await goesOn(stage);
  },
);

test('what was sent to a master that sleeps is not waited for when another has its place', options, async () => {
  const cluster = await TestCluster.forTest();
  const [lost] = cluster.masters as [ClusterNode];
  const name = cluster.queueOn(lost);
  const queue = new Queue(name, { connection: cluster.url, repeatFor: '10m', commandTimeout: '10m' });
  onTestFinished(() => queue.close());
  await queue.add('tick', null, { id: 'before' });
  await inStep(lost, name);
  await lost.server.kill('SIGSTOP');
  onTestFinished(() => lost.server.kill('SIGCONT'));
  expect(await queue.add('tick', null, { id: 'meanwhile' })).toMatchObject({ status: 'ready' });
  expect((await queue.stats()).ready).toBe(2);
  await lost.server.kill('SIGCONT');
  await until(async () => (await lost.told('replication', 'role')) === 'slave', 'it to be demoted', 40_000);
  expect((await queue.stats()).ready).toBe(2);
});

test('who listens at a master that is killed hears on at another', options, async () => {
  const cluster = await TestCluster.forTest();
  const connection = { cluster: cluster.nodes.map(({ name }) => name), name: 'ear' };
  const { subscriber, heard, events } = listenTo(serversOf(connection).publisher);
  subscriber.start();
  await events.next('connected');
  const counts = await Promise.all(cluster.masters.map((node) => node.connections('ear')));
  const at = cluster.masters[counts.indexOf(1)] as ClusterNode;
  await at.server.kill('SIGKILL');
  await events.next('connected', 1);
  const other = cluster.masters.find((node) => node !== at) as ClusterNode;
  await other.send('PUBLISH', 'one', 'still here');
  await until(() => heard.includes('one: still here'), 'the news');
});
