/** A worker of few slots, a backlog on partitions of three masters, and one of these falls silent. */
import { expect, onTestFinished, test } from 'vitest';
import { Queue, Worker } from '../../src/index.js';
import { partitionOf } from '../../src/partition-of.js';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { type ClusterNode, useCluster } from '../support/cluster.js';
import { Gate } from '../support/lab.js';
import { idsIn } from '../support/partitions.js';
import { until } from '../support/redis.js';

const partitions = 6;
/** More than a partition has in one turn, also with one slot. */
const each = 300;
const cluster = useCluster();

/** Which partitions each master has. */
async function placesOf(name: string): Promise<Map<ClusterNode, number[]>> {
  const [first] = cluster().masters as [ClusterNode];
  const places = new Map<ClusterNode, number[]>();
  for (let partition = 0; partition < partitions; partition += 1) {
    const master = (await cluster().masterOf(slotOf(`{${name}:${partition}}`), first)) as ClusterNode;
    places.set(master, [...(places.get(master) ?? []), partition]);
  }
  return places;
}

/** Its handlers are at work until the gate is opened, and no read is ever given up. */
class Stage {
  readonly ids: readonly string[];
  readonly frozen: readonly number[];
  readonly started: string[] = [];
  readonly recovered: string[] = [];
  readonly queue: Queue;
  gate = new Gate();
  atWork = 0;
  readonly #victim: ClusterNode;

  private constructor(name: string, places: ReadonlyMap<ClusterNode, number[]>) {
    const all = [...places].toSorted(([, one], [, other]) => other.length - one.length);
    [this.#victim, this.frozen] = all.find(([, some]) => !some.includes(0)) as [ClusterNode, number[]];
    this.ids = Array.from({ length: partitions }, (_, at) => idsIn(at, { of: partitions, count: each })).flat();
    this.queue = new Queue(name, { connection: cluster().url, partitions });
    onTestFinished(() => this.queue.close());
  }

  static async open(name: string, concurrency: number): Promise<Stage> {
    const stage = new Stage(name, await placesOf(name));
    await stage.queue.addMany(stage.ids.map((id) => ({ name: 'tick', payload: null, id })));
    // However long a slow machine takes, nobody says that it is down.
    for (const node of cluster().nodes) await node.send('CONFIG', 'SET', 'cluster-node-timeout', 600_000);
    const patient = { commandTimeout: '5m', lease: '30m', leader: 'never' } as const;
    const tick = ({ id }: { id: string }): Promise<void> => stage.#run(id);
    const worker = new Worker(name, { tick }, { connection: cluster().url, concurrency, ...patient });
    worker.on('recovered', ({ id }) => stage.recovered.push(id));
    worker.on('error', () => {});
    onTestFinished(() => worker.stop({ force: true }));
    onTestFinished(() => stage.thaw());
    await worker.start();
    await until(async () => (await stage.queue.stats()).consumers === partitions, 'all its readers');
    await until(() => stage.atWork === concurrency, 'its slots to be at work');
    return stage;
  }

  /** Those of the other masters that were started. */
  get others(): string[] {
    return this.started.filter((id) => !this.frozen.includes(partitionOf(id, partitions)));
  }

  /** One of them has had a second turn, so all have had one. */
  get hasGoneRound(): boolean {
    const turns = this.others.map((id) => partitionOf(id, partitions)).filter((one, at, all) => one !== all[at - 1]);
    return turns.length > new Set(turns).size;
  }

  freeze(): Promise<void> {
    return this.#victim.server.kill('SIGSTOP');
  }

  thaw(): Promise<void> {
    return this.#victim.server.kill('SIGCONT');
  }

  /** Each once, and none by recovery. */
  async expectAll(): Promise<void> {
    const { queue, ids, started } = this;
    await until(async () => (await queue.stats()).counts['complete'] === ids.length, 'the ends of all');
    expect([started.toSorted(), this.recovered]).toEqual([ids.toSorted(), []]);
  }

  async #run(id: string): Promise<void> {
    this.started.push(id);
    this.atWork += 1;
    await this.gate.opened;
    this.atWork -= 1;
  }
}

test.each([1, 4])('the tasks of the others are run while it is silent: concurrency %i', async (concurrency) => {
  const stage = await Stage.open(`silent-${concurrency}`, concurrency);
  await stage.freeze();
  stage.gate.open();
  const all = each * (partitions - stage.frozen.length);
  await until(() => stage.others.length === all, 'all tasks of the others to be started');
  expect(stage.started.length).toBeLessThan(stage.ids.length);
  await stage.thaw();
  await stage.expectAll();
});

test('what it has read for slots that others have by now goes back at once', async () => {
  const stage = await Stage.open('returned', 1);
  await stage.freeze();
  stage.gate.open();
  await until(() => stage.hasGoneRound, 'each partition to have had its turn');
  stage.gate = new Gate();
  await until(() => stage.atWork === 1, 'the slot to be at work');
  const before = stage.started.length;
  await stage.thaw();
  const handedBack = async (): Promise<number> => (await stage.queue.stats()).counts['handed_back'] ?? 0;
  await until(async () => (await handedBack()) === stage.frozen.length, 'its reads to go back');
  expect(stage.started.length).toBe(before);
  expect((await stage.queue.stats()).active).toBe(1);
  stage.gate.open();
  await stage.expectAll();
});
