/** The read that waits for the next entry, with the script that opens what it brings right behind it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WaitingRead } from '../../src/consumer/waiting-read.js';
import { DuestreamError } from '../../src/errors.js';
import { Link } from '../../src/redis/link.js';
import { Partition } from '../../src/redis/partition.js';
import { join, next, open } from '../../src/redis/scripts.generated.js';
import { fixedLayout } from '../support/fixed-layout.js';
import { useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

const lab = useLab();
const told: string[] = [];
let reader: Link;
let waiting: WaitingRead;
let life = 0;

beforeEach(async () => {
  const { name: queue, server, link } = lab();
  told.length = 0;
  const onEvent = (event: { type: string; command?: string }): void => void told.push(event.command ?? event.type);
  reader = new Link({ connection: server.connection, purpose: 'reader', onEvent });
  life = await reader.connected();
  const partition = new Partition({ queue, prefix: 'duestream', index: 0, layout: fixedLayout(), caller: link });
  waiting = new WaitingRead({ partition, reader, leaseMs: 30_000 });
  await lab().run(join, { consumer: 'c', worker: 'w', leaseMs: 30_000 });
});
afterEach(() => reader.stop());

const wait = (count = 10): ReturnType<WaitingRead['next']> =>
  waiting.next({ by: { name: 'c', group: '', life }, count });

/** That the reader waits in Redis, and what is behind it too. */
async function untilBlocked(): Promise<void> {
  const look = async (): Promise<boolean> => /blocked_clients:1\b/.test(String(await lab().send('INFO', 'clients')));
  await until(look, 'the reader to be blocked');
}

async function idsOf(reading: ReturnType<WaitingRead['next']>): Promise<string[]> {
  const got = await reading;
  if (typeof got === 'string') throw new Error(got);
  expect(got.left).toEqual([]);
  return got.opened.deliveries.map(({ id }) => id);
}

test('a task that comes meanwhile is brought opened, and nothing more was sent for it', async () => {
  await lab().send('CONFIG', 'RESETSTAT');
  const reading = wait();
  await untilBlocked();
  await lab().queue.add('job', { n: 1 }, { id: 'a' });
  const got = await reading;
  expect(got).toMatchObject({ count: 1, left: [], opened: { status: 'ok', deliveries: [{ id: 'a' }] } });
  expect(typeof got === 'string' || got.opened.deliveries[0]?.record).toContain('{"n":1}');
  expect(told.filter((one) => one !== 'connected')).toEqual([]); // what waits on purpose is not timed
});

test('each brings what came after the one before, and nothing twice', async () => {
  const { queue } = lab();
  await queue.addMany(['a', 'b', 'c'].map((id) => ({ name: 'job', id })));
  expect(await idsOf(wait(2))).toEqual(['a', 'b']);
  expect(await idsOf(wait(2))).toEqual(['c']);
  await queue.addMany(['d', 'e'].map((id) => ({ name: 'job', id })));
  const fetched = await lab().run(next, { consumer: 'c', free: 1, bytesMax: 1e6, items: [] });
  if (fetched.status !== 'ok') throw new Error(fetched.status);
  waiting.saw('c', fetched.deliveries);
  expect(await idsOf(wait())).toEqual(['e']);
});

test('scripts that Redis forgot while it waits are sent again', async () => {
  const reading = wait();
  await untilBlocked();
  await lab().send('SCRIPT', 'FLUSH');
  await lab().queue.add('job', null, { id: 'a' });
  expect(await idsOf(reading)).toEqual(['a']);
});

test('an end of the wait from outside, and a group that is not there, are told', async () => {
  const reading = wait();
  await untilBlocked();
  await reader.unblock(lab().link);
  expect(await reading).toMatchObject({ count: 0, left: [], opened: { deliveries: [] } });
  const deleted = wait();
  await untilBlocked();
  await lab().send('DEL', lab().keys.stream);
  expect(await deleted).toBe('interrupted');
  expect(await wait()).toBe('no_group');
});

test('what is read anew, for the group was set back, is left to be opened by itself', async () => {
  await lab().queue.addMany(['a', 'b'].map((id) => ({ name: 'job', id })));
  expect(await idsOf(wait())).toEqual(['a', 'b']);
  await lab().send('XGROUP', 'SETID', lab().keys.stream, 'workers', '0');
  const got = await wait(1);
  expect(got).toMatchObject({ count: 1, opened: { deliveries: [] }, left: [{ id: 'a' }] });
  if (typeof got === 'string') throw new Error(got);
  const args = { consumer: 'c', bytesMax: 1e6, after: '', items: got.left };
  expect(await lab().run(open, args)).toMatchObject({ deliveries: [{ id: 'a' }] });
});

test('what can not be opened with the read is left, and no later one brings it', async () => {
  const { keys, link, queue } = lab();
  await queue.add('job', null, { id: 'first' });
  expect(await idsOf(wait())).toEqual(['first']);
  const reading = wait();
  await untilBlocked();
  const moved = `redis.call('SET', KEYS[3], 'foreign')
    redis.call('HSET', KEYS[2], 'a', redis.call('XADD', KEYS[1], '*', 'id', 'a', 'due', '5'))`;
  await link.send(['EVAL', moved, '3', keys.stream, keys.live, keys.expiry]);
  expect(await reading).toMatchObject({ count: 1, opened: { deliveries: [] }, left: [{ id: 'a' }] });
  const empty = wait();
  await untilBlocked();
  await reader.unblock(link);
  await expect(empty).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
  await lab().send('DEL', keys.expiry);
  await queue.add('job', null, { id: 'b' });
  expect(await idsOf(wait())).toEqual(['b']);
});

test('numbers of entries beyond what a double holds are told apart', async () => {
  const { keys } = lab();
  const entries = ['1900000000000-9007199254740992', '1900000000000-9007199254740993', '1900000000001-1'];
  for (const [at, entry] of entries.entries()) {
    const id = `t${at}`;
    await lab().send('XADD', keys.stream, entry, 'id', id, 'due', 1);
    await lab().send('HSET', keys.live, id, entry);
    await lab().send('HSET', keys.tasks, id, '[1,"job"]');
    expect(await idsOf(wait())).toEqual([id]);
  }
});

test('what the script behind it may still come to open is not to be opened by another', async () => {
  const { queue, link } = lab();
  const heard = reader.send.bind(reader);
  reader.send = async (args, options) => {
    await heard(args, options); // it has run, and its answer is lost
    throw new DuestreamError('ERR_OUTCOME_UNKNOWN', 'lost');
  };
  await queue.add('job', null, { id: 'a' });
  expect(await wait()).toMatchObject({ left: [{ id: 'a' }], isStillOpening: true, opened: { deliveries: [] } });
  reader.send = () => link.send(['EVAL', "return redis.error_reply('ERR no')", '0']);
  await queue.add('job', null, { id: 'b' });
  expect(await wait()).toMatchObject({ left: [{ id: 'b' }], isStillOpening: false, opened: { deliveries: [] } });
});

test('a connection that ends while it waits ends both', async () => {
  const reading = wait();
  await untilBlocked();
  reader.drop('the test wants it');
  await expect(reading).rejects.toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' });
  await expect(wait()).rejects.toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
});
