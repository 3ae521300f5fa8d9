import { describe, expect, test } from 'vitest';
import { DeliveryAborted } from '../../src/consumer/delivery.js';
import { HeldDelivery, InFlight } from '../../src/consumer/in-flight.js';

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

describe('what is in flight', () => {
  test('takes a slot until its handler returned, and is held until its end is written', async () => {
    const inFlight = new InFlight(2);
    const [a, b] = [deliveryOf('a'), deliveryOf('b')];
    inFlight.hold(a);
    inFlight.hold(b);
    const idle = inFlight.untilIdle();
    expect([inFlight.busy, inFlight.free, inFlight.held.size]).toEqual([2, 0, 2]);
    inFlight.freeSlot();
    expect([inFlight.free, inFlight.held.size]).toEqual([1, 2]);
    inFlight.letGo(a);
    inFlight.letGo(b); // given up while its handler still runs
    await expect(isSettled(idle)).resolves.toBe(false);
    inFlight.freeSlot();
    await expect(isSettled(idle)).resolves.toBe(true);
    await expect(isSettled(inFlight.untilIdle())).resolves.toBe(true);
  });

  test('lets its reader wait for a slot', async () => {
    const inFlight = new InFlight(1);
    const { signal } = new AbortController();
    await expect(isSettled(inFlight.untilFree(signal))).resolves.toBe(true);
    inFlight.hold(deliveryOf('a'));
    const free = inFlight.untilFree(signal);
    await expect(isSettled(free)).resolves.toBe(false);
    inFlight.freeSlot();
    await expect(isSettled(free)).resolves.toBe(true);
  });

  test('ends that wait with the signal', async () => {
    const inFlight = new InFlight(1);
    inFlight.hold(deliveryOf('a'));
    const end = new AbortController();
    const free = inFlight.untilFree(end.signal);
    end.abort();
    await expect(isSettled(free)).resolves.toBe(true);
    await expect(isSettled(inFlight.untilFree(end.signal))).resolves.toBe(true);
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
