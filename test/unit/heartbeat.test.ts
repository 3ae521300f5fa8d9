import { expect, test } from 'vitest';
import { Heartbeat } from '../../src/consumer/heartbeat.js';
import { HeldDelivery } from '../../src/consumer/held-delivery.js';
import { InFlight } from '../../src/consumer/in-flight.js';
import { Slots } from '../../src/consumer/slots.js';
import type { Membership } from '../../src/consumer/membership.js';
import { DuestreamError } from '../../src/errors.js';
import { runLoop } from '../../src/loop.js';
import { Partition } from '../../src/redis/partition.js';
import type { Reply } from '../../src/redis/reply.js';
import { fixedLayout } from '../support/fixed-layout.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A heartbeat with a lease of 30 s on a virtual clock; `answer` is what its beats meet. */
function beating(answer: (args: readonly string[], timeoutMs: number) => Promise<Reply>): {
  clock: VirtualClock;
  inFlight: InFlight;
  heartbeat: Heartbeat;
  lost: [id: string, atMs: number][];
  unplaced: string[];
  hold: (id: string) => HeldDelivery;
  end: AbortController;
} {
  const clock = new VirtualClock(0);
  const inFlight = new InFlight(new Slots(1_000, clock));
  const lost: [string, number][] = [];
  const unplaced: string[] = [];
  const caller = {
    send: (args: readonly string[], options?: { timeoutMs?: number }) => answer(args, options?.timeoutMs ?? 0),
  };
  const heartbeat = new Heartbeat({
    partition: new Partition({ queue: 'q', prefix: 'p', index: 0, layout: fixedLayout(), caller }),
    clock,
    membership: { name: 'c', leaveFormer: async () => {} } as unknown as Membership,
    inFlight,
    worker: 'w',
    leaseMs: 30_000,
    onUnplaced: ({ delivery }) => unplaced.push(delivery.id),
    onLost: ({ delivery }) => lost.push([delivery.id, clock.monotonicMs()]),
  });
  const hold = (id: string): HeldDelivery => {
    const delivery = { consumer: 'c', entry: '1-1', count: 1, id, dueMs: 0, record: '{}', run: null };
    const held = new HeldDelivery(delivery, heartbeat.trustedUntilMs(clock.monotonicMs()));
    inFlight.hold(held);
    return held;
  };
  const end = new AbortController();
  const tick = (): Promise<number> => heartbeat.tick();
  void runLoop({ clock, random: () => 0.999, signal: end.signal, tick, onFailure: () => {}, waker: heartbeat.waker });
  return { clock, inFlight, heartbeat, lost, unplaced, hold, end };
}

/** As many items as the call has, each answered with this mark. */
const marked = (args: readonly string[], mark: string): Reply => ['ok', 5, mark.repeat((args.length - 13) / 3)];

test('a delivery that is extended stays trusted', async () => {
  const { clock, hold, lost, end } = beating(async (args) => marked(args, 'o'));
  const held = hold('a');
  await clock.advance(300_000);
  expect([held.signal.aborted, lost]).toEqual([false, []]);
  end.abort();
});

test('trust ends on time when beats fail, however slowly: 22.5 s after the last good one was sent', async () => {
  let works = true;
  const { clock, hold, lost, end, heartbeat } = beating(async (args, timeoutMs) => {
    if (works) return marked(args, 'o');
    await clock.sleep(timeoutMs);
    throw new DuestreamError('ERR_OUTCOME_UNKNOWN', 'no reply');
  });
  const held = hold('a');
  await clock.advance(10_000);
  works = false;
  await clock.advance(22_499);
  expect(held.signal.aborted).toBe(false);
  await clock.advance(2);
  expect(lost).toEqual([['a', 32_500]]);
  expect(held.abortedBecause).toBe('lease_lost');
  expect(heartbeat.isFresh).toBe(false);
  await clock.advance(100_000);
  expect(lost).toHaveLength(1);
  end.abort();
});

test('a delivery that is no longer ours is told lost once, a cancelled one is not', async () => {
  let mark = 'l';
  const { clock, hold, lost, end } = beating(async (args) => marked(args, mark));
  const gone = hold('gone');
  await clock.advance(10_000);
  expect(gone.abortedBecause).toBe('lease_lost');
  mark = 'c';
  const cancelled = hold('cancelled');
  await clock.advance(60_000);
  expect(cancelled.abortedBecause).toBe('cancelled');
  expect(lost.map(([id]) => id)).toEqual(['gone']);
  end.abort();
});

test('what became of a delivery whose end is being written is told by its settle alone', async () => {
  const { clock, hold, lost, end } = beating(async (args) => marked(args, 'l'));
  const held = hold('a');
  held.endingSinceMs = clock.monotonicMs();
  await clock.advance(60_000);
  expect([held.signal.aborted, lost]).toEqual([false, []]);
  end.abort();
});

test('20: a delivery whose end can not be written for a lease beats no more, and that is told', async () => {
  const beaten: number[] = [];
  const { clock, hold, unplaced, end } = beating(async (args) => {
    beaten.push((args.length - 13) / 3);
    return marked(args, 'o');
  });
  hold('a').endingSinceMs = clock.monotonicMs();
  await clock.advance(30_000);
  expect([beaten.at(-1), unplaced]).toEqual([1, []]);
  await clock.advance(20_000);
  expect([beaten.at(-1), unplaced[0]]).toEqual([0, 'a']);
  end.abort();
});

test('a thousand deliveries are beaten in calls of a hundred', async () => {
  const sizes: number[] = [];
  const { clock, hold, end } = beating(async (args) => {
    sizes.push((args.length - 13) / 3);
    return marked(args, 'o');
  });
  await clock.settle();
  sizes.length = 0;
  for (let at = 0; at < 950; at += 1) hold(`t${at}`);
  await clock.advance(10_000);
  expect(sizes).toEqual([...Array.from({ length: 9 }, () => 100), 50]);
  end.abort();
});
