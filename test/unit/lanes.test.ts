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

  test.each(['LOADING Redis is loading', 'READONLY You can not write', 'BUSY Redis is busy'])(
    'is repeated after %s',
    async (message) => {
      const { clock, call } = lanesThatMeet([error('ERR_REDIS_REPLY', message)]);
      const answered = call();
      await clock.advance(1_000);
      await expect(answered).resolves.toBe('answer');
    },
  );

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
