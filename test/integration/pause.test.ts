import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.js';
import { Gate, useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** A paused queue hands nothing out; what runs finishes; resume is felt at once. */
const lab = useLab();

/** The real clock, but a wait of a second, as before the next look at a paused queue, ends only when it is woken. */
class EndlessLookClock implements Clock {
  looks = 0;
  readonly monotonicMs = (): number => systemClock.monotonicMs();
  readonly wallMs = (): number => systemClock.wallMs();
  readonly after = (ms: number, callback: () => void): (() => void) => systemClock.after(ms, callback);

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms !== 1_000) return systemClock.sleep(ms, signal);
    this.looks += 1;
    return systemClock.sleep(3_600_000, signal);
  }
}

test('a paused queue takes tasks, and starts none', async () => {
  const { queue } = lab();
  const ran: string[] = [];
  const { diary } = await lab().worker({ job: (task) => ran.push(task.id) });
  await queue.pause();
  await queue.pause();
  await expect(queue.add('job', null, { id: 'now' })).resolves.toMatchObject({ status: 'scheduled' });
  await queue.add('job', null, { id: 'soon', in: 10 });
  await expect(queue.stats()).resolves.toMatchObject({ paused: true, ready: 0 });
  await expect(queue.runNow('now')).resolves.toEqual({ id: 'now', status: 'paused' });
  const due = (await queue.get('soon'))?.due ?? 0;
  await until(async () => (await lab().nowMs()) > due + 100, 'it to be due');
  expect(ran).toEqual([]);
  await queue.resume();
  await diary.next('completed', 'now');
  await diary.next('completed', 'soon');
  await expect(queue.stats()).resolves.toMatchObject({ paused: false });
});

test('what is ready when the queue is paused waits for resume', async () => {
  const { queue } = lab();
  const ran: string[] = [];
  await queue.add('job', null, { id: 'a' });
  await queue.pause();
  const { worker, diary } = await lab().worker({ job: (task) => ran.push(task.id) });
  await until(async () => (await queue.stats()).consumers === 1, 'the worker to look');
  await until(() => lab().observations.some(({ type }) => type === 'redis_command'), 'the worker to ask');
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'ready' });
  expect(worker.inFlight).toBe(0);
  await queue.resume();
  await diary.next('completed', 'a');
  expect(ran).toEqual(['a']);
});

test('after resume a backlog is worked off without another wait', async () => {
  const { queue } = lab();
  const added = await queue.addMany(Array.from({ length: 40 }, () => ({ name: 'job' })));
  await queue.pause();
  const clock = new EndlessLookClock();
  const { diary } = await lab().worker({ job: () => 0 }, { concurrency: 4, leader: 'never', clock });
  await until(() => clock.looks > 0, 'the worker to see the pause, and to wait');
  await queue.resume();
  for (const { id } of added) await diary.next('completed', id);
});

test('an entry that reaches a blocked reader of a paused queue goes back unstarted', async () => {
  const { queue, keys } = lab();
  const ran: string[] = [];
  const { diary } = await lab().worker({ job: (task) => ran.push(task.id) }, { leader: 'never' });
  await queue.add('job', null, { id: 'first' });
  await diary.next('completed', 'first'); // the reader is blocked from now on
  await until(async () => String(await lab().send('CLIENT', 'LIST')).includes('cmd=xreadgroup'), 'the reader to block');
  await queue.add('job', null, { id: 'a', in: '1h' });
  await queue.pause();
  // As a script that began before the pause would have left it.
  const moved = "redis.call('HSET', KEYS[3], 'a', redis.call('XADD', KEYS[2], '*', 'id', 'a', 'due', '5'))";
  await lab().send('EVAL', `redis.call('ZREM', KEYS[1], 'a') ${moved}`, 3, keys.due, keys.stream, keys.live);
  await lab().state('a', 'scheduled');
  await expect(queue.get('a')).resolves.toMatchObject({ due: 5, deliveries: 0 });
  await expect(queue.stats()).resolves.toMatchObject({ active: 0, ready: 0 });
  expect(ran).toEqual(['first']);
  await queue.resume();
  await lab().leader();
  await diary.next('completed', 'a');
});

test('a handler at work finishes, and its retry waits', async () => {
  const { queue } = lab();
  const gate = new Gate();
  let runs = 0;
  const handler = async (): Promise<void> => {
    runs += 1;
    await gate.opened;
    if (runs === 1) throw new Error('again');
  };
  const { diary } = await lab().worker({ job: { handler, backoff: { type: 'fixed', delay: 0 } } });
  await queue.add('job', null, { id: 'a' });
  await until(() => runs === 1, 'it to start');
  await queue.pause();
  gate.open();
  await diary.next('retried', 'a');
  await expect(queue.get('a')).resolves.toMatchObject({ state: 'scheduled', attempt: 2 });
  await queue.resume();
  await diary.next('completed', 'a');
});

test('resume is felt at once, by the leader and by the readers', async () => {
  const { queue } = lab();
  const { diary } = await lab().worker({ job: () => 0 });
  await until(async () => (await queue.leader()) !== null, 'a leader');
  await queue.pause();
  await queue.add('job', null, { id: 'a' });
  await until(async () => (await queue.stats()).due === 1, 'it to be due');
  await queue.resume();
  await diary.next('completed', 'a');
});
