import { describe, expect, test } from 'vitest';
import { BugError } from '../../src/errors.js';
import { failureWaitMs, runLoop, Waker } from '../../src/loop.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A loop on a virtual clock; `ticks` holds when it ticked. */
function loopOf(
  tick: (nth: number) => number | Error,
  waker = new Waker(),
): {
  clock: VirtualClock;
  ticks: number[];
  failures: number[];
  end: AbortController;
  done: Promise<void>;
  waker: Waker;
} {
  const clock = new VirtualClock(0);
  const ticks: number[] = [];
  const failures: number[] = [];
  const end = new AbortController();
  const done = runLoop({
    clock,
    random: () => 0.5,
    signal: end.signal,
    waker,
    tick: async () => {
      ticks.push(clock.monotonicMs());
      const outcome = tick(ticks.length);
      if (typeof outcome !== 'number') throw outcome;
      return outcome;
    },
    onFailure: (_error, inARow) => failures.push(inARow),
  });
  return { clock, ticks, failures, end, done, waker };
}

describe('a loop', () => {
  test('ticks, waits what the tick says, and ticks again', async () => {
    const { clock, ticks, end, done } = loopOf((nth) => nth * 100);
    await clock.advance(650);
    expect(ticks).toEqual([0, 100, 300, 600]);
    end.abort();
    await done;
    expect(clock.pending).toBe(0);
  });

  test('that fails is told, waits longer each time, and starts afresh after a success', async () => {
    const { clock, ticks, failures, end, done } = loopOf((nth) => (nth === 4 ? 1_000 : new Error('the world')));
    await clock.advance(1_900);
    expect(ticks).toEqual([0, 100, 300, 700, 1_700, 1_800]);
    expect(failures).toEqual([1, 2, 3, 1, 2]);
    end.abort();
    await done;
  });

  test('ends by a bug of ours, and the bug comes out', async () => {
    const { clock, ticks, failures, done } = loopOf(() => new BugError('ours'));
    const ended = done.catch((error: unknown) => error);
    await clock.advance(10_000);
    await expect(ended).resolves.toBeInstanceOf(BugError);
    expect([ticks.length, failures.length]).toEqual([1, 0]);
  });

  test('is woken early, and a wake that comes while it works skips its next wait, once', async () => {
    const waker = new Waker();
    const { clock, ticks, end, done } = loopOf((nth) => {
      if (nth === 2) waker.wake();
      return 1_000;
    }, waker);
    await clock.advance(10);
    waker.wake();
    waker.wake();
    await clock.advance(10);
    expect(ticks).toEqual([0, 10, 10]);
    await clock.advance(1_000);
    expect(ticks).toEqual([0, 10, 10, 1_010]);
    end.abort();
    await done;
  });

  test('that is ended while it waits, ends', async () => {
    const { clock, ticks, end, done } = loopOf(() => 1_000_000);
    await clock.advance(1);
    end.abort();
    await done;
    expect(ticks).toEqual([0]);
  });

  test('that is over before it starts never ticks', async () => {
    const signal = AbortSignal.abort();
    const tick = (): Promise<number> => Promise.reject(new Error('ticked'));
    const clock = new VirtualClock();
    await runLoop({ clock, random: () => 0, signal, tick, onFailure: () => expect.unreachable() });
  });
});

test('the wait after failures doubles to 5 s, and is spread by half of it either way', () => {
  const middle = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((nth) => failureWaitMs(nth, () => 0.5));
  expect(middle).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  expect([failureWaitMs(1, () => 0), failureWaitMs(1, () => 1)]).toEqual([50, 150]);
});
