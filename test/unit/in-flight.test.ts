import { describe, expect, test } from 'vitest';
import { DeliveryAborted } from '../../src/consumer/delivery.js';
import { HeldDelivery } from '../../src/consumer/held-delivery.js';
import { InFlight } from '../../src/consumer/in-flight.js';

const deliveryOf = (id: string): HeldDelivery =>
  new HeldDelivery({ consumer: 'c', entry: '1-1', count: 1, id, dueMs: 0, record: '{}', run: null }, 0);

/** Whether it is settled by now, all microtasks done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

/** A turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is in flight', () => {
  test('has a slot until its handler returned, and is held until its end is written', async () => {
    const inFlight = new InFlight(2);
    const [a, b] = [deliveryOf('a'), deliveryOf('b')];
    await expect(inFlight.take(9)).resolves.toBe(2);
    inFlight.hold(a);
    inFlight.hold(b);
    const idle = inFlight.untilIdle();
    expect([inFlight.busy, inFlight.held.size]).toEqual([2, 2]);
    inFlight.freeSlot();
    expect([inFlight.busy, inFlight.held.size]).toEqual([1, 2]);
    inFlight.letGo(a);
    inFlight.letGo(b); // given up while its handler still runs
    await expect(isSettled(idle)).resolves.toBe(false);
    inFlight.freeSlot();
    await expect(isSettled(idle)).resolves.toBe(true);
    await expect(isSettled(inFlight.untilIdle())).resolves.toBe(true);
  });

  test('tells once a turn how many handlers are at work', async () => {
    const told: number[] = [];
    const inFlight = new InFlight(3, (busy) => told.push(busy));
    await inFlight.take(3);
    for (const id of ['a', 'b', 'c']) inFlight.hold(deliveryOf(id));
    await turn();
    inFlight.freeSlot();
    inFlight.freeSlot();
    await turn();
    expect(told).toEqual([3, 1]);
  });
});

describe('slots', () => {
  test('are given at the end of a turn, with all that became free in it, and no more than are wanted', async () => {
    const inFlight = new InFlight(3);
    await expect(inFlight.take(9)).resolves.toBe(3);
    const wanted = inFlight.take(2);
    await expect(isSettled(wanted)).resolves.toBe(false);
    for (let slot = 0; slot < 3; slot += 1) void Promise.resolve().then(() => inFlight.giveBack(1));
    await expect(wanted).resolves.toBe(2);
    await expect(inFlight.take(9)).resolves.toBe(1);
  });

  test('are given in the order they were asked for: whoever waits longest is next', async () => {
    const inFlight = new InFlight(1);
    await inFlight.take(1);
    const got: string[] = [];
    const take = async (name: string): Promise<void> => {
      await inFlight.take(1);
      got.push(name);
    };
    const [first, second] = [take('first'), take('second')];
    expect(inFlight.isWanted).toBe(true);
    inFlight.giveBack(1);
    await first;
    await turn();
    expect(got).toEqual(['first']);
    inFlight.giveBack(1);
    await second;
    expect(inFlight.isWanted).toBe(false);
  });

  test('are given to nobody once it is closed', async () => {
    const inFlight = new InFlight(2);
    await inFlight.take(2);
    const waiting = inFlight.take(1);
    inFlight.close();
    await expect(waiting).resolves.toBe(0);
    inFlight.giveBack(2);
    await expect(inFlight.take(1)).resolves.toBe(0);
  });
});

test('a delivery is aborted once: the first reason stays', () => {
  const held = deliveryOf('a');
  expect(held.abortedBecause).toBeUndefined();
  held.abort('cancelled');
  held.abort('stopping');
  expect(held.abortedBecause).toBe('cancelled');
  expect(held.signal.reason).toBeInstanceOf(DeliveryAborted);
  expect(held.signal.reason).toMatchObject({ name: 'AbortError', why: 'cancelled' });
});

test('a signal that was there before the abort is told of it', () => {
  const held = deliveryOf('a');
  const { signal } = held;
  expect(signal.aborted).toBe(false);
  held.abort('timed_out');
  expect(signal.aborted).toBe(true);
  expect(held.signal).toBe(signal);
});
