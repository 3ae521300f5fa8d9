import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Leader, Queue, Worker } from '../../src/index.js';
import { CommandLine } from '../support/cli.js';
import { type ClusterNode, useCluster } from '../support/cluster.js';
import { linkTo, startRedis, until, useRedis } from '../support/redis.js';

/** A Redis by itself, a node of a cluster, a Sentinel: what is taken for another is told of, and nothing is written. */
const cluster = useCluster();
const single = useRedis({ port: 'free' });
const cli = new CommandLine();
afterAll(() => cli.close());

let node: ClusterNode;
let name = '';
beforeAll(() => {
  writeFileSync(join(cli.folder, 'handlers.mjs'), 'export default { tick: () => {} };');
  [node] = cluster().masters as [ClusterNode];
  name = cluster().queueOn(node, 'taken'); // all its keys are there: no command would ever be sent elsewhere
});

const asSingle = (): string => `redis://${node.name}`;
const asCluster = (): string => `redis+cluster://127.0.0.1:${single().port}`;

const isOfCluster =
  /^the server at \S+ is one node of a Redis Cluster: use redis\+cluster:\/\/host:port,host:port and not redis:\/\/$/;
const isSentinel = /^the server at \S+ is a Sentinel and no Redis: use redis\+sentinel:\/\/\S+ and not redis:\/\/$/;
const isNoCluster = /^the server at \S+ is a Redis by itself: use redis:\/\/ and not redis\+cluster:\/\/$/;

const refusal = (says: RegExp): object => ({
  code: 'ERR_INVALID_ARGUMENT',
  message: expect.stringMatching(says) as string,
});

/** What a role that runs says, once it has tried. */
async function errorOf(role: Leader | Worker): Promise<unknown> {
  const errors: unknown[] = [];
  role.on('error', (error: unknown) => errors.push(error));
  onTestFinished(() => role.stop());
  await role.start();
  await until(() => errors.length > 1, 'it to have tried twice');
  return errors[0];
}

test('a producer that takes a node of a cluster for a Redis by itself is refused, whatever it calls', async () => {
  const queue = new Queue(name, { connection: asSingle() });
  onTestFinished(() => queue.close());
  await expect(queue.add('tick')).rejects.toMatchObject(refusal(isOfCluster));
  await expect(queue.stats()).rejects.toMatchObject(refusal(isOfCluster));
  await expect(queue.create()).rejects.toMatchObject(refusal(isOfCluster));
  await expect(node.send('DBSIZE')).resolves.toBe(0);
});

test('a leader and a worker there never lead, are not ready and say why', async () => {
  const options = { connection: asSingle(), lockTtl: '500ms' };
  const leader = new Leader(name, options);
  await expect(errorOf(leader)).resolves.toMatchObject(refusal(isOfCluster));
  const worker = new Worker(name, { tick: () => {} }, options);
  await expect(errorOf(worker)).resolves.toMatchObject(refusal(isOfCluster));
  for (const role of [leader, worker]) {
    expect(role.health()).toMatchObject({
      ready: false,
      problems: expect.arrayContaining([expect.stringMatching(isOfCluster)]) as string[],
    });
  }
  expect(leader.seat).toBe('follower');
  await expect(node.send('DBSIZE')).resolves.toBe(0);
});

test('a Redis by itself that is taken for a cluster is refused in the same way', async () => {
  const queue = new Queue(name, { connection: asCluster() });
  onTestFinished(() => queue.close());
  await expect(queue.add('tick')).rejects.toMatchObject(refusal(isNoCluster));
  await expect(errorOf(new Leader(name, { connection: asCluster() }))).resolves.toMatchObject(refusal(isNoCluster));
  await expect(linkTo(single().connection).send(['DBSIZE'])).resolves.toBe(0);
});

test('a database, which a cluster does not have, changes nothing in what is said', async () => {
  const queue = new Queue(name, { connection: `${asSingle()}/2` });
  onTestFinished(() => queue.close());
  await expect(queue.add('tick')).rejects.toMatchObject(refusal(isOfCluster));
});

test('a node of a cluster does not vote', async () => {
  const connection = `redis://127.0.0.1:${single().port}`;
  const leader = new Leader('voted', { connection, lockNodes: [asSingle()], lockTtl: '500ms' });
  const errors: unknown[] = [];
  leader.on('error', (error: unknown) => errors.push(error));
  onTestFinished(() => leader.stop());
  await leader.start();
  await until(() => errors.length > 0, 'an error');
  expect(errors[0]).toMatchObject(refusal(/is one node of a Redis Cluster: a lock node must be a Redis by itself$/));
});

test('a user that may not read INFO is told of it by the first key that is elsewhere', async () => {
  const away = cluster().queueOn(cluster().masters[1] as ClusterNode, 'away');
  await node.send('ACL', 'SETUSER', 'blind', 'reset', 'on', '>password', '~*', '&*', '+@all', '-info');
  const queue = new Queue(away, { connection: `redis://blind:password@${node.name}` });
  onTestFinished(() => queue.close());
  await expect(queue.add('tick')).rejects.toMatchObject(refusal(isOfCluster));
});

test('a Sentinel is told of as that, whatever it was taken for', async () => {
  const sentinel = await startRedis({ port: 'free', sentinel: [] });
  for (const [connection, says] of [
    [`redis://127.0.0.1:${sentinel.port}`, isSentinel],
    [`redis://127.0.0.1:${sentinel.port}/2`, isSentinel],
    [`redis+cluster://127.0.0.1:${sentinel.port}`, /is a Sentinel and no Redis: name nodes of the cluster$/],
  ] as const) {
    const queue = new Queue(name, { connection });
    onTestFinished(() => queue.close());
    await expect(queue.add('tick')).rejects.toMatchObject(refusal(says));
    const { code, stderr } = await cli.run(['stats', '--redis', connection]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^duestream: .* is a Sentinel and no Redis: .*\n$/),
    });
  }
});

test('servers that are no Sentinels are told of as what they are', async () => {
  for (const [place, says] of [
    [`127.0.0.1:${single().port}`, /is a Redis by itself: use redis:\/\/ and not redis\+sentinel:\/\//],
    [node.name, /is one node of a Redis Cluster: use redis\+cluster:\/\/\S+ and not redis\+sentinel:\/\/$/],
  ] as const) {
    const queue = new Queue(name, { connection: `redis+sentinel://${place}/mymaster` });
    onTestFinished(() => queue.close());
    await expect(queue.add('tick')).rejects.toMatchObject(refusal(says));
  }
});

const roles = ['leader', 'worker'];

test.each(['add', 'stats', 'doctor', 'queue', ...roles])(
  'the command line ends with 2, both ways: %s',
  async (verb) => {
    const argv: Readonly<Record<string, string[]>> = {
      add: ['add', name, 'tick'],
      stats: ['stats'],
      doctor: ['doctor'],
      queue: ['queue', 'create', name, '--partitions', '2'],
      leader: ['leader', name],
      worker: ['worker', name, '--handlers', 'handlers.mjs'],
    };
    for (const [redis, says] of [
      [asSingle(), /is one node of a Redis Cluster: use redis\+cluster:\/\/\S+ and not redis:\/\/$/],
      [asCluster(), /is a Redis by itself: use redis:\/\/ and not redis\+cluster:\/\/$/],
    ] as const) {
      const { code, stdout, stderr } = await cli.run([...(argv[verb] ?? []), '--redis', redis]);
      const lines = stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.includes(' started: '));
      expect({ code, stdout, lines }).toEqual({ code: 2, stdout: '', lines: [expect.stringMatching(says)] });
    }
  },
);
