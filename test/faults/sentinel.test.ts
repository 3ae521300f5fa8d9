import { expect, onTestFinished, test } from 'vitest';
import { Replicas } from '../../src/cli/verify/replicas.js';
import { Leader, Queue, Worker } from '../../src/index.js';
import type { Link } from '../../src/redis/link.js';
import { linkTo, until } from '../support/redis.js';

const name = 'moved';
const scheduled = 50;
/** What is added anew after a failover, and has to be run. */
const more = 20;

/** A queue, a worker and a leader, that ask the Sentinels; `done` is what was run, in its order. */
async function openStage() {
  const replicas = await Replicas.open({
    plan: { appendonly: 'everysec', minReplicas: 0 },
    writer: { note: () => {} },
  });
  onTestFinished(() => replicas.stop());
  const connection = replicas.url;
  const queue = new Queue(name, { connection, repeatFor: '20s' });
  onTestFinished(() => queue.close());
  const done: string[] = [];
  const handlers = { tick: async ({ id }: { id: string }) => void done.push(id) };
  const worker = new Worker(name, handlers, { connection, lease: '2s', drain: '1s', leader: 'never' });
  const leader = new Leader(name, { connection, lockTtl: '1s' });
  for (const role of [worker, leader]) {
    role.on('error', () => {});
    onTestFinished(() => role.stop());
    await role.start();
  }
  await until(() => leader.seat === 'leader', 'a leader');
  return { replicas, queue, done, leader, term: async () => (await queue.leader())?.term ?? 0 };
}

/** The connections of a server that are neither a Sentinel's, nor a replica's, nor the one that asks. */
async function othersOf(operator: Link): Promise<string[]> {
  const [list, own] = [String(await operator.send(['CLIENT', 'LIST'])), await operator.send(['CLIENT', 'ID'])];
  return list
    .trim()
    .split('\n')
    .filter((line) => !/ name=sentinel-| flags=\w*[SM]/.test(line) && !line.startsWith(`id=${String(own)} `));
}

test('the master is killed: its Sentinels are asked, and what had reached a replica is run from there, once', {
  timeout: 60_000,
}, async () => {
  const { replicas, queue, done, term } = await openStage();
  const before = await term();
  const ids = Array.from({ length: scheduled }, (_, at) => `task-${at}`);
  await queue.addMany(ids.map((id) => ({ name: 'tick', payload: null, id, in: '4s' })));
  await expect(linkTo(replicas.url).send(['WAIT', '2', '5000'])).resolves.toBe(2);
  await replicas.failOver('kill');
  await queue.add('tick', null, { id: 'after' });
  await until(() => done.length > scheduled, 'all tasks');
  expect(done.toSorted()).toEqual(['after', ...ids].toSorted());
  expect(await term()).toBeGreaterThan(before);
  await until(async () => (await queue.stats()).counts['complete'] === scheduled + 1, 'their ends');
});

test('the master sleeps through a failover and wakes as a master that nobody ever demotes: nobody stays there', {
  timeout: 60_000,
}, async () => {
  const { replicas, queue, done, leader, term } = await openStage();
  await queue.add('tick', null, { id: 'first' });
  await until(() => done.includes('first'), 'the first task');
  const before = await term();
  const operator = linkTo(replicas.master.connection);
  await operator.send(['ACL', 'SETUSER', 'default', '-replicaof', '-slaveof']); // by which Sentinels demote a server
  expect((await othersOf(operator)).length).toBeGreaterThan(0);
  const old = await replicas.failOver('freeze');
  await replicas.bringBack(old, 'freeze');
  await until(async () => (await othersOf(operator)).length === 0, 'all connections gone from there');
  for (let at = 0; at < more; at += 1) await queue.add('tick', null, { id: `after-${at}` });
  await until(() => done.filter((id) => id.startsWith('after-')).length === more, 'tasks of after the failover');
  await until(async () => leader.seat === 'leader' && (await term()) > before, 'a later term');
  expect(await othersOf(operator)).toEqual([]);
  await expect(operator.send(['ROLE'])).resolves.toContain('master');
});
