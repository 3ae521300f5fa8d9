import { afterAll, expect, onTestFinished, test } from 'vitest';
import { type Check, doctor, listQueues, Queue } from '../../src/index.js';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { CommandLine } from '../support/cli.js';
import { type ClusterNode, useCluster } from '../support/cluster.js';
import { until } from '../support/redis.js';

/** What operators are told of a cluster: of every master, by its name, and of what is there when one is away. */
const cluster = useCluster();
const cli = new CommandLine();
afterAll(() => cli.close());
const master = (place: number): ClusterNode => cluster().masters[place] as ClusterNode;

async function set(node: ClusterNode, name: string, value: string): Promise<void> {
  const [, before] = (await node.send('CONFIG', 'GET', name)) as [string, string];
  await node.send('CONFIG', 'SET', name, value);
  onTestFinished(async () => void (await node.send('CONFIG', 'SET', name, before)));
}

async function checksOf(options: { queue?: string } = {}): Promise<readonly Check[]> {
  return (await doctor({ connection: cluster().url, commandTimeout: '2s', ...options })).checks;
}

/** The findings of one kind: what is said of each master, in the order of the masters. */
function byMaster(checks: readonly Check[], name: string): string[] {
  const wordOf = ({ ok, risk }: Check): string => {
    if (!ok) return 'wrong';
    return risk ? 'risk' : 'ok';
  };
  return cluster().masters.map((node) => {
    const found = checks.filter((check) => check.name === name && check.server === node.name);
    return found.map(wordOf).join();
  });
}

test('every master is looked at, and a finding says which it is about', async () => {
  await set(master(1), 'maxmemory-policy', 'allkeys-lru');
  await set(master(2), 'min-replicas-to-write', '1');
  await set(master(0), 'cluster-require-full-coverage', 'yes');
  const checks = await checksOf();
  expect(byMaster(checks, 'version')).toEqual(['ok', 'ok', 'ok']);
  expect(byMaster(checks, 'clock')).toEqual(['ok', 'ok', 'ok']);
  expect(byMaster(checks, 'persistence')).toEqual(['wrong', 'wrong', 'wrong']);
  expect(byMaster(checks, 'eviction')).toEqual(['ok', 'wrong', 'ok']);
  expect(byMaster(checks, 'replication')).toEqual(['risk', 'risk', 'ok']);
  expect(byMaster(checks, 'coverage')).toEqual(['risk', 'ok', 'ok']);
  expect(checks.find(({ name }) => name === 'slots')).toEqual({
    name: 'slots',
    ok: true,
    detail: 'every slot has one of 3 masters',
  });
});

test('a master without a replica is a risk', async () => {
  const replica = cluster().replicaOf(master(1));
  await replica.server.kill('SIGKILL');
  onTestFinished(async () => {
    await replica.server.start();
    await cluster().untilWhole();
  });
  await until(async () => (await master(1).told('replication', 'connected_slaves')) === '0', 'it to be missed');
  const found = (await checksOf()).filter(
    ({ name, detail }) => name === 'replication' && detail.startsWith('no replicas'),
  );
  expect(found).toMatchObject([{ ok: true, risk: true, server: master(1).name }]);
});

test('the command line names the master in every row, in what is wrong, and in JSON', async () => {
  await set(master(1), 'maxmemory-policy', 'allkeys-lru');
  const { code, stdout, stderr } = await cli.run(['doctor', '--redis', cluster().url]);
  expect(stdout).toMatch(new RegExp(`^WRONG +${master(1).name}: eviction +maxmemory-policy is allkeys-lru`, 'm'));
  expect(stdout).toMatch(new RegExp(`^ok +${master(0).name}: eviction +noeviction$`, 'm'));
  expect(stderr).toContain(`${master(1).name}: eviction`);
  expect(code).toBe(1);
  const json = JSON.parse((await cli.run(['doctor', '--json', '--redis', cluster().url])).stdout) as {
    checks: Check[];
  };
  expect(json.checks).toContainEqual(expect.objectContaining({ name: 'eviction', ok: false, server: master(1).name }));
});

