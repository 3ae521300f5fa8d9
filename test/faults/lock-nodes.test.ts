import { expect, onTestFinished, test } from 'vitest';
import { Leader, type LeaderInfo, Queue } from '../../src/index.js';
import type { RedisServer } from '../../src/redis/embedded.js';
import { linkTo, startRedis, until } from '../support/redis.js';

/** A queue whose leaders are voted for by three servers of their own. */
async function threeNodes(): Promise<{ nodes: RedisServer[]; queue: Queue; terms: number[] }> {
  const [home, ...nodes] = await Promise.all([startRedis(), startRedis(), startRedis(), startRedis()]);
  const { connection } = home;
  const terms: number[] = [];
  for (let candidate = 0; candidate < 2; candidate += 1) {
    const leader = new Leader('voted', { connection, lockNodes: nodes.map((node) => node.connection), lockTtl: 1_000 });
    leader.on('elected', ({ term }) => terms.push(term));
    leader.on('error', () => {}); // nodes that are down
    onTestFinished(() => leader.stop());
    await leader.start();
  }
  const queue = new Queue('voted', { connection });
  onTestFinished(() => queue.close());
  return { nodes, queue, terms };
}

async function promotes(queue: Queue, id: string): Promise<void> {
  await queue.add('tick', null, { id, in: 20 });
  await until(async () => (await queue.get(id))?.state === 'ready', `${id} to be promoted`);
}

async function led(queue: Queue): Promise<LeaderInfo> {
  let leader: LeaderInfo | null = null;
  await until(async () => (leader = await queue.leader()) !== null, 'a leader');
  return leader as unknown as LeaderInfo;
}

test('with one of three lock nodes down, and then another that comes back empty, a queue is led', async () => {
  const { nodes, queue, terms } = await threeNodes();
  await led(queue);
  await nodes[0]?.kill('SIGKILL');
  await promotes(queue, 'one down');
  await nodes[0]?.start();
  await nodes[1]?.kill('SIGKILL');
  await nodes[1]?.start(); // two have forgotten the lock by now, so its holder can't renew it: one of the two is elected anew
  await until(() => terms.length > 1, 'another election');
  await promotes(queue, 'two empty');
});

test('with two of three lock nodes down nobody leads, and with one of them back somebody does, in a new term', async () => {
  const { nodes, queue, terms } = await threeNodes();
  const { term } = await led(queue);
  await Promise.all([nodes[0]?.kill('SIGKILL'), nodes[1]?.kill('SIGKILL')]);
  await until(async () => (await queue.leader()) === null, 'nobody to lead');
  await nodes[0]?.start();
  const next = await led(queue);
  expect(next.term).toBeGreaterThan(term);
  expect(terms).toEqual([...new Set(terms)].toSorted((a, b) => a - b)); // each term once, and they only grow
  await promotes(queue, 'led again');
});

test('a full Redis that refuses writes is led all the same, by one leader, and its due tasks are promoted', async () => {
  const { connection } = await startRedis();
  const queue = new Queue('full', { connection });
  onTestFinished(() => queue.close());
  await queue.add('tick', null, { id: 'soon', in: 20 });
  await queue.add('tick', null, { id: 'later', in: 2_500 }); // the lock must be extended until then
  await linkTo(connection).send(['CONFIG', 'SET', 'maxmemory', '1']);
  await expect(queue.add('tick')).rejects.toThrow('OOM');
  const told: unknown[] = [];
  const leader = new Leader('full', { connection, lockTtl: 1_000 });
  leader.on('elected', () => told.push('elected'));
  leader.on('stepped_down', ({ reason }) => told.push(reason));
  leader.on('error', (error) => told.push(error));
  onTestFinished(() => leader.stop());
  await leader.start();
  for (const id of ['soon', 'later'])
    await until(async () => (await queue.get(id))?.state === 'ready', `${id} to be promoted`);
  expect(told).toEqual(['elected']);
  await leader.stop();
  await expect(linkTo(connection).send(['KEYS', '*lock*'])).resolves.toEqual([]); // given back
});
