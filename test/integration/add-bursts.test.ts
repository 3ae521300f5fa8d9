import { expect, test } from 'vitest';
import type { Queue } from '../../src/index.js';
import { add } from '../../src/redis/scripts.generated.js';
import { intercepted } from '../support/intercepted.js';
import { Gate, useLab } from '../support/lab.js';
import { lossy } from '../support/lossy.js';

/** In how many calls the adds of one moment go, and that each of them counts once and gets its own answer. */
const lab = useLab();

/** A queue that has added before, and how many tasks went in each call since. `hold` keeps the answers back. */
async function watched(hold: () => Promise<unknown> = async () => {}): Promise<{ queue: Queue; calls: number[] }> {
  const calls: number[] = [];
  let isWarm = false;
  const connection = intercepted(lab().server, async (args) => {
    if (!isWarm || args[1] !== add.sha1) return;
    calls.push((args.length - 3 - add.keys.length - add.args.length) / add.items.length);
    await hold();
  });
  const queue = lab().newQueue({ connection });
  await queue.cancel((await queue.add('job')).id);
  isWarm = true;
  return { queue, calls };
}

const ids = Array.from({ length: 100 }, (_, at) => `t${at}`);

test('a burst goes in two calls, of which the second does not wait for the first', async () => {
  const both = new Gate();
  const { queue, calls } = await watched(() => {
    if (calls.length === 2) both.open();
    return both.opened;
  });
  const results = await Promise.all(ids.map((id) => queue.add('job', null, { id })));
  expect(calls).toEqual([50, 50]);
  expect(results).toEqual(ids.map((id) => ({ id, status: 'ready' })));
  const entries = (await lab().send('XRANGE', lab().keys.stream, '-', '+')) as [string, string[]][];
  expect(entries.map(([, fields]) => fields[1]).slice(-100)).toEqual(ids);
});

test('a lone add and a small burst go in one call', async () => {
  const { queue, calls } = await watched();
  await queue.add('job');
  await Promise.all(ids.slice(0, 47).map((id) => queue.add('job', null, { id })));
  expect(calls).toEqual([1, 47]);
});

test('who adds the next task with each answer keeps two calls under way', async () => {
  const { queue, calls } = await watched();
  const loop = async (id: string): Promise<void> => {
    for (let nth = 0; nth < 5; nth += 1) await queue.add('job', null, { id: `${id}-${nth}` });
  };
  await Promise.all(ids.map((id) => loop(id)));
  expect(Math.max(...calls)).toBeLessThanOrEqual(50);
  await expect(queue.stats()).resolves.toMatchObject({ ready: 500, counts: { added: 501 } });
});

test('a half whose reply is lost is added once, and so is the other', async () => {
  const { make, lost } = lossy(lab().server, { script: add, times: 2 });
  const queue = lab().newQueue({ connection: make });
  const results = await Promise.all(ids.map((id) => queue.add('job', null, { id })));
  expect(lost.count).toBe(2);
  expect(results).toEqual(ids.map((id) => ({ id, status: 'ready' })));
  await expect(queue.stats()).resolves.toMatchObject({ ready: 100, counts: { added: 100 } });
});
