import { expect, onTestFinished, test } from 'vitest';
import { slotOf } from '../../src/redis/cluster/slot.js';
import { type ClusterNode, serversOf, type TestCluster, useCluster } from '../support/cluster.js';
import { listenTo } from '../support/ear.js';
import { Proxy } from '../support/proxy.js';
import { codeOf, until } from '../support/redis.js';

const cluster = useCluster();
const master = (place: number): ClusterNode => cluster().masters[place] as ClusterNode;
const [from, to] = [() => master(0), () => master(1)];

let used = 0;
/** Keys of one slot that no other test has, on the first master. */
function keysOf(cluster: TestCluster, count: number): { slot: number; keys: string[] } {
  const tag = `{${cluster.queueOn(master(0), `keys-${(used += 1)}`)}:0}`;
  return { slot: slotOf(tag), keys: Array.from({ length: count }, (_, at) => `${tag}${at}`) };
}

test('one connection to each master, however many callers and calls', async () => {
  const servers = serversOf({ cluster: [master(0).name], name: 'few' });
  const counts = await Promise.all(
    Array.from({ length: 300 }, (_, at) => servers.callerFor(`key-${at}`).send(['INCR', `key-${at}`])),
  );
  expect(new Set(counts)).toEqual(new Set([1]));
  expect(servers.isUp).toBe(true);
  await until(async () => {
    const each = await Promise.all(cluster().nodes.map((node) => node.connections('few')));
    return each.join() === '1,1,1,0,0,0';
  }, 'one connection to each master, and none to a replica');
});

test('calls made in one turn arrive in their order', async () => {
  const servers = serversOf(cluster().url);
  const { keys } = keysOf(cluster(), 1);
  const [key = ''] = keys;
  const caller = servers.callerFor(key);
  await caller.send(['DEL', key]);
  await Promise.all(Array.from({ length: 50 }, (_, at) => caller.send(['RPUSH', key, String(at)])));
  await expect(caller.send(['LRANGE', key, '0', '-1'])).resolves.toEqual(
    Array.from({ length: 50 }, (_, at) => String(at)),
  );
});

test('a slot that has moved is followed, and each call is done once', async () => {
  const servers = serversOf(cluster().url);
  const { slot, keys } = keysOf(cluster(), 1);
  const [key = ''] = keys;
  const caller = servers.callerFor(key);
  await expect(caller.send(['INCR', key])).resolves.toBe(1);
  await cluster().moveSlot(slot, { from: from(), to: to() });
  const counts = await Promise.all(Array.from({ length: 100 }, () => caller.send(['INCR', key])));
  expect(counts).toEqual(Array.from({ length: 100 }, (_, at) => at + 2));
  await expect(to().send('GET', key)).resolves.toBe('101');
  expect(servers.linkFor(key).serverId).toBe(await to().told('server', 'run_id'));
});

test('while a slot is on its way, a key is asked for where it is, and what needs them all waits for the end', async () => {
  const servers = serversOf(cluster().url);
  const { slot, keys } = keysOf(cluster(), 5);
  const [key = ''] = keys;
  const caller = servers.callerFor(key);
  for (const each of keys) await caller.send(['SET', each, each]);
  let all: Promise<unknown> | undefined;
  await cluster().moveSlot(slot, { from: from(), to: to() }, async () => {
    const values = await Promise.all([...keys, ...keys].map((each) => caller.send(['GET', each])));
    expect(values).toEqual([...keys, ...keys]);
    await expect(caller.send(['MGET', ...keys], { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'ERR_REDIS_REPLY',
      message: expect.stringMatching(/^TRYAGAIN/) as string,
    });
    all = caller.send(['MGET', ...keys]);
  });
  await expect(all).resolves.toEqual(keys);
});

test('a link that was opened for a key goes along with it, also out of a blocked read', async () => {
  const servers = serversOf(cluster().url);
  const { slot, keys } = keysOf(cluster(), 1);
  const [stream = ''] = keys;
  const link = servers.openLink('reader', stream);
  onTestFinished(() => link.stop());
  const caller = servers.callerFor(stream);
  await caller.send(['XADD', stream, '*', 'a', 'b']);
  await link.connected();
  expect(link.serverId).toBe(await from().told('server', 'run_id'));
  const blocked = codeOf(link.block(['XREAD', 'BLOCK', '20000', 'STREAMS', stream, '$'], 20_000));
  await cluster().moveSlot(slot, { from: from(), to: to() });
  await expect(blocked).resolves.toMatch(/REPLY|UNKNOWN/);
  await until(async () => {
    await link.send(['PING']);
    return link.serverId === (await to().told('server', 'run_id'));
  }, 'the link to be there');
  await expect(link.send(['XLEN', stream])).resolves.toBe(1);
});

test('what is published on any master is heard', async () => {
  const { subscriber, heard, events } = listenTo(serversOf(cluster().url).publisher);
  subscriber.start();
  await events.next('connected');
  for (const [at, node] of cluster().masters.entries()) await node.send('PUBLISH', 'one', at);
  await until(() => heard.length === 3, 'all three');
  expect(heard.toSorted()).toEqual(['one: 0', 'one: 1', 'one: 2']);
});

test('a cluster behind other addresses is reached by its address map alone', async () => {
  const ways = await Promise.all(cluster().nodes.map((node) => Proxy.before(node.server)));
  const outside = ways.map(({ port }, at) => [cluster().nodes[at]?.name ?? '', { host: '127.0.0.1', port }] as const);
  const servers = serversOf({ cluster: [outside[0]?.[1] ?? ''], nodeAddressMap: Object.fromEntries(outside) });
  const keys = cluster().masters.map((node) => `{${cluster().queueOn(node, 'mapped')}:0}`);
  await Promise.all(keys.map((key) => servers.callerFor(key).send(['SET', key, 'x'])));
  expect(ways.slice(0, 3).every(({ connections }) => connections > 0)).toBe(true);
  await Promise.all(ways.map((way) => way.close()));
  await until(() => !servers.isUp, 'all of them cut');
});
