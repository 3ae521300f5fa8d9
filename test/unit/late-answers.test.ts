/** What the stations of a consumer do with the slots of its worker while the server of their partition is silent. */
import { expect, test } from 'vitest';
import type { Delivery } from '../../src/consumer/delivery.js';
import { Fetcher, type FetcherParts } from '../../src/consumer/fetcher.js';
import { InFlight } from '../../src/consumer/in-flight.js';
import { Patience } from '../../src/consumer/patience.js';
import { Recoverer, type RecovererParts } from '../../src/consumer/recoverer.js';
import { Slots } from '../../src/consumer/slots.js';
import { Partition } from '../../src/redis/partition.js';
import type { Reply } from '../../src/redis/reply.js';
import { fixedLayout } from '../support/fixed-layout.js';
import { VirtualClock } from '../support/virtual-clock.js';

interface Call {
  readonly op: string;
  readonly answer: (reply: Reply) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

/** A fetcher and a recoverer whose calls are answered when the test says so. */
class Stage {
  readonly clock = new VirtualClock(0);
  readonly slots: Slots;
  readonly intake = new AbortController();
  readonly started: string[] = [];
  readonly returned: Delivery[] = [];
  readonly fetcher: Fetcher;
  readonly recoverer: Recoverer;
  calls: Call[] = [];

  constructor(concurrency: number) {
    this.slots = new Slots(concurrency, this.clock);
    const send = (args: readonly string[], { op = args[0] ?? '' } = {}): Promise<Reply> => this.#call(op);
    const partition = new Partition({ queue: 'q', prefix: 'p', index: 0, layout: fixedLayout(), caller: { send } });
    const member = { name: 'c', life: 1, group: '1' };
    const parts = {
      partition,
      clock: this.clock,
      random: () => 0.5,
      observe: () => {},
      emit: () => {},
      reader: { send, block: (args: readonly string[]) => send(args), serverId: '' },
      commands: () => ({ serverId: '' }),
      membership: { current: async () => member, present: member, name: 'c', renew: () => {} },
      heartbeat: { isFresh: true },
      settler: {
        along: (_: string, read: (along: object) => unknown) => read({ lane: '', call: 0, items: [], inRow: 0 }),
      },
      inFlight: new InFlight(this.slots),
      patience: new Patience(this.clock),
      share: () => 1,
      leaseMs: 30_000,
      lostMax: 5,
      onHold: () => {},
      signal: this.intake.signal,
      start: ({ id }: Delivery) => {
        this.started.push(id);
        this.slots.begin();
      },
      handBack: async (deliveries: readonly Delivery[]) => void this.returned.push(...deliveries),
    };
    this.fetcher = new Fetcher(parts as unknown as FetcherParts);
    this.recoverer = new Recoverer(parts as unknown as RecovererParts);
  }

  /** The call of this script or command that is under way. */
  async call(op: string): Promise<Call> {
    await this.clock.settle();
    const at = this.calls.findIndex((call) => call.op === op);
    if (at === -1) throw new Error(`no ${op} among ${this.calls.map((call) => call.op).join()}`);
    return this.calls.splice(at, 1)[0] as Call;
  }

  #call(op: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        op,
        answer: (reply) => this.#heard(() => resolve(reply)),
        fail: (error) => this.#heard(() => reject(error)),
      });
    });
  }

  /** And all that follows from it has happened. */
  async #heard(hear: () => void): Promise<void> {
    hear();
    for (let turn = 0; turn < 5; turn += 1) await this.clock.settle();
  }
}

const opened = (ids: readonly string[]): Reply => ids.flatMap((id, at) => [`${at + 1}-1`, id, 5, `of ${id}`, null]);
const ofNext = (ids: readonly string[], unopened: readonly string[] = []): Reply => {
  const later = unopened.flatMap((id, at) => [`${at + 7}-1`, id, 5]);
  return ['ok', '', 10, opened(ids), later, [], 0];
};
const ofOpen = (ids: readonly string[]): Reply => ['ok', 10, opened(ids), [], [], 0, 0];
const idsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ id }) => id);

test('a read that is late has no slots, and starts as much as there are free ones when it is answered', async () => {
  const stage = new Stage(4);
  const { fetcher, slots, clock, started, returned } = stage;
  void fetcher.tick();
  const call = await stage.call('next');
  await clock.advance(249);
  expect(slots.free).toBe(2);
  await clock.advance(1);
  expect(slots.free).toBe(4);
  expect(slots.takeFree(3)).toBe(3);
  await call.answer(ofNext(['a', 'b']));
  expect([started, idsOf(returned), slots.free]).toEqual([['a'], ['b'], 0]);
  expect(returned).toMatchObject([{ consumer: 'c', entry: '2-1', count: 1, record: 'of b' }]);
});

