import { expect, test } from 'vitest';
import { Gate, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** Tasks that were not started in time are never started: wherever they wait, but not while a handler is at work. */
const lab = useLab();

test('a task that waits in the stream of a queue without workers expires there', async () => {
  const { queue } = lab();
  await queue.add('job', { n: 1 }, { id: 'a', expiresIn: 1 });
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'ready' });
  await lab().leader();
  await lab().state('a', 'expired');
  await expect(queue.get('a')).resolves.toMatchObject({ reason: 'expired', due: null, name: 'job' });
  await expect(queue.list({ state: 'expired' })).resolves.toMatchObject({ tasks: [{ id: 'a', name: 'job' }] });
  await expect(queue.stats()).resolves.toMatchObject({ ready: 0, ended: 1, counts: { expired: 1 } });
});

test('a task in the schedule of a paused queue expires, and is not run at resume', async () => {
  const { queue } = lab();
  const ran: string[] = [];
  const { diary } = await lab().worker({ job: (task) => ran.push(task.id) });
  await queue.pause();
  await queue.add('job', null, { id: 'a', expiresAt: Date.now() + 20 });
  await lab().state('a', 'expired');
  await queue.resume();
  await queue.add('job', null, { id: 'b' });
  await diary.next('completed', 'b');
  expect(ran).toEqual(['b']);
});

test('an expired task that a worker meets is ended, not started', async () => {
  const { queue } = lab();
  const ran: string[] = [];
  await queue.add('job', null, { id: 'a', expiresIn: 1 });
  await queue.add('job', null, { id: 'b', expiresIn: '1h' });
  const readyAtMs = await lab().nowMs();
  await until(async () => (await lab().nowMs()) > readyAtMs + 2, 'the time to pass');
  const { diary } = await lab().worker({ job: (task) => ran.push(task.id) }, { leader: 'never' });
  await diary.next('completed', 'b');
  expect(ran).toEqual(['b']);
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'expired' });
  const settled = lab().observations.filter(({ type }) => type === 'settled');
  expect(settled).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'job', outcome: 'expired' })]));
  await expect(lab().send('ZCARD', lab().keys.expiry)).resolves.toBe(0);
});

test('a task expires that long after it is due, not after it was added', async () => {
  const { queue } = lab();
  await queue.add('job', null, { id: 'a', in: '1h', expiresIn: '1m' });
  const info = await queue.get('a');
  expect((info?.expiresAt ?? 0) - (info?.due ?? 0)).toBe(60_000);
});

test('a task at work does not expire', async () => {
  const { queue } = lab();
  const gate = new Gate();
  const started = new Gate();
  const handler = (): Promise<void> => {
    started.open();
    return gate.opened;
  };
  const { diary } = await lab().worker({ job: handler });
  await queue.add('job', null, { id: 'a', expiresIn: '300ms' });
  await started.opened;
  const [, expiresMs] = (await lab().send('ZRANGE', lab().keys.expiry, 0, -1, 'WITHSCORES')) as string[];
  await until(async () => (await lab().nowMs()) > Number(expiresMs), 'its time to be over');
  await queue.add('job', null, { id: 'b', in: '1h', expiresAt: (await lab().nowMs()) + 1 });
  await lab().state('b', 'expired'); // the leader has looked
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'active' });
  gate.open();
  await diary.next('completed', 'a');
  await expect(queue.stats()).resolves.toMatchObject({ counts: { expired: 1, complete: 1 } });
});

test('many expire in steps, each counted once', async () => {
  const { queue } = lab();
  await queue.addMany(Array.from({ length: 350 }, () => ({ name: 'job', expiresIn: 1 })));
  await lab().leader();
  await until(async () => (await queue.stats()).ended === 350, 'all to expire');
  await expect(queue.stats()).resolves.toMatchObject({ ready: 0, counts: { added: 350, expired: 350 } });
});
