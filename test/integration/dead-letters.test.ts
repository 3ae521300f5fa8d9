import { describe, expect, test } from 'vitest';
import { RejectTask } from '../../src/index.js';
import { type Lab, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** Tasks that were given up: found, replayed and thrown away. */
const lab = useLab();

/** Lets these ids die, in this order. */
async function letDie(
  { queue, worker: newWorker }: Lab,
  ids: readonly string[],
  payload: unknown = null,
): Promise<void> {
  const { worker, diary } = await newWorker.call(lab(), { job: () => Promise.reject(new RejectTask('given up')) });
  for (const id of ids) {
    await queue.add('job', payload, { id });
    await diary.next('dead', id);
  }
  await worker.stop();
}

test('a letter tells what died, why and when', async () => {
  const before = Date.now();
  await letDie(lab(), ['a'], { n: [] });
  const { letters, after } = await lab().queue.dead.list();
  expect(letters).toEqual([
    {
      number: expect.stringMatching(/^\d+-\d+$/) as string,
      id: 'a',
      name: 'job',
      payload: { n: [] },
      reason: 'rejected',
      attempts: 1,
      errors: [{ attempt: 1, at: expect.any(Number) as number, message: 'RejectTask: given up' }],
      at: expect.any(Number) as number,
    },
  ]);
  expect(letters[0]?.at).toBeGreaterThanOrEqual(before - 1_000);
  expect(after).toBeNull();
  await expect(lab().queue.get('a')).resolves.toMatchObject({ state: 'dead', reason: 'rejected', payload: { n: [] } });
});

test('letters are listed oldest first, in pages', async () => {
  const { queue } = lab();
  const ids = Array.from({ length: 23 }, (_, at) => `t${100 + at}`);
  await letDie(lab(), ids);
  const first = await queue.dead.list({ limit: 15 });
  const second = await queue.dead.list({ limit: 15, after: first.after ?? '' });
  expect([...first.letters, ...second.letters].map(({ id }) => id)).toEqual(ids);
  expect([first.letters.length, second.after]).toEqual([15, null]);
});

test('an id that died twice has two letters, and its id leads to the newer', async () => {
  const { queue } = lab();
  await letDie(lab(), ['a'], 'first');
  await letDie(lab(), ['a'], 'second');
  const { letters } = await queue.dead.list();
  expect(letters.map(({ payload }) => payload)).toEqual(['first', 'second']);
  await expect(queue.dead.get('a')).resolves.toMatchObject({ payload: 'second' });
  await expect(queue.dead.get(letters[0]?.number ?? '')).resolves.toMatchObject({ payload: 'first' });
  await expect(queue.dead.get('none')).resolves.toBeNull();
  await expect(queue.dead.get('0-1')).resolves.toBeNull();
});

describe('replay', () => {
  test('makes it a task again, due now, at its first attempt', async () => {
    const { queue } = lab();
    await letDie(lab(), ['a'], { n: 1 });
    const number = (await queue.dead.get('a'))?.number;
    await expect(queue.dead.replay('a')).resolves.toEqual({ status: 'replayed', id: 'a', number });
    await expect(queue.dead.list()).resolves.toMatchObject({ letters: [] });
    const seen: unknown[] = [];
    const { diary } = await lab().worker({ job: (task) => seen.push([task.payload, task.attempt]) });
    await diary.next('completed', 'a');
    expect(seen).toEqual([[{ n: 1 }, 1]]);
    await expect(queue.get('a')).resolves.toBeNull();
    await expect(queue.dead.replay('a')).resolves.toEqual({ status: 'not_found' });
  });

  test('is refused while a task with its id lives anew, and the letter stays', async () => {
    const { queue } = lab();
    await letDie(lab(), ['a']);
    await queue.add('job', 'new', { id: 'a', in: '1h' });
    const { letters } = await queue.dead.list();
    const number = letters[0]?.number ?? '';
    await expect(queue.dead.replay(number)).resolves.toEqual({ status: 'conflict', id: 'a', number });
    await expect(queue.dead.list()).resolves.toEqual({ letters, after: null });
    await expect(queue.get('a')).resolves.toMatchObject({ state: 'scheduled', payload: 'new' });
  });

  test('in a paused queue waits for resume', async () => {
    const { queue } = lab();
    await letDie(lab(), ['a']);
    await queue.pause();
    await queue.dead.replay('a');
    await expect(queue.get('a')).resolves.toMatchObject({ state: 'scheduled' });
    const { diary } = await lab().worker({ job: () => 0 });
    await queue.resume();
    await diary.next('completed', 'a');
  });

  test('twice at once replays once', async () => {
    const { queue } = lab();
    await letDie(lab(), ['a']);
    const number = (await queue.dead.get('a'))?.number ?? '';
    const statuses = await Promise.all([queue.dead.replay(number), queue.dead.replay(number)]);
    expect(statuses.map(({ status }) => status).sort()).toEqual(['not_found', 'replayed']);
  });
});

describe('purge', () => {
  test('throws away one letter, by id or number', async () => {
    const { queue } = lab();
    await letDie(lab(), ['a', 'b', 'c']);
    await expect(queue.dead.purge('b')).resolves.toBe(1);
    await expect(queue.dead.purge('b')).resolves.toBe(0);
    const { letters } = await queue.dead.list();
    expect(letters.map(({ id }) => id)).toEqual(['a', 'c']);
    await expect(queue.dead.purge(letters[0]?.number)).resolves.toBe(1);
    await expect(queue.get('a')).resolves.toBeNull();
    await expect(queue.stats()).resolves.toMatchObject({ dead: 1, counts: { purged: 2 } });
  });

  test('throws away all when none is named, however many', async () => {
    const { queue } = lab();
    await letDie(
      lab(),
      Array.from({ length: 25 }, (_, at) => `t${at}`),
    );
    await expect(queue.dead.purge()).resolves.toBe(25);
    await expect(queue.dead.purge()).resolves.toBe(0);
    await expect(queue.stats()).resolves.toMatchObject({ dead: 0 });
    await expect(lab().send('HLEN', lab().keys.past)).resolves.toBe(0);
  });

  test('of a task that lives throws nothing away', async () => {
    const { queue } = lab();
    await queue.add('job', null, { id: 'a', in: '1h' });
    await expect(queue.dead.purge('a')).resolves.toBe(0);
    await until(async () => (await queue.get('a')) !== null, 'it to be there');
  });
});
