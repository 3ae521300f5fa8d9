import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeathLog } from '../../src/cli/death-log.js';
import type { Worker } from '../../src/index.js';

const lines: string[] = [];
const worker = new EventEmitter();
let log: DeathLog;

beforeEach(() => {
  lines.length = 0;
  worker.removeAllListeners();
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trimEnd());
    return true;
  });
  log = new DeathLog();
  log.listen(worker as unknown as Worker, 'mail');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function dies(id: string, { name = 'welcome', reason = 'max_attempts' } = {}): void {
  worker.emit('dead', { id, name, attempt: 5, reason, payload: 'secret' });
}

const first = (id: string): string =>
  `duestream: mail: welcome ${id} died at attempt 5: max_attempts; see duestream dead show mail ${id}`;

test('a task that dies is a line that says which, why, and where to look', () => {
  dies('a');
  expect(lines).toEqual([first('a')]);
});

test('of a thousand deaths the first is told, and a minute later how many followed', () => {
  for (let at = 0; at < 1_000; at += 1) dies(`task-${at}`);
  expect(lines).toEqual([first('task-0')]);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(1)).toEqual(['duestream: mail: welcome: max_attempts: 999 more died since']);
  dies('later');
  expect(lines.at(-1)).toBe(first('later'));
});

test('a worker that stops tells what it had counted, once', () => {
  for (let at = 0; at < 50; at += 1) dies(`task-${at}`);
  log.close();
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(1)).toEqual(['duestream: mail: welcome: max_attempts: 49 more died since']);
});

test('another name and another reason are told by themselves', () => {
  dies('a');
  dies('b', { name: 'digest' });
  dies('c', { reason: 'rejected' });
  expect(lines).toHaveLength(3);
});

test('a line stays one line, whatever the id is', () => {
  dies('a\n\u001b[2Jb');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/\p{Cc}/u);
});
