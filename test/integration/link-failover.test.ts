import { expect, onTestFinished, test } from 'vitest';
import { Leader, Queue, Worker } from '../../src/index.js';
import type { RedisServer } from '../../src/redis/embedded.js';
import { Proxy } from '../support/proxy.js';
import { codeOf, EventLog, linkTo, startRedis, until } from '../support/redis.js';

/** A failover behind an address that stays: the demoted server goes on serving the connections it has. */
const demote = ['REPLICAOF', '127.0.0.1', '1'];

/** The connections of a server that neither block nor only listen, but for ours. */
async function callers(server: RedisServer): Promise<string[]> {
  const list = String(await linkTo(server.connection).send(['CLIENT', 'LIST']));
  return [...list.matchAll(/^id=(\d+) .* cmd=(?!xreadgroup|subscribe|client)/gm)].map(([, id]) => id ?? '');
}

test('an address that means another server after a failover is followed there, though the old one stays up', async () => {
  const [before, after] = [await startRedis(), await startRedis()];
  const address = await Proxy.before(before);
  const queue = new Queue('moved', { connection: address.url, repeatFor: '20s' });
  onTestFinished(() => queue.close());
  await queue.add('tick', null, { id: 'a' });
  address.target = after;
  await linkTo(before.connection).send(demote);
  await expect(queue.add('tick', null, { id: 'b' })).resolves.toEqual({ id: 'b', status: 'ready' });
  const there = new Queue('moved', { connection: after.connection });
  onTestFinished(() => there.close());
  await expect(there.get('b')).resolves.toMatchObject({ state: 'ready' });
});

test('what a replica refuses is an error reply for each call, and the end of that connection', async () => {
  const server = await startRedis();
  const events = new EventLog();
  const link = linkTo(server.connection, { onEvent: events.add });
  await link.connected();
  await linkTo(server.connection).send(demote);
  const calls = [link.send(['SET', 'a', '1']), link.send(['SET', 'b', '1'])];
  await expect(Promise.all(calls.map(codeOf))).resolves.toEqual(['ERR_REDIS_REPLY', 'ERR_REDIS_REPLY']);
  await expect(events.next('lost')).resolves.toMatchObject({ life: 1 });
  await expect(link.connected()).resolves.toBe(2);
  await linkTo(server.connection).send(['CONFIG', 'SET', 'replica-serve-stale-data', 'no']);
  await expect(codeOf(link.send(['GET', 'a']))).resolves.toBe('ERR_REDIS_REPLY');
  await expect(events.next('lost', 1)).resolves.toMatchObject({ life: 2 });
});

test('a master that lost its replicas takes no writes: each refused call ends a connection, and the next finds the new one', async () => {
  const [before, after] = [await startRedis({ args: ['--min-replicas-to-write', '1'] }), await startRedis()];
  const address = await Proxy.before(before);
  const events = new EventLog();
  const link = linkTo(address.url, { onEvent: events.add });
  await link.connected();
  address.target = after;
  await expect(codeOf(link.send(['SET', 'a', '1']))).resolves.toBe('ERR_REDIS_REPLY');
  await expect(events.next('lost')).resolves.toMatchObject({ life: 1 });
  await expect(link.send(['SET', 'a', '1'])).resolves.toBe('OK');
});

test('a worker whose reader holds on to the former master, when its other connection has moved, moves as a whole', async () => {
  const [before, after] = [await startRedis(), await startRedis()];
  const address = await Proxy.before(before);
  const done = new Set<string>();
  const tick = async ({ id }: { id: string }): Promise<void> => void done.add(id);
  const worker = new Worker('moved', { tick }, { connection: address.url, leader: 'never', lease: '1s' });
  worker.on('error', () => {});
  onTestFinished(() => worker.stop());
  await worker.start();
  const there = new Queue('moved', { connection: before.connection });
  await there.add('tick', null, { id: 'a' });
  await there.close();
  await until(() => done.has('a'), 'the first task');
  address.target = after;
  const [commands] = await callers(before); // the reader is in a blocking read
  await linkTo(before.connection).send(['CLIENT', 'KILL', 'ID', commands ?? '']);
  const queue = new Queue('moved', { connection: after.connection });
  onTestFinished(() => queue.close());
  await queue.add('tick', null, { id: 'b' });
  await until(() => done.has('b'), 'a task of the new master');
});

test('a leader one of whose connections holds on to the former master, the vote or the work, leaves it with both', async () => {
  const [before, after] = [await startRedis(), await startRedis()];
  const address = await Proxy.before(before);
  const leader = new Leader('moved', { connection: address.url, lockTtl: '500ms' });
  leader.on('error', () => {});
  onTestFinished(() => leader.stop());
  await leader.start();
  await until(async () => leader.seat === 'leader' && (await callers(before)).length === 2, 'a leader at work');
  address.target = after;
  const [one] = await callers(before);
  await linkTo(before.connection).send(['CLIENT', 'KILL', 'ID', one ?? '']);
  await until(async () => (await callers(before)).length === 0, 'both connections gone');
  await until(() => leader.seat === 'leader', 'a leader at the new master');
});

test("a blocked read is never ended through a connection to another server, where its id is somebody else's", async () => {
  const [one, two] = [await startRedis(), await startRedis()];
  const [reader, there, other] = [linkTo(one.connection), linkTo(two.connection), linkTo(two.connection)];
  for (const link of [reader, there, other]) await link.connected();
  const mine = codeOf(reader.block(['BLPOP', 'list', '20'], 20_000));
  const theirs = there.block(['BLPOP', 'list', '20'], 20_000);
  await until(() => reader.isBlocked && there.isBlocked, 'both to be blocked');
  await reader.unblock(other);
  await expect(mine).resolves.toBe('ERR_OUTCOME_UNKNOWN');
  await other.send(['RPUSH', 'list', 'x']);
  await expect(theirs).resolves.toEqual(['list', 'x']);
});