test('slots that nobody serves are named', async () => {
  const slots = [slotOf('{a}'), slotOf('{b}')].toSorted((one, other) => one - other);
  const owners = slots.map((slot) => cluster().masters.find((_, place) => Math.floor(slot / 5462) === place));
  const each = cluster().nodes;
  for (const node of each) await node.send('CLUSTER', 'DELSLOTS', ...slots);
  onTestFinished(async () => {
    for (const [at, slot] of slots.entries()) await owners[at]?.send('CLUSTER', 'ADDSLOTS', slot);
    await cluster().untilWhole();
  });
  await until(async () => (await checksOf()).some(({ name, ok }) => name === 'slots' && !ok), 'the doctor to see it');
  const found = (await checksOf()).find(({ name }) => name === 'slots');
  expect(found?.detail).toBe(`no master serves ${slots.join(', ')}: queues there stand still, redis-cli --cluster fix`);
});

/** Queues, each on the master at this place. */
async function createdOn(...places: number[]): Promise<string[]> {
  const names = places.map((place) => cluster().queueOn(master(place), 'seen'));
  for (const name of names) {
    const queue = new Queue(name, { connection: cluster().url });
    await queue.create();
    await queue.close();
  }
  return names;
}

/** Takes a master away for this test, and nobody takes its place. */
async function lose(lost: ClusterNode): Promise<void> {
  await set(cluster().replicaOf(lost), 'cluster-replica-no-failover', 'yes');
  await lost.server.kill('SIGKILL');
  onTestFinished(async () => {
    await lost.server.start();
    await cluster().untilWhole();
  });
}

/** The place of the master that has the list of queues. */
async function placeOfList(): Promise<number> {
  const owner = await cluster().masterOf(slotOf('duestream:queues'), master(0));
  return cluster().masters.findIndex((node) => node === owner);
}

test('a master that is away is told of, with the queues on it, and hides nothing of the others', async () => {
  const lost = master(2);
  const names = await createdOn(0, 2);
  await lose(lost);
  const checks = await checksOf();
  expect(byMaster(checks, 'version')).toEqual(['ok', 'ok', '']);
  expect(byMaster(checks, 'answers')).toEqual(['', '', 'wrong']);
  const wrong = (await checksOf({ queue: names[1] ?? '' })).find(({ name }) => name === `${names[1]}: layout`);
  expect(wrong?.detail).toContain(`${lost.name}, the master of slot`);
  expect((await checksOf({ queue: names[0] ?? '' })).map(({ name }) => name)).toContain(`${names[0]}: leader`);
});

test('without the list of queues it is said which master has it, and whoever names a queue needs it not', async () => {
  const place = await placeOfList();
  const [there = ''] = await createdOn((place + 1) % 3);
  const lost = master(place);
  await lose(lost);
  const options = { connection: cluster().url, commandTimeout: '1s' };
  const says = new RegExp(`^the list of queues, .* name a queue to do without it: .*${lost.name}, the master of slot`);
  await expect(listQueues(options)).rejects.toMatchObject({
    code: 'ERR_REDIS_UNREACHABLE',
    message: expect.stringMatching(says) as string,
  });
  const all = await cli.run(['stats', '--redis', cluster().url]);
  expect(all).toMatchObject({ code: 69, stdout: '', stderr: expect.stringContaining(lost.name) as string });
  expect(await cli.json(['stats', there, '--redis', cluster().url])).toMatchObject({ queue: there });
  expect(await cli.json(['queue', 'pause', there, '--redis', cluster().url])).toMatchObject({ paused: true });
  const list = (await checksOf()).find(({ name }) => name === 'queues');
  expect(list).toMatchObject({ ok: false, detail: expect.stringMatching(says) as string });
});

test('all queues are shown that are there, and those that are away are told of with the exit code', async () => {
  const place = ((await placeOfList()) + 1) % 3;
  const [there = '', away = ''] = await createdOn((place + 1) % 3, place);
  await lose(master(place));
  const { code, stdout, stderr } = await cli.run(['stats', '--json', '--redis', cluster().url]);
  const rows = (JSON.parse(stdout) as { queue: string }[]).map(({ queue }) => queue);
  expect(rows).toContain(there);
  expect(rows).not.toContain(away);
  expect(stderr).toMatch(new RegExp(`^duestream: ${away}: .*${master(place).name}, the master of slot`, 'm'));
  expect(code).toBe(69);
});
