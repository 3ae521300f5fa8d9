import { expect, test } from 'vitest';
import { type DeadLetter, type Queue, RejectTask } from '../../src/index.js';
import { codeOf, until } from '../support/redis.js';
import { useLab } from '../support/lab.js';
import { idsIn, partitionsIn } from '../support/partitions.js';

/** Letters of tasks that have keys: an id may mean several, and a key says which. */
const lab = useLab();
const { created } = partitionsIn(lab);

const of = 3;
/** Two keys of one partition, and one of another. */
const [ann, bob] = idsIn(0, { of, count: 2 }) as [string, string];
const [far] = idsIn(2, { of, count: 1 }) as [string];

/** A queue in which the task `order` of each of these keys died, in this order, and so did one without a key. */
async function letDie(...keys: string[]): Promise<Queue> {
  const queue = await created(of);
  const { worker } = await lab().worker({ job: () => Promise.reject(new RejectTask('given up')) });
  for (const [at, key] of keys.entries()) {
    await queue.add('job', key, { id: 'order', key });
    await until(async () => (await queue.stats()).dead === at + 1, 'its death');
  }
  await queue.add('job', null, { id: 'plain' });
  await until(async () => (await queue.stats()).dead === keys.length + 1, 'the last');
  await worker.stop();
  return queue;
}

const keysOf = (letters: readonly DeadLetter[]): (string | undefined)[] => letters.map(({ key }) => key);

test('a letter has the key of its task, and one without a key has none', async () => {
  const queue = await letDie(far);
  await expect(queue.dead.get('order')).resolves.toMatchObject({ id: 'order', key: far, payload: far });
  expect(await queue.dead.get('plain')).not.toHaveProperty('key');
});

test('with a key the list has the letters of that key only, in pages', async () => {
  const queue = await letDie(ann, bob, ann, far, ann);
  expect(keysOf((await queue.dead.list({ key: ann })).letters)).toEqual([ann, ann, ann]);
  expect(keysOf((await queue.dead.list({ key: far })).letters)).toEqual([far]);
  expect((await queue.dead.list({ key: 'nobody' })).letters).toEqual([]);
  const first = await queue.dead.list({ key: ann, limit: 2 });
  const second = await queue.dead.list({ key: ann, limit: 2, after: first.after ?? '' });
  expect([first, second].map(({ letters }) => letters.length)).toEqual([2, 1]);
  expect(new Set([...first.letters, ...second.letters].map(({ number }) => number)).size).toBe(3);
});

test('with a key the letter of that key is meant: looked at, thrown away, replayed', async () => {
  const queue = await letDie(ann, far);
  await expect(queue.dead.get('order')).resolves.toMatchObject({ key: far }); // the newest of all
  await expect(queue.dead.get('order', { key: ann })).resolves.toMatchObject({ key: ann });
  await expect(queue.dead.purge('order', { key: ann })).resolves.toBe(1);
  await expect(queue.dead.get('order', { key: ann })).resolves.toBeNull();
  await expect(queue.dead.purge('order', { key: ann })).resolves.toBe(0);
  await expect(queue.dead.replay('order', { key: far })).resolves.toMatchObject({ status: 'replayed', id: 'order' });
  await expect(queue.get('order', { key: far })).resolves.toMatchObject({ state: 'ready', key: far });
});

test('a newer letter of another key, where its own may have lain once, does not hide it', async () => {
  const queue = await letDie(far, ann); // a queue that grew would have had both in partition 0
  await expect(queue.dead.get('order', { key: far })).resolves.toMatchObject({ key: far });
  await expect(queue.dead.replay('order', { key: far })).resolves.toMatchObject({ status: 'replayed' });
  await expect(queue.get('order', { key: far })).resolves.toMatchObject({ state: 'ready', key: far });
  expect(keysOf((await queue.dead.list({ key: ann })).letters)).toEqual([ann]);
});

test('a letter of another key in the same partition is left alone, by id and by number', async () => {
  const queue = await letDie(ann);
  const number = (await queue.dead.get('order'))?.number ?? '';
  for (const name of ['order', number]) {
    await expect(queue.dead.get(name, { key: bob })).resolves.toBeNull();
    await expect(queue.dead.replay(name, { key: bob })).resolves.toEqual({ status: 'not_found' });
    await expect(queue.dead.purge(name, { key: bob })).resolves.toBe(0);
  }
  await expect(queue.dead.get(number, { key: ann })).resolves.toMatchObject({ number });
});

test('a key that can be none, or none of the letter that is meant, is refused before anything is sent', async () => {
  const queue = await letDie();
  expect(await codeOf(queue.dead.get('plain', { key: '' }))).toBe('ERR_INVALID_ARGUMENT');
  expect(await codeOf(queue.dead.list({ key: 'x'.repeat(300) }))).toBe('ERR_INVALID_ARGUMENT');
  expect(await codeOf(queue.dead.purge(undefined, { key: 'k' }))).toBe('ERR_INVALID_ARGUMENT');
  await expect(queue.dead.purge()).resolves.toBe(1);
});
