import { describe, expect, test } from 'vitest';
import { DuestreamError, type ErrorCode } from '../../src/errors.js';
import { type LaneCall, Lanes, type LanesParts } from '../../src/redis/lanes.js';
import { VirtualClock } from '../support/virtual-clock.js';

const error = (code: ErrorCode, message = 'a fault'): DuestreamError => new DuestreamError(code, message);
const unknown = (): DuestreamError => error('ERR_OUTCOME_UNKNOWN');
const unreachable = (): DuestreamError => error('ERR_REDIS_UNREACHABLE');

/** Lanes whose calls meet these faults, one after the other, and then succeed. */
function lanesThatMeet(faults: DuestreamError[], parts: Partial<LanesParts> = {}) {
  const clock = new VirtualClock(0);
  const lanes = new Lanes({ clock, random: () => 0.5, repeatForMs: 10_000, tryMs: 4_000, lanesMax: 2, ...parts });
  const sent: LaneCall[] = [];
  const send = async (call: LaneCall): Promise<string> => {
    sent.push(call);
    const fault = faults.shift();
    if (fault) throw fault;
    return 'answer';
  };
  const call = (): Promise<unknown> => lanes.call(send).catch((thrown: unknown) => (thrown as DuestreamError).code);
  return { clock, lanes, sent, call };
}

describe('a call', () => {
  test('is repeated under the same number while its reply is lost; the next has the next number', async () => {
    const { clock, sent, call } = lanesThatMeet([unknown(), unknown()]);
    const answered = call();
    await clock.advance(1_000);
    await expect(answered).resolves.toBe('answer');
    await call();
    expect(new Set(sent.map(({ lane }) => lane)).size).toBe(1);
    expect(sent.map((one) => one.call)).toEqual([1, 1, 1, 2]);
  });

  test.each([
    ['lost', unknown, 'ERR_OUTCOME_UNKNOWN'],
    ['never sent', unreachable, 'ERR_REDIS_UNREACHABLE'],
  ])('that is %s to the end says so, at the end', async (_what, fault, code) => {
    const { clock, call } = lanesThatMeet(Array.from({ length: 100 }, fault));
    const answered = call();
    let ended = false;
    void answered.then(() => {
      ended = true;
    });
    await clock.advance(9_999);
    expect(ended).toBe(false);
    await clock.advance(1);
    await expect(answered).resolves.toBe(code);
  });

  test('that may have happened once never ends as one that did not', async () => {
    const { clock, call } = lanesThatMeet([unknown(), ...Array.from({ length: 100 }, unreachable)]);
    const answered = call();
    await clock.advance(10_000);
    await expect(answered).resolves.toBe('ERR_OUTCOME_UNKNOWN');
    const refused = lanesThatMeet([unknown(), error('ERR_REDIS_REPLY', 'OOM command not allowed')]);
    const other = refused.call();
    await refused.clock.advance(1_000);
    await expect(other).resolves.toBe('ERR_OUTCOME_UNKNOWN');
  });

  test('that Redis refused is over at once, with its words; unless it is told to insist', async () => {
    const { call, sent } = lanesThatMeet([error('ERR_REDIS_REPLY', 'WRONGTYPE')]);
    await expect(call()).resolves.toBe('ERR_REDIS_REPLY');
    expect(sent).toHaveLength(1);
    const insisting = lanesThatMeet([error('ERR_REDIS_REPLY', 'WRONGTYPE')], { repeatRefused: true });
    const answered = insisting.call();
    await insisting.clock.advance(1_000);
    await expect(answered).resolves.toBe('answer');
  });

  test.each([
    'LOADING Redis is loading',
    'READONLY You can not write',
    'BUSY Redis is busy',
    'NOREPLICAS Not enough good replicas to write.',
  ])('is repeated after %s', async (message) => {
    const { clock, call } = lanesThatMeet([error('ERR_REDIS_REPLY', message)]);
    const answered = call();
    await clock.advance(1_000);
    await expect(answered).resolves.toBe('answer');
  });

  test('of another layout, or a closed link, is never repeated', async () => {
    for (const code of ['ERR_OTHER_LAYOUT', 'ERR_CLOSED'] as const) {
      const { call, sent } = lanesThatMeet([error(code)], { repeatRefused: true });
      await expect(call()).resolves.toBe(code);
      expect(sent).toHaveLength(1);
    }
  });

  test('waits for its reply no longer than one try may, nor past its end', async () => {
    const { clock, call, sent } = lanesThatMeet([unknown()], { repeatForMs: 4_020 });
    const answered = call();
    await clock.advance(1_000);
    await answered;
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([4_000, 3_970]);
  });
});

test('a lane has one call under way: more calls than lanes wait, in order', async () => {
  const { lanes } = lanesThatMeet([]);
  const underWay: { call: LaneCall; answer: (value: string) => void }[] = [];
  const send = (call: LaneCall): Promise<string> => new Promise((answer) => underWay.push({ call, answer }));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const answers = ['a', 'b', 'c', 'd'].map(() => lanes.call(send));
  await turn();
  expect(underWay).toHaveLength(2);
  underWay[1]?.answer('second');
  await turn();
  expect(underWay).toHaveLength(3);
  expect(underWay[2]?.call).toMatchObject({ lane: underWay[1]?.call.lane, call: 2 });
  for (let at = 0; at < 4; at += 1) {
    underWay[at]?.answer('done');
    await turn();
  }
  await expect(Promise.all(answers)).resolves.toEqual(['done', 'second', 'done', 'done']);
});

describe('a call that waits for a free lane', () => {
  test('is given up when its own time is over, without having been sent, and is not sent later', async () => {
    const { clock, lanes } = lanesThatMeet([], { lanesMax: 1, repeatForMs: 10_000 });
    const sent: string[] = [];
    let free = (_answer: string): void => {};
    const first = lanes.call(() => new Promise<string>((resolve) => (free = resolve)));
    await clock.advance(4_000);
    const second = lanes.call(async () => sent.push('second')).catch((thrown: unknown) => thrown);
    const third = lanes.call(async () => sent.push('third'), 5_000);
    await clock.advance(10_000);
    await expect(second).resolves.toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringContaining('not sent') as string,
    });
    free('late');
    await Promise.all([first, third]);
    expect(sent).toEqual(['third']);
  });

  test('is told at its end that it was not sent, and not one end after the other', async () => {
    const { clock, call } = lanesThatMeet(Array.from({ length: 1_000 }, unreachable));
    const codes: unknown[] = [];
    for (let at = 0; at < 20; at += 1) void call().then((code) => codes.push(code));
    await clock.advance(10_000);
    expect(codes).toEqual(Array.from({ length: 20 }, () => 'ERR_REDIS_UNREACHABLE'));
  });

  test('has lost no time while Redis answered those before it', async () => {
    const { clock, lanes } = lanesThatMeet([], { lanesMax: 1 });
    const answers = Array.from({ length: 10 }, () => lanes.call(() => clock.sleep(4_000)));
    await clock.advance(40_000);
    await expect(Promise.all(answers)).resolves.toHaveLength(10);
  });
});

test('what was given to us longer ago than a call is repeated is not sent', async () => {
  const { clock, lanes } = lanesThatMeet([]);
  await clock.advance(20_000);
  const sent: string[] = [];
  const late = lanes.call(async () => sent.push('late'), 9_000).catch((thrown: unknown) => thrown);
  await expect(late).resolves.toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
  await lanes.call(async () => sent.push('in time'), 11_000);
  expect(sent).toEqual(['in time']);
});
