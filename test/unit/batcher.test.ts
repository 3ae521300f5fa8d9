import { describe, expect, test } from 'vitest';
import { Batcher, type BatcherParts } from '../../src/batcher.js';

/** Calls under way, each answered by the test. */
class Calls {
  readonly sent: { items: readonly string[]; answer: (answers: string[]) => void; fail: (error: unknown) => void }[] =
    [];
  readonly batcher: Batcher<string, string>;

  constructor(limits: Partial<BatcherParts<string, string>> = {}) {
    this.batcher = new Batcher({
      inFlightMax: 1,
      itemsMax: 3,
      bytesMax: 100,
      ...limits,
      bytesOf: (item) => item.length,
      send: (items) => new Promise((answer, fail) => this.sent.push({ items, answer, fail })),
    });
  }

  get batches(): (readonly string[])[] {
    return this.sent.map(({ items }) => items);
  }
}

/** A turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what comes in one turn of the event loop goes in one call, also from other promises of that turn', async () => {
  const calls = new Calls();
  await turn();
  void calls.batcher.add('a');
  void Promise.resolve().then(() => calls.batcher.add('b'));
  void calls.batcher.add('c');
  await turn();
  expect(calls.batches.flat().sort()).toEqual(['a', 'b', 'c']);
  expect(calls.batches).toHaveLength(1);
});

test('a lone item waits for nobody', async () => {
  const calls = new Calls();
  const added = calls.batcher.add('a');
  await turn();
  expect(calls.batches).toEqual([['a']]);
  calls.sent[0]?.answer(['A']);
  await expect(added).resolves.toBe('A');
});

test('while a call is under way what comes gathers, and goes in the next', async () => {
  const calls = new Calls();
  const first = calls.batcher.add('a');
  await turn();
  const later = [calls.batcher.add('b'), calls.batcher.add('c')];
  await turn();
  expect(calls.batches).toEqual([['a']]);
  calls.sent[0]?.answer(['A']);
  await first;
  await turn();
  expect(calls.batches).toEqual([['a'], ['b', 'c']]);
  calls.sent[1]?.answer(['B', 'C']);
  await expect(Promise.all(later)).resolves.toEqual(['B', 'C']);
});

test('a batch has at most so many items, and each gets its own answer', async () => {
  const calls = new Calls({ inFlightMax: 3 });
  const added = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((item) => calls.batcher.add(item));
  await turn();
  expect(calls.batches).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
  for (const { items, answer } of calls.sent) answer(items.map((item) => item.toUpperCase()));
  await expect(Promise.all(added)).resolves.toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G']);
});

test('a batch is closed once it passes its bytes; one large item goes alone', async () => {
  const calls = new Calls({ bytesMax: 4, inFlightMax: 9 });
  for (const item of ['xxxxxxxx', 'a', 'yyyyyy', 'b']) void calls.batcher.add(item);
  await turn();
  expect(calls.batches).toEqual([['xxxxxxxx'], ['a', 'yyyyyy'], ['b']]);
});

test('a batch is closed before an item that does not go together with its first', async () => {
  const calls = new Calls({ inFlightMax: 9, together: (first, item) => item.charCodeAt(0) - first.charCodeAt(0) < 2 });
  for (const item of ['a', 'b', 'c', 'd', 'g']) void calls.batcher.add(item);
  await turn();
  expect(calls.batches).toEqual([['a', 'b'], ['c', 'd'], ['g']]);
});

test('a call that fails rejects its own items only, and the next goes on', async () => {
  const calls = new Calls();
  const failing = [calls.batcher.add('a'), calls.batcher.add('b')].map((one) => one.catch((error: unknown) => error));
  await turn();
  const next = calls.batcher.add('c');
  calls.sent[0]?.fail('broken');
  await expect(Promise.all(failing)).resolves.toEqual(['broken', 'broken']);
  await turn();
  calls.sent[1]?.answer(['C']);
  await expect(next).resolves.toBe('C');
});

test('a send that throws at once is a failure like any other', async () => {
  const batcher = new Batcher<string, string>({
    inFlightMax: 1,
    itemsMax: 1,
    bytesMax: 1,
    bytesOf: () => 1,
    send: () => {
      throw new Error('at once');
    },
  });
  await expect(batcher.add('a')).rejects.toThrow('at once');
  await expect(batcher.add('b')).rejects.toThrow('at once');
});

describe('halves', () => {
  const halves = { from: 4, later: turn };

  test('many that find nothing under way go in two calls, in order, the second a moment later', async () => {
    const calls = new Calls({ inFlightMax: 4, itemsMax: 9, halves });
    const added = ['a', 'b', 'c', 'd', 'e'].map((item) => calls.batcher.add(item));
    await new Promise(process.nextTick);
    expect(calls.batches).toEqual([['a', 'b', 'c']]);
    void calls.batcher.add('f');
    await turn();
    await turn();
    expect(calls.batches).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ]);
    for (const { items, answer } of calls.sent) answer(items.map((item) => item.toUpperCase()));
    await expect(Promise.all(added)).resolves.toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  test('few go in one, and so do many while a call is under way', async () => {
    const calls = new Calls({ inFlightMax: 4, itemsMax: 9, halves });
    for (const item of ['a', 'b', 'c']) void calls.batcher.add(item);
    await turn();
    for (const item of ['d', 'e', 'f', 'g', 'h']) void calls.batcher.add(item);
    await turn();
    await turn();
    expect(calls.batches).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f', 'g', 'h'],
    ]);
  });

  test('no half is larger than a batch may be, and what is left after two goes at once', async () => {
    const calls = new Calls({ inFlightMax: 9, itemsMax: 3, halves });
    for (const item of 'abcdefgh') void calls.batcher.add(item);
    await turn();
    await turn();
    expect(calls.batches.map((items) => items.join(''))).toEqual(['abc', 'def', 'gh']);
  });

  test('where one call is allowed the second half waits for the first, and both are answered', async () => {
    const calls = new Calls({ inFlightMax: 1, itemsMax: 9, halves });
    const added = ['a', 'b', 'c', 'd'].map((item) => calls.batcher.add(item));
    await turn();
    await turn();
    expect(calls.batches).toEqual([['a', 'b']]);
    calls.sent[0]?.answer(['A', 'B']);
    await added[0];
    await turn();
    calls.sent[1]?.answer(['C', 'D']);
    await expect(Promise.all(added)).resolves.toEqual(['A', 'B', 'C', 'D']);
  });

  test('a first half that fails at once takes nothing else with it', async () => {
    let calls = 0;
    const batcher = new Batcher<string, string>({
      inFlightMax: 4,
      itemsMax: 9,
      bytesMax: 100,
      bytesOf: () => 1,
      halves,
      send: (items) => {
        calls += 1;
        if (calls === 1) throw new Error('at once');
        return Promise.resolve(items);
      },
    });
    const added = ['a', 'b', 'c', 'd'].map((item) => batcher.add(item));
    const [a, b, ...others] = await Promise.allSettled(added);
    expect([a?.status, b?.status]).toEqual(['rejected', 'rejected']);
    expect(others.map((other) => other.status === 'fulfilled' && other.value)).toEqual(['c', 'd']);
  });
});
