import { expect, test } from 'vitest';
import { Intake } from '../../src/consumer/intake.js';

test('works are done one at a time, in the order they came', async () => {
  const intake = new Intake();
  const seen: string[] = [];
  let running = 0;
  const work = (name: string) => async (): Promise<string> => {
    running += 1;
    seen.push(`${name} of ${running}`);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return name;
  };
  const results = await Promise.all(['a', 'b', 'c'].map((name) => intake.exclusive(work(name))));
  expect(results).toEqual(['a', 'b', 'c']);
  expect(seen).toEqual(['a of 1', 'b of 1', 'c of 1']);
});

test('a work that fails holds up no other, and the failure is its own', async () => {
  const intake = new Intake();
  const failing = intake.exclusive(() => Promise.reject(new Error('mine')));
  const throwing = intake.exclusive(() => {
    throw new Error('at once');
  });
  await expect(intake.exclusive(async () => 'next')).resolves.toBe('next');
  await expect(failing).rejects.toThrow('mine');
  await expect(throwing).rejects.toThrow('at once');
});

test('who has it can tell that somebody waits', async () => {
  const intake = new Intake();
  const seen: boolean[] = [];
  const look = async (): Promise<void> => {
    seen.push(intake.isContended);
  };
  await intake.exclusive(look);
  await Promise.all([intake.exclusive(look), intake.exclusive(look)]);
  expect(seen).toEqual([false, true, false]);
});
