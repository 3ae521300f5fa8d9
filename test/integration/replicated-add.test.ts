import { describe, expect, onTestFinished, test } from 'vitest';
import { Queue, type QueueOptions } from '../../src/index.js';
import { partitionKeys } from '../../src/keys.js';
import type { RedisServer } from '../../src/redis/embedded.js';
import type { Link } from '../../src/redis/link.js';
import { linkTo, startRedis, until } from '../support/redis.js';

/** What an add waits for. */
interface Pair {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly onReplica: Link;
  queue(options?: QueueOptions): Queue;
}

async function replicated(): Promise<Pair> {
  const master = await startRedis({ port: 'free', socket: true, args: ['--repl-diskless-sync-delay', '0'] });
  const args = ['--replicaof', '127.0.0.1', String(master.port)];
  const replica = await startRedis({ args });
  const [onMaster, onReplica] = [linkTo(master.connection), linkTo(replica.connection)];
  await until(async () => /state=online/.test(String(await onMaster.send(['INFO', 'replication']))), 'the replica');
  const queue = (options: QueueOptions = {}): Queue => {
    const made = new Queue('mail', { connection: master.connection, ...options });
    onTestFinished(() => made.close());
    return made;
  };
  return { master, replica, onReplica, queue };
}

const { tasks } = partitionKeys('duestream', 'mail', 0);

describe('an add that is to be replicated', () => {
  test('is on the replica when it returns', async () => {
    const { onReplica, queue } = await replicated();
    const mail = queue({ durability: 'replicated' });
    for (let at = 0; at < 50; at += 1) {
      const { id } = await mail.add('job');
      expect(await onReplica.send(['HEXISTS', tasks, id])).toBe(1);
    }
    const many = await mail.addMany(Array.from({ length: 1_000 }, () => ({ name: 'job', in: '1h' })));
    expect(await onReplica.send(['HLEN', tasks])).toBe(50 + many.length);
  });

  test('of a thousand at once shares the waiting', async () => {
    const { queue, master } = await replicated();
    const mail = queue({ durability: 'replicated', partitions: 2 });
    await Promise.all(Array.from({ length: 1_000 }, () => mail.add('job')));
    const link = linkTo(master.connection);
    const calls = /cmdstat_wait:calls=(\d+)/.exec(String(await link.send(['INFO', 'commandstats'])))?.[1];
    expect(Number(calls)).toBeLessThan(50);
  });

  test('says that it may be lost while no replica answers, and is there all the same', async () => {
    const { replica, queue } = await replicated();
    const mail = queue({ durability: 'replicated', commandTimeout: '500ms' });
    await mail.add('job', null, { id: 'before' }).catch(() => {}); // on a slow machine not in time: no matter
    await replica.kill('SIGSTOP');
    await expect(mail.add('job', null, { id: 'a' })).rejects.toMatchObject({
      code: 'ERR_OUTCOME_UNKNOWN',
      message: expect.stringContaining('no replica confirmed it within 500 ms'),
    });
    expect(await mail.get('a')).toMatchObject({ state: 'ready' });
    await replica.kill('SIGCONT');
    const patient = queue({ durability: 'replicated' });
    expect(await patient.add('job', null, { id: 'a' })).toEqual({ id: 'a', status: 'duplicate' });
  });

  test('waits for nobody where it was not asked to', async () => {
    const { replica, queue } = await replicated();
    await replica.kill('SIGSTOP');
    expect(await queue().add('job', null, { id: 'a' })).toEqual({ id: 'a', status: 'ready' });
    await replica.kill('SIGCONT');
  });
});

test('durability is one of two words', () => {
  expect(() => new Queue('mail', { durability: 'disk' as 'memory' })).toThrow(
    "durability must be 'memory' or 'replicated'",
  );
});
