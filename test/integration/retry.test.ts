import { describe, expect, test } from 'vitest';
import { useLab } from '../support/lab.js';
import { until } from '../support/redis.js';

/** What becomes of a task whose handler fails: when it is tried again, and when it is given up. */
const lab = useLab();
const fail = (): never => {
  throw new Error('no');
};

describe('a failed task', () => {
  test('waits its fixed backoff in the schedule, by the clock of Redis', async () => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: fail });
    const before = await lab().nowMs();
    await queue.add('job', null, { id: 'a', backoff: { type: 'fixed', delay: '1h' } });
    await expect(diary.next('retried', 'a')).resolves.toMatchObject({ delayMs: 3_600_000, attempt: 1 });
    const info = await queue.get('a');
    expect(info).toMatchObject({ state: 'scheduled', attempt: 2, lastError: { attempt: 1, message: 'no' } });
    expect(info?.due).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(info?.due).toBeLessThanOrEqual((await lab().nowMs()) + 3_600_001);
  });

  test('goes to the schedule at once where Redis has to be sent the script first, while the worker reads on', async () => {
    const { queue, link } = lab();
    const { diary } = await lab().worker({ job: fail }, { lease: '1s' }); // of which a third is what a try may take
    for (const id of ['a', 'b']) {
      await link.send(['SCRIPT', 'FLUSH']);
      await queue.add('job', null, { id, backoff: { type: 'fixed', delay: '1h' } });
      await diary.next('retried', id);
    }
    expect(diary.errors).toEqual([]);
  });

  test('waits at random up to its doubling exponential backoff', async () => {
    const { queue } = lab();
    const delays: number[] = [];
    const { worker, diary } = await lab().worker({ job: fail }, { random: () => 0.5 });
    worker.on('retried', ({ delayMs }) => delays.push(delayMs));
    await queue.add('job', null, { id: 'a', maxAttempts: 5, backoff: { type: 'exponential', delay: 10, max: 30 } });
    await diary.next('dead', 'a');
    expect(delays).toEqual([5, 10, 15, 15]);
  });

  test('waits what the function of its handler says, which is given the attempt and the error', async () => {
    const { queue } = lab();
    const asked: unknown[] = [];
    const backoff = (attempt: number, error: unknown): string => {
      asked.push([attempt, (error as Error).message]);
      return `${attempt}ms`;
    };
    const { diary } = await lab().worker({ job: { handler: fail, backoff, maxAttempts: 3 } });
    await queue.add('job', null, { id: 'a' });
    await diary.next('dead', 'a');
    expect(asked).toEqual([
      [1, 'no'],
      [2, 'no'],
    ]);
    expect(diary.all('retried').map(({ of }) => of['delayMs'])).toEqual([1, 2]);
  });

  test.each([
    ['throws', fail],
    ['gives a negative wait', (): number => -5],
    ['gives a promise', (): Promise<number> => Promise.reject(new Error('late'))],
  ])('waits the default when that function %s, and the fault is told', async (_what, backoff) => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: { handler: fail, backoff: backoff as () => number } });
    await queue.add('job', null, { id: 'a' });
    await expect(diary.next('retried', 'a')).resolves.toMatchObject({ attempt: 1 });
    expect(diary.errors).toEqual([expect.objectContaining({ message: expect.stringContaining('"job"') as string })]);
    lab().errors = [];
  });

  test('counts its attempts from 1, and is told each', async () => {
    const { queue } = lab();
    const attempts: number[] = [];
    const handler = (task: { attempt: number }): void => {
      attempts.push(task.attempt);
      if (task.attempt < 4) fail();
    };
    const { diary } = await lab().worker({ job: { handler, backoff: { type: 'fixed', delay: 0 } } });
    await queue.add('job', null, { id: 'a' });
    await expect(diary.next('completed', 'a')).resolves.toMatchObject({ attempt: 4 });
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(diary.events('a').join()).toBe(`${'failed,retried,'.repeat(3)}completed`);
    await expect(lab().send('EXISTS', lab().keys.runs)).resolves.toBe(0);
  });

  test('keeps its last five errors', async () => {
    const { queue } = lab();
    const handler = (task: { attempt: number }): void => {
      throw new Error(`no ${task.attempt}`);
    };
    const { diary } = await lab().worker({ job: { handler, backoff: { type: 'fixed', delay: 0 }, maxAttempts: 7 } });
    await queue.add('job', null, { id: 'a' });
    await diary.next('dead', 'a');
    const letter = await queue.dead.get('a');
    expect(letter).toMatchObject({ reason: 'max_attempts', attempts: 7 });
    expect(letter?.errors.map(({ message }) => message)).toEqual(['no 3', 'no 4', 'no 5', 'no 6', 'no 7']);
  });
});

describe('the number of attempts', () => {
  const now = { type: 'fixed', delay: 0 } as const;
  test("is the task's own, over its handler's, over the worker's, over five", async () => {
    const { queue } = lab();
    const { diary } = await lab().worker(
      { own: { handler: fail, maxAttempts: 2 }, workers: fail },
      { maxAttempts: 3, backoff: now },
    );
    await queue.add('own', null, { id: 'task', maxAttempts: 1 });
    await queue.add('own', null, { id: 'handler' });
    await queue.add('workers', null, { id: 'worker' });
    await until(() => diary.all('dead').length === 3, 'all to be dead');
    expect(diary.all('dead', 'task')[0]?.of).toMatchObject({ attempt: 1 });
    expect(diary.all('dead', 'handler')[0]?.of).toMatchObject({ attempt: 2 });
    expect(diary.all('dead', 'worker')[0]?.of).toMatchObject({ attempt: 3 });
  });

  test('is five when nobody says', async () => {
    const { queue } = lab();
    const { diary } = await lab().worker({ job: fail }, { backoff: now });
    await queue.add('job', null, { id: 'a' });
    await expect(diary.next('dead', 'a')).resolves.toMatchObject({ attempt: 5 });
  });

  test('may be lowered by a deploy below the attempt a task has reached', async () => {
    const { queue } = lab();
    const later = { type: 'fixed', delay: '1h' } as const;
    const first = await lab().worker({ job: { handler: fail, maxAttempts: 9, backoff: later } });
    await queue.add('job', null, { id: 'a' });
    for (const attempt of [1, 2]) {
      await until(() => first.diary.all('retried').length === attempt, 'the retry');
      await queue.runNow('a');
    }
    await until(() => first.diary.all('retried').length === 3, 'the third retry');
    await first.worker.stop();
    const second = await lab().worker({ job: { handler: fail, maxAttempts: 2 } });
    await queue.runNow('a');
    await expect(second.diary.next('dead', 'a')).resolves.toMatchObject({ attempt: 4, reason: 'max_attempts' });
  });
});

test('a retry is looked after by the leader and started on its time', async () => {
  const { queue } = lab();
  const starts: number[] = [];
  const handler = async (task: { attempt: number; due: number }): Promise<void> => {
    starts.push((await lab().nowMs()) - task.due);
    if (task.attempt < 3) fail();
  };
  const { diary } = await lab().worker({ job: { handler, backoff: { type: 'fixed', delay: 30 } } });
  await queue.add('job', null, { id: 'a' });
  await diary.next('completed', 'a');
  expect(starts.filter((ms) => ms < 0)).toEqual([]);
});