test('while a read is late no second one takes slots', async () => {
  const stage = new Stage(2);
  const { fetcher, slots, clock } = stage;
  await fetcher.tick();
  const first = await stage.call('next');
  await expect(slots.take(2)).resolves.toBe(1); // another has the other half
  const second = fetcher.tick();
  await clock.advance(250);
  expect([slots.free, stage.calls]).toEqual([1, []]);
  await first.answer(ofNext(['a']));
  await expect(second).resolves.toBe(0);
  void fetcher.tick();
  slots.giveBack(1);
  await stage.call('next');
});

/** One whose stream ran dry: it waits for what comes next. */
async function waitingStage(): Promise<{ stage: Stage; read: Call; open: Call }> {
  const stage = new Stage(4);
  await stage.fetcher.tick();
  await (await stage.call('next')).answer(ofNext([]));
  void stage.fetcher.tick();
  return { stage, read: await stage.call('XREADGROUP'), open: await stage.call('open') };
}
const read = (ids: readonly string[]): Reply => [
  ['the stream', ids.map((id, at) => [`${at + 1}-1`, ['id', id, 'due', '5']])],
];

test('a read that waits has no slots, and starts as much as there are free ones when it brings something', async () => {
  const { stage, read: call, open } = await waitingStage();
  const { slots, started, returned } = stage;
  await call.answer(read(['a', 'b', 'c']));
  expect(slots.takeFree(2)).toBe(2);
  await open.answer(ofOpen(['a', 'b', 'c']));
  expect([started, idsOf(returned), slots.free]).toEqual([['a', 'b'], ['c'], 0]);
  expect(returned).toMatchObject([{ consumer: 'c', entry: '3-1', count: 1 }]);
});

test('what a wait has left unopened has no slots while its open is late', async () => {
  const { stage, read: call, open } = await waitingStage();
  const { slots, clock, started, returned } = stage;
  await call.answer(read(['a', 'b', 'c']));
  await open.answer(ofOpen([]));
  expect(slots.free).toBe(1);
  const late = await stage.call('open');
  await clock.advance(250);
  expect(slots.free).toBe(4);
  expect(slots.takeFree(2)).toBe(2);
  await late.answer(ofOpen(['a', 'b', 'c']));
  expect([started, idsOf(returned), slots.free]).toEqual([['a', 'b'], ['c'], 0]);
});

test('what a read brought unopened is not opened without a slot', async () => {
  const stage = new Stage(4);
  const { fetcher, slots, clock, started, returned } = stage;
  void fetcher.tick();
  const call = await stage.call('next');
  await clock.advance(250);
  expect(slots.takeFree(3)).toBe(3);
  await call.answer(ofNext(['a'], ['b']));
  expect([started, idsOf(returned), stage.calls]).toEqual([['a'], ['b'], []]);
});

test('a recovery that is late has no slots, and what it took goes back with its count', async () => {
  const stage = new Stage(3);
  const { recoverer, slots, clock, started, returned } = stage;
  void recoverer.tick();
  await (await stage.call('recover')).answer(['ok', 1, [], [], 0, 0]);
  const call = await stage.call('recover');
  expect(slots.free).toBe(0);
  await clock.advance(250);
  expect(slots.takeFree(2)).toBe(2);
  const taken = ['a', 'b'].flatMap((id, at) => [`${at + 1}-1`, id, 5, 2, `of ${id}`, null]);
  await call.answer(['ok', 0, taken, [], 0, 0] as Reply);
  expect([started, idsOf(returned), slots.free]).toEqual([['a'], ['b'], 0]);
  expect(returned).toMatchObject([{ consumer: 'c', entry: '2-1', count: 2 }]);
});

test.each([
  ['next', 0],
  ['next', 250],
  ['recover', 0],
  ['recover', 250],
] as const)('what %s brings after the end of the intake goes back, all of it: %i ms after', async (op, ms) => {
  const stage = new Stage(2);
  const { fetcher, recoverer, slots, clock, started, returned, intake } = stage;
  void (op === 'next' ? fetcher : recoverer).tick();
  if (op === 'recover') await (await stage.call(op)).answer(['ok', 1, [], [], 0, 0]);
  const call = await stage.call(op);
  slots.close();
  intake.abort();
  await clock.advance(ms);
  await call.answer(op === 'next' ? ofNext(['a']) : ['ok', 0, ['1-1', 'a', 5, 2, 'of a', null], [], 0, 0]);
  expect([started, idsOf(returned)]).toEqual([[], ['a']]);
});

test('a read that failed late is told once', async () => {
  const stage = new Stage(1);
  const { fetcher, slots, clock } = stage;
  await fetcher.tick();
  const call = await stage.call('next');
  const told = fetcher.tick().catch(String);
  await clock.advance(250);
  await call.fail(new Error('no reply'));
  await expect(told).resolves.toBe('Error: no reply');
  await expect(fetcher.tick()).resolves.toBe(0);
  expect([(await stage.call('next')).op, slots.free]).toEqual(['next', 0]);
});
