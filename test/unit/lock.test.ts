import { expect, test, vi } from 'vitest';
import { type LockNode, RedlockClient, type RedlockClientParts } from '../../src/leader/redlock-client.js';
import { Lock } from '../../src/leader/lock.js';
import { VirtualClock } from '../support/virtual-clock.js';

const silence: LockNode = { send: () => new Promise(() => {}), drop: () => {} };

function clientOf(node: LockNode, parts: Partial<RedlockClientParts> = {}): RedlockClient {
  return new RedlockClient({ node, name: 'n', deadlineMs: 20, clock: new VirtualClock(), onFault: () => {}, ...parts });
}

test.each([0, 2, 4])('%d lock nodes are refused: a split vote among an even number never ends', (count) => {
  const nodes = Array.from({ length: count }, () => ({ ...silence }));
  const parts = { nodes, resource: 'r', ttlMs: 5_000, clock: new VirtualClock() };
  expect(() => new Lock(parts)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
});

test('one node given three times is refused: it would be its own majority', () => {
  const parts = { nodes: [silence, silence, silence], resource: 'r', ttlMs: 5_000, clock: new VirtualClock() };
  expect(() => new Lock(parts)).toThrow(/different servers/);
});

test('a TTL that redlock would refuse on every bid is refused at the door', () => {
  const parts = { nodes: [silence], resource: 'r', ttlMs: 5_000.5, clock: new VirtualClock() };
  expect(() => new Lock(parts)).toThrow(/got 5000.5/);
});

test('arguments go as strings, numbers come back as numbers', async () => {
  const send = vi.fn(async () => 1);
  const client = clientOf({ ...silence, send });
  expect(await client.evalsha('abc', 1, ['key', 'token', 5_000])).toBe(1);
  expect(await client.eval('return 1', 1, ['key', 'token', 5_000])).toBe(1);
  expect(send.mock.calls).toEqual([
    [['EVALSHA', 'abc', '1', 'key', 'token', '5000'], { timeoutMs: 18 }],
    [['EVAL', 'return 1', '1', 'key', 'token', '5000'], { timeoutMs: 18 }],
  ]);
});

test('NOSCRIPT passes as it is, and what is no Error becomes one', async () => {
  const noScript = new Error('NOSCRIPT No matching script.');
  const failures: unknown[] = [noScript, 'a string'];
  const send = (): Promise<unknown> => Promise.reject(failures.shift());
  const client = clientOf({ ...silence, send });
  await expect(client.evalsha('abc', 0, [])).rejects.toBe(noScript);
  await expect(client.evalsha('abc', 0, [])).rejects.toThrow(/n: a string/);
});

test('a silent node is given up at a tenth of the TTL, and its connection thrown away once per call', async () => {
  const clock = new VirtualClock();
  const drop = vi.fn();
  const lock = new Lock({ nodes: [{ ...silence, drop }], resource: 'r', ttlMs: 5_000, clock });
  const bid = lock.acquire();
  await clock.advance(499);
  expect(drop).not.toHaveBeenCalled();
  await clock.advance(2);
  expect(drop.mock.calls).toEqual([['lock node 1 of 1 did not answer within 500 ms']]);
  await clock.advance(501); // redlock takes its bid back, and meets silence again
  expect(await bid).toEqual({ status: 'lost' });
  expect(clock.pending).toBe(0);
});

test('an answer that arrived while the event loop was blocked still counts', async () => {
  const clock = new VirtualClock();
  let answer = (_: unknown): void => {};
  const send = (): Promise<unknown> => new Promise((resolve) => (answer = resolve));
  const drop = vi.fn();
  const client = clientOf({ send, drop }, { clock, deadlineMs: 500 });
  const reply = client.evalsha('abc', 0, []);
  await clock.freeze(700); // the timer comes first
  answer(1);
  expect(await reply).toBe(1);
  expect(drop).not.toHaveBeenCalled();
});

test('a node that fails is reported once, and again only when it has voted in between', async () => {
  const answers = ['LOADING', 'LOADING', 'NOSCRIPT', 0, 'LOADING'];
  const faults: string[] = [];
  const send = async (): Promise<unknown> => {
    const answer = answers.shift();
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  };
  const client = clientOf({ ...silence, send }, { onFault: ({ message }) => faults.push(message) });
  const reports: number[] = [];
  while (answers.length > 0) {
    await client.evalsha('abc', 0, []).catch(() => {});
    reports.push(faults.length);
  }
  expect(reports).toEqual([1, 1, 1, 1, 2]);
});
