/** A queue of twelve partitions over a cluster of three masters, by the public API. */
import { expect, onTestFinished, test } from 'vitest';
import { AddManyError, type Durability, Leader, type NewTask, Queue, type Task, Worker } from '../../src/index.js';
import { partitionOf } from '../../src/partition-of.js';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { type ClusterNode, TestCluster } from '../support/cluster.js';
import { until } from '../support/redis.js';
import { endMs, tasksMax } from '../support/roles.js';

const partitions = 12;
const name = 'spread';
/** A quarter of what the kill tests of one server run: six servers share the machine here. */
const tasks = tasksMax / 4;
const options = { timeout: 2 * endMs };

const slotIn = (partition: number): number => slotOf(`{${name}:${partition}}`);

/** Of every kind: due now, due later, with a key, and one in ten that fails once. */
function mixed(count: number, prefix: string): (NewTask & { id: string })[] {
  return Array.from({ length: count }, (_, at) => ({
    name: at % 10 === 9 ? 'flaky' : 'work',
    id: `${prefix}${at}`,
    payload: at,
    backoff: { type: 'fixed', delay: 50 } as const,
    ...(at % 3 === 0 && { in: at % 3_000 }),
    ...(at % 4 === 0 && { key: `key ${at % 97}` }),
  }));
}

class Stage {
  readonly queue: Queue;
  readonly #hasty: Queue;
  readonly workers: readonly Worker[];
  readonly leader: Leader;
  /** By task and attempt, how often its handler was started. */
  readonly starts = new Map<string, number>();
  readonly completed = new Map<string, number>();
  readonly addedAgain = new Set<string>();
  /** In which partition each was. */
  readonly partitionsOf = new Map<string, number>();

