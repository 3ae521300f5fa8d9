import { expect, test } from 'vitest';
import { Booking } from '../../src/consumer/booking.js';
import { Patience } from '../../src/consumer/patience.js';
import { Slots } from '../../src/consumer/slots.js';
import { Gate } from '../support/lab.js';
import { VirtualClock } from '../support/virtual-clock.js';

function stage(concurrency: number): {
  clock: VirtualClock;
  slots: Slots;
  take: (slotsMax: number) => Promise<Booking>;
} {
  const clock = new VirtualClock(0);
  const slots = new Slots(concurrency, clock);
  const patience = new Patience(clock);
  const take = async (slotsMax: number): Promise<Booking> =>
    new Booking({ slots, patience, taken: await slots.take(slotsMax) });
  return { clock, slots, take };
}

test('a call that is answered in time keeps its slots', async () => {
  const { clock, slots, take } = stage(3);
  const [booking, answer] = [await take(2), new Gate<string>()];
  const answered = booking.during(answer.opened);
  await clock.advance(249);
  answer.open('it');
  await expect(answered).resolves.toBe('it');
  await clock.advance(10_000);
  expect([booking.isLate, booking.left, slots.free, clock.pending]).toEqual([false, 2, 1, 0]);
});

test('the slots of a call that is late are given to those in line', async () => {
  const { clock, slots, take } = stage(2);
  const [booking, answer] = [await take(2), new Gate()];
  const answered = booking.during(answer.opened);
  const other = slots.take(1);
  await clock.advance(250);
  await expect(other).resolves.toBe(1);
  expect([booking.isLate, booking.left, slots.free]).toEqual([true, 0, 1]);
  answer.open();
  await answered;
  expect([booking.fit(2), booking.left, slots.free]).toEqual([1, 1, 0]); // the other still has one
  booking.giveBack();
  booking.giveBack();
  slots.giveBack(1);
  expect(slots.free).toBe(2);
});

test('where nobody else wanted them a late call has all of its slots again, but not past those in line', async () => {
  const { clock, slots, take } = stage(4);
  const [booking, answer] = [await take(3), new Gate()];
  const answered = booking.during(answer.opened);
  await clock.advance(5_000);
  answer.open();
  await answered;
  expect([booking.fit(2), booking.left]).toEqual([2, 2]);
  booking.pass(2); // their handlers have them
  const [first, second] = [slots.take(2), slots.take(1)];
  expect(booking.fit(1)).toBe(0);
  await first;
  expect([booking.fit(1), booking.left]).toEqual([0, 0]);
  slots.giveBack(2);
  await second;
});

test('a call that fails gives its slots back once, late or not', async () => {
  const { clock, slots, take } = stage(2);
  const [soon, late] = [await take(1), await take(1)];
  await expect(soon.during(Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  const lost = clock.sleep(5_000).then(() => Promise.reject(new Error('no reply')));
  const failed = late.during(lost).catch(String);
  await clock.advance(5_000);
  await expect(failed).resolves.toBe('Error: no reply');
  soon.giveBack();
  late.giveBack();
  expect([slots.free, slots.takeFree(9)]).toEqual([2, 2]);
});

test('a server that is far away is given twice the time that its last answer took, and a second at most', async () => {
  const { clock, slots, take } = stage(1);
  /** Whether a call that takes so long keeps its slot. */
  const keeps = async (ms: number): Promise<boolean> => {
    const booking = await take(1);
    const answered = booking.during(clock.sleep(ms));
    await clock.advance(ms);
    await answered;
    booking.giveBack();
    return !booking.isLate;
  };
  expect(await keeps(400)).toBe(false);
  expect(await keeps(400)).toBe(true);
  expect(await keeps(790)).toBe(true);
  expect(await keeps(1_001)).toBe(false);
  expect(await keeps(999)).toBe(true);
  expect(await keeps(10)).toBe(true);
  expect(await keeps(251)).toBe(false);
  expect(slots.free).toBe(1);
});

test('calls that are answered in time set no timers of their own', async () => {
  const { clock, take } = stage(100);
  const booking = await take(100);
  for (let call = 0; call < 50; call += 1) {
    await booking.during(clock.sleep(0));
    expect(clock.pending).toBe(1);
  }
  await clock.advance(250);
  expect(clock.pending).toBe(0);
});
