import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readScheduleFile } from '../../src/cli/schedule-file.js';
import { Queue } from '../../src/index.js';

/** The files of `schedule apply`, and what the library says of what they hold; it is asked before it needs a Redis. */
const folder = mkdtempSync(join(tmpdir(), 'duestream-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(name: string, text: string): Promise<string[]> {
  const file = join(folder, name);
  writeFileSync(file, text);
  const queue = new Queue('mail', { connection: 'redis://127.0.0.1:1', repeatFor: '10ms' });
  const error = await queue.schedules.apply(await readScheduleFile(file)).catch((thrown: unknown) => thrown);
  await queue.close();
  return (error as Error).message.split('\n');
}

describe('a duration without a unit is refused, with what to write', () => {
  test.each([
    ['every: 15, task: { name: a }', 'every needs a unit, such as 15s or 15ms, got "15"'],
    ['every: 1h, jitter: 5, task: { name: a }', 'jitter needs a unit, such as 5s or 5ms, got "5"'],
    ['every: 1h, window: 90000, task: { name: a }', 'window needs a unit, such as 90000s or 90000ms, got "90000"'],
    ['every: 1h, task: { name: a, timeout: 30 }', 'timeout needs a unit, such as 30s or 30ms, got "30"'],
    ['every: 1h, task: { name: a, expiresIn: 1.5 }', 'expiresIn needs a unit, such as 1.5s or 1.5ms, got "1.5"'],
    [
      'every: 1h, task: { name: a, backoff: { type: fixed, delay: 10 } }',
      'backoff.delay needs a unit, such as 10s or 10ms, got "10"',
    ],
    ['every: -1, task: { name: a }', 'every must be a duration such as 250ms, 90s or 1h30m, got "-1"'],
  ])('%s', async (text, says) => {
    expect(await refusal('a.yaml', `schedules: { poll: { ${text} } }`)).toEqual([`the schedule "poll": ${says}`]);
  });

  test('in JSON, too, and of each schedule, whatever its name', async () => {
    const bare = { every: 15, task: { name: 'a' } };
    const text = JSON.stringify({ schedules: { constructor: bare, every: bare, '*': bare, task: bare } });
    const lines = await refusal('a.json', text);
    expect(lines).toEqual(
      ['constructor', 'every', '*', 'task'].map((name) => expect.stringContaining(`"${name}": every needs a unit`)),
    );
  });
});

test('a name that stands twice in JSON is refused, as in YAML', async () => {
  const text =
    '{"schedules": {\n"a": {"every": "1m", "task": {"name": "x"}},\n"a": {"every": "2m", "task": {"name": "x"}}}}';
  await expect(refusal('twice.json', text)).rejects.toThrow('twice.json: line 3, a name stands there twice');
});

test('numbers that are no durations are numbers', async () => {
  const at = Date.UTC(2099, 0);
  const text = `schedules: { a: { at: [${at}], start: 1700000000000, limit: 3, pauseAfter: 2, catchUp: { all: 5 }, version: 2,
    task: { name: x, maxAttempts: 4, payload: { every: 15, timeout: 1 } } } }`;
  writeFileSync(join(folder, 'numbers.yaml'), text);
  expect(await readScheduleFile(join(folder, 'numbers.yaml'))).toMatchObject({
    a: { at: [at], limit: 3, task: { maxAttempts: 4, payload: { every: 15, timeout: 1 } } },
  });
});
