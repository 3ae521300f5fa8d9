import { afterEach, expect, test, vi } from 'vitest';
import type { Scene } from '../../src/cli/demo/frame.js';
import { screenFor, type Tty } from '../../src/cli/demo/screen.js';

const escape = String.fromCodePoint(27);
const scene: Scene = {
  place: 'a Redis',
  elapsedMs: 0,
  endMs: 20_000,
  tasks: 10,
  counts: { scheduled: 1, ready: 2, active: 3, completed: 4 },
  leads: 'leader-1',
  lateness: { count: 0, p50Ms: null, p99Ms: null, maxMs: null },
  processes: [],
  events: [],
};

/** What is written to it, piece by piece. */
function stream(isTTY: boolean, rows = 50): Tty & { readonly written: string[] } {
  const written: string[] = [];
  return { isTTY, rows, written, write: (text) => written.push(text) };
}

afterEach(() => vi.unstubAllEnvs());

test('on a terminal each frame goes over the one before', () => {
  vi.stubEnv('TERM', 'xterm');
  const tty = stream(true);
  const screen = screenFor(tty);
  screen.show(scene);
  screen.show(scene);
  screen.end();
  const [, first = '', second = ''] = tty.written;
  const lines = first.split('\n').length - 1;
  expect(first).toMatch(/^[^\n]*Duestream demo on a Redis/);
  expect(second).toBe(`${escape}[${lines}A\r${first}`);
});

test('the cursor is hidden meanwhile, and back afterwards', () => {
  vi.stubEnv('TERM', 'xterm');
  const tty = stream(true);
  const listeners = process.listenerCount('exit');
  const screen = screenFor(tty);
  expect(process.listenerCount('exit')).toBe(listeners + 1); // for an end without an end
  screen.end();
  expect(tty.written).toEqual([`${escape}[?25l`, `${escape}[?25h`]);
  expect(process.listenerCount('exit')).toBe(listeners);
});

test('a window lower than a frame gets what fits into it', () => {
  vi.stubEnv('TERM', 'xterm');
  const tty = stream(true, 5);
  const screen = screenFor(tty);
  screen.show(scene);
  screen.end();
  expect(tty.written[1]?.match(/\n/g)).toHaveLength(4);
});

test('a terminal that says it has no rows gets the whole frame', () => {
  vi.stubEnv('TERM', 'xterm');
  const heights = [0, 24].map((rows) => {
    const tty = stream(true, rows);
    const screen = screenFor(tty);
    screen.show(scene);
    screen.end();
    return tty.written[1]?.match(/\n/g)?.length;
  });
  expect(heights[0]).toBe(heights[1]);
  expect(heights[0]).toBeGreaterThan(1);
});

test.each([
  ['', true],
  ['1', false],
])('NO_COLOR=%s: colours %s', (value, hasColours) => {
  vi.stubEnv('TERM', 'xterm');
  vi.stubEnv('NO_COLOR', value);
  const tty = stream(true);
  const screen = screenFor(tty);
  screen.show(scene);
  screen.end();
  expect(tty.written[1]?.includes(`${escape}[1m`)).toBe(hasColours);
});

test.each([
  [false, 'xterm'],
  [true, 'dumb'],
])('terminal %s, TERM=%s: a line a second, and one for each event', (isTTY, term) => {
  vi.stubEnv('TERM', term);
  const file = stream(isTTY);
  const screen = screenFor(file);
  for (let elapsedMs = 0; elapsedMs < 3_000; elapsedMs += 200) screen.show({ ...scene, elapsedMs });
  screen.tell({ atMs: 3_000, text: 'leader-1 leads' });
  screen.end();
  expect(file.written).toHaveLength(4);
  expect(file.written.map((line) => line.slice(0, 7))).toEqual(['  0.0 s', '  1.0 s', '  2.0 s', '  3.0 s']);
  expect(file.written.join('')).not.toContain(escape);
});
