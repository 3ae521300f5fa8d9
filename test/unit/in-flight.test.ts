import { describe, expect, test } from 'vitest';
import { DeliveryAborted } from '../../src/consumer/delivery.js';
import { HeldDelivery } from '../../src/consumer/held-delivery.js';
import { InFlight } from '../../src/consumer/in-flight.js';
import { Slots } from '../../src/consumer/slots.js';
import { VirtualClock } from '../support/virtual-clock.js';

const clock = new VirtualClock(0);

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
    const slots = new Slots(2, clock);
    const inFlight = new InFlight(slots);
    const [a, b] = [deliveryOf('a'), deliveryOf('b')];
    await expect(slots.take(9)).resolves.toBe(2);
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
    const slots = new Slots(3, clock, (busy) => told.push(busy));
    const inFlight = new InFlight(slots);
    await slots.take(3);
    for (const id of ['a', 'b', 'c']) inFlight.hold(deliveryOf(id));
    await turn();
    inFlight.freeSlot();
    inFlight.freeSlot();
    await turn();
    expect(told).toEqual([3, 1]);
  });
});

test('consumers share the slots of their worker, and each knows what is its own', async () => {
  const slots = new Slots(2, clock);
  const [one, two] = [new InFlight(slots), new InFlight(slots)];
  await slots.take(2);
  one.hold(deliveryOf('a'));
  two.hold(deliveryOf('b'));
  expect([one.busy, two.busy, slots.busy, slots.free]).toEqual([1, 1, 2, 0]);
  one.freeSlot();
  expect([one.busy, two.busy, slots.busy, slots.free]).toEqual([0, 1, 1, 1]);
});

describe('slots', () => {
  test('are given at the end of a turn, with all that became free in it, and no more than are wanted', async () => {
    const slots = new Slots(3, clock);
    await expect(slots.take(9)).resolves.toBe(3);
    const wanted = slots.take(2);
    await expect(isSettled(wanted)).resolves.toBe(false);
    for (let slot = 0; slot < 3; slot += 1) void Promise.resolve().then(() => slots.giveBack(1));
    await expect(wanted).resolves.toBe(2);
    await expect(slots.take(9)).resolves.toBe(1);
  });

  test('are given in the order they were asked for by those who have no turns: whoever waits longest is next', async () => {
    const slots = new Slots(1, clock);
    await slots.take(1);
    const got: string[] = [];
    const take = async (name: string): Promise<void> => {
      await slots.take(1);
      got.push(name);
    };
    const [first, second] = [take('first'), take('second')];
    slots.giveBack(1);
    await first;
    await turn();
    expect(got).toEqual(['first']);
    slots.giveBack(1);
    await second;
  });

  test('that are free can be taken at once, but not past those who wait', async () => {
    const slots = new Slots(4, clock);
    expect([slots.takeFree(3), slots.takeFree(3), slots.takeFree(3)]).toEqual([3, 1, 0]);
    const waiting = slots.take(1);
    slots.giveBack(2);
    expect([slots.free, slots.takeFree(1)]).toEqual([0, 0]);
    await waiting;
    expect([slots.free, slots.takeFree(1)]).toEqual([1, 1]);
  });

  test('are given to nobody once it is closed', async () => {
    const slots = new Slots(2, clock);
    await slots.take(2);
    const waiting = slots.take(1);
    slots.close();
    await expect(waiting).resolves.toBe(0);
    slots.giveBack(2);
    await expect(slots.take(1)).resolves.toBe(0);
    expect(slots.takeFree(1)).toBe(0);
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
