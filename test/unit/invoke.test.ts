/** A handler against its timeout. */
import { expect, test } from 'vitest';
import { HeldDelivery } from '../../src/consumer/held-delivery.js';
import { InFlight } from '../../src/consumer/in-flight.js';
import { type Invocation, type InvokeParts, invoke } from '../../src/consumer/invoke.js';
import type { Outcome } from '../../src/consumer/settlement.js';
import { Slots } from '../../src/consumer/slots.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** One delivery whose handler this is, with a timeout of 100 ms. */
function stage(run: () => unknown): { begin: () => void; outcomes: Outcome[]; clock: VirtualClock; slots: Slots } {
  const clock = new VirtualClock(0);
  const slots = new Slots(1, clock);
  const inFlight = new InFlight(slots);
  const delivery = { consumer: 'c', entry: '1-1', count: 1, id: 'a', dueMs: 0, record: '', run: null };
  const held = new HeldDelivery(delivery, 1_000);
  const handler = { run, timeoutMs: 100, schema: undefined };
  const record = { name: 'job', payload: null, createdAtMs: null };
  const task = { id: 'a', name: 'job', payload: null, due: 0, attempt: 1, delivery: 1 };
  const of = { held, handler, record, task } as unknown as Invocation;
  const outcomes: Outcome[] = [];
  const begin = (): void => {
    inFlight.hold(held);
    invoke(of, { clock, inFlight } as unknown as InvokeParts, (outcome) => outcomes.push(outcome));
  };
  return { begin, outcomes, clock, slots };
}

test('the time of a handler counts from when it first waits', async () => {
  const armed: string[] = [];
  const { begin, clock } = stage(() => armed.push('handler'));
  const after = clock.after.bind(clock);
  clock.after = (ms, callback) => {
    armed.push(`timeout ${ms}`);
    return after(ms, callback);
  };
  begin();
  expect(armed).toEqual(['handler', 'timeout 100']);
});

test('one that takes too long has one outcome, and its slot until it returns', async () => {
  let end = (): void => {};
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  const { begin, outcomes, clock, slots } = stage(() => work);
  begin();
  await clock.advance(100);
  expect(outcomes).toEqual([{ kind: 'timed_out', afterMs: 100 }]);
  expect([slots.overrun, slots.busy]).toEqual([1, 1]);
  end();
  await clock.settle();
  expect(outcomes).toHaveLength(1);
  expect([slots.overrun, slots.busy]).toEqual([0, 0]);
});

test('one that returns or throws in time is never told to be late', async () => {
  for (const [run, kind] of [
    [() => undefined, 'returned'],
    [() => Promise.reject(new Error('no')), 'threw'],
  ] as const) {
    const { begin, outcomes, clock, slots } = stage(run);
    begin();
    await clock.settle();
    await clock.advance(200);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual([kind]);
    expect(slots.overrun).toBe(0);
  }
});