  constructor(cluster: TestCluster, durability: Durability) {
    const connection = cluster.url;
    this.queue = new Queue(name, { connection, partitions, durability, repeatFor: '60s' });
    this.#hasty = new Queue(name, { connection, repeatFor: '60s' });
    onTestFinished(() => this.#hasty.close());
    const handlers = { work: this.#run, flaky: this.#run };
    const slow = { connection, lease: '3s', lockTtl: '1s' } as const;
    this.workers = [1, 2].map(() => new Worker(name, handlers, { ...slow, concurrency: 20, leader: 'never' }));
    this.leader = new Leader(name, { connection, lockTtl: '1s' });
    for (const station of [...this.workers, this.leader]) {
      station.on('error', () => {}); // what the cluster does to it is the point
      onTestFinished(() => station.stop());
    }
    for (const worker of this.workers) {
      worker.on('completed', ({ id }) => this.completed.set(id, (this.completed.get(id) ?? 0) + 1));
    }
    onTestFinished(() => this.queue.close());
  }

  async start(): Promise<void> {
    await this.queue.create();
    await Promise.all([...this.workers, this.leader].map((station) => station.start()));
    await until(async () => (await this.queue.stats()).consumers === 2 * partitions, 'all readers', 40_000);
  }

  async add(items: readonly (NewTask & { id: string })[]): Promise<void> {
    for (let at = 0; at < items.length; at += 250) {
      const some = items.slice(at, at + 250);
      for (const { id, key } of some) this.partitionsOf.set(id, partitionOf(key ?? id, partitions));
      if (this.addedAgain.size > 0) await this.#hasty.addMany(some);
      else await this.queue.addMany(some).catch((error: unknown) => this.#addAgain(some, error));
    }
  }

  /** What no replica has confirmed: the one that took the master's place has none. What has ended by now runs again. */
  async #addAgain(items: readonly (NewTask & { id: string })[], error: unknown): Promise<void> {
    const known = error instanceof AddManyError ? error.results : [];
    const missing = items.filter((_, at) => !known[at]);
    for (const { id } of missing) this.addedAgain.add(id);
    await this.#hasty.addMany(missing);
  }

  async untilCompleted(count: number): Promise<void> {
    await until(() => this.completed.size >= count, `${count} to complete`, endMs);
  }

  /** Starts beyond the first of each attempt, by the partition of the task. */
  secondStarts(): number[] {
    return [...this.starts].flatMap(([start, times]) =>
      times > 1 && !this.addedAgain.has(idOf(start)) ? [this.partitionsOf.get(idOf(start)) as number] : [],
    );
  }

  readonly #run = async ({ id, name: kind, attempt }: Task): Promise<void> => {
    const start = `${id} ${attempt}`;
    this.starts.set(start, (this.starts.get(start) ?? 0) + 1);
    if (kind === 'flaky' && attempt === 1) throw new Error('the first time it fails');
  };
}

function idOf(start: string): string {
  return start.replace(/ \d+$/, '');
}

async function openStage(durability: Durability = 'memory'): Promise<{ cluster: TestCluster; stage: Stage }> {
  const cluster = await TestCluster.forTest();
  const stage = new Stage(cluster, durability);
  await stage.start();
  return { cluster, stage };
}

/** The master of a partition, at the beginning. */
async function masterOf(cluster: TestCluster, partition: number): Promise<ClusterNode> {
  const [asked] = cluster.masters as [ClusterNode];
  return (await cluster.masterOf(slotIn(partition), asked)) as ClusterNode;
}

test('scripts are forgotten and a slot moves while mixed tasks run: each ends exactly once', options, async () => {
  const { cluster, stage } = await openStage();
  const adding = stage.add(mixed(tasks, 't'));
  await stage.untilCompleted(tasks / 8);
  for (const node of cluster.masters) await node.send('SCRIPT', 'FLUSH', 'SYNC');
  await stage.untilCompleted(tasks / 4);
  const from = await masterOf(cluster, 5);
  const to = cluster.masters.find((node) => node !== from) as ClusterNode;
  await cluster.moveSlot(slotIn(5), { from, to });
  await adding;
  await stage.untilCompleted(tasks);
  await until(async () => (await stage.queue.stats()).counts['complete'] === tasks, 'all ends', endMs);
  expect([...stage.completed.values()].filter((times) => times !== 1)).toEqual([]);
  expect(stage.secondStarts()).toEqual([]);
  const { scheduled, due, ready, active, dead, unplaced, counts } = await stage.queue.stats();
  expect({ scheduled, due, ready, active, dead, unplaced }).toEqual({
    scheduled: 0,
    due: 0,
    ready: 0,
    active: 0,
    dead: 0,
    unplaced: 0,
  });
  expect(counts).toMatchObject({ added: tasks, complete: tasks, retry: tasks / 10 });
  expect(new Set(stage.partitionsOf.values()).size).toBe(partitions);
});

test(
  'the queue grows while mixed tasks run: each ends exactly once, and the former layout is forgotten',
  options,
  async () => {
    const { stage } = await openStage();
    const all = mixed(tasks, 't');
    const adding = stage.add(all);
    await stage.untilCompleted(tasks / 8);
    expect(await stage.queue.grow(2 * partitions)).toMatchObject({ former: [partitions] });
    await adding;
    await stage.untilCompleted(tasks);
    await until(async () => (await stage.queue.stats()).counts['complete'] === tasks, 'all ends', endMs);
    expect([...stage.completed.values()].filter((times) => times !== 1)).toEqual([]);
    expect(stage.secondStarts()).toEqual([]);
    expect(await stage.queue.stats()).toMatchObject({
      partitions: 2 * partitions,
      counts: { added: tasks, complete: tasks, retry: tasks / 10 },
      unplaced: 0,
    });
    const isOver = async (): Promise<boolean> => (await stage.queue.grow(2 * partitions)).former.length === 0;
    await until(isOver, 'the growth to be over', endMs);
  },
);

test('a master is killed in the middle: nothing added is lost, and the other partitions go on', options, async () => {
  const { cluster, stage } = await openStage('replicated');
  const lost = await masterOf(cluster, 0); // the home of the lead, too
  const first = mixed(tasks, 'a');
  const adding = stage.add(first);
  await stage.untilCompleted(tasks / 8);
  const heir = cluster.replicaOf(lost);
  await heir.send('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes');
  await lost.server.kill('SIGKILL');
  const gone = new Set<number>();
  for (let partition = 0; partition < partitions; partition += 1) {
    if ((await cluster.masterOf(slotIn(partition), heir)) === lost) gone.add(partition);
  }
  const others = Array.from({ length: 500 }, (_, at) => ({ name: 'work', id: `b${at}` }));
  const spared = others.filter(({ id }) => !gone.has(partitionOf(id, partitions)));
  expect(spared.length).toBeGreaterThan(100);
  await stage.add(spared);
  await until(() => spared.every(({ id }) => stage.completed.has(id)), 'the other partitions to go on', endMs);
  await heir.send('CONFIG', 'SET', 'cluster-replica-no-failover', 'no');
  await cluster.untilReplaced(lost);
  await adding;
  await stage.untilCompleted(first.length + spared.length);
  await until(async () => (await stage.queue.stats()).ready === 0, 'nothing to be left', endMs);
  await until(async () => (await stage.queue.stats()).active === 0, 'nothing to be at work', endMs);
  // The end of a task may be lost with the master: then it runs again. Of no other partition.
  expect(stage.secondStarts().filter((partition) => !gone.has(partition))).toEqual([]);
  for (const worker of stage.workers) await until(() => worker.health().ready, 'their health', endMs);
});
