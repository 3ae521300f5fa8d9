import { expect, test } from 'vitest';
import { BugError } from '../../src/errors.js';
import type { Bid, Held } from '../../src/leader/lock.js';
import { type Candidate, Election } from '../support/election.js';

const ttlMs = 5_000;
const marginMs = 1_000;

async function elected(election: Election, candidate = election.candidate()): Promise<Candidate> {
  candidate.elector.start();
  await election.clock.advance(0);
  expect(candidate.log).toEqual(['elected']);
  return candidate;
}

test('a lone candidate leads at once, with the term and token of the fence', async () => {
  const { seat } = await elected(new Election());
  expect(seat).toMatchObject({ role: 'leader', term: 1, token: 'c1' });
});

test('trust counts from before the call was sent: a slow bid and a slow renewal shorten it', async () => {
  const election = new Election();
  const slow = election.candidate();
  const startMs = election.clock.monotonicMs();
  Object.assign(slow.wire, { thereMs: 100, backMs: 150 });
  slow.elector.start();
  await election.clock.advance(750); // read, bid, take: 250 ms each
  expect(slow.seat).toMatchObject({ trustedUntilMs: startMs + 250 + ttlMs - marginMs });

  await election.clock.advance(2_000); // renewed a third of the TTL after the bid was sent
  expect(slow.log).toEqual(['elected', 'renewed']);
  expect(slow.seat).toMatchObject({ trustedUntilMs: expect.closeTo(startMs + 250 + ttlMs / 3 + ttlMs - marginMs, 3) });
});

test('a leader renews three times a TTL, and its seat goes on for hours', async () => {
  const election = new Election();
  const leader = await elected(election);
  await election.clock.advance(10 * ttlMs);
  expect(leader.log.filter((entry) => entry === 'renewed')).toHaveLength(30);
  await election.clock.advance(3_600_000);
  expect(leader.leads).toBe(true);
  expect(leader.seat).toMatchObject({ term: 1 });
});

test('a leader whose renewals are never answered steps down a margin before its lock ends', async () => {
  const election = new Election();
  const leader = await elected(election);
  const trustedMs = ttlMs - marginMs;
  leader.wire.lost = true;
  await election.clock.advance(trustedMs - 1);
  expect(leader.leads).toBe(true);
  await election.clock.advance(1);
  expect(leader.log).toEqual(['elected', 'lost']);
  expect(election.isFree).toBe(false);
});

test('a renewal that is unsure is tried again while trust lasts, and saves it', async () => {
  const election = new Election();
  const leader = await elected(election);
  leader.unsure = true;
  await election.clock.advance(ttlMs - marginMs - 200);
  expect(leader.log).toEqual(['elected']);
  leader.unsure = false;
  await election.clock.advance(200);
  expect(leader.log).toEqual(['elected', 'renewed']);
});

test('a leader that stays unsure until its trust is over steps down, and releases what it may hold', async () => {
  const election = new Election();
  const leader = await elected(election);
  leader.unsure = true;
  await election.clock.advance(ttlMs - marginMs);
  expect(leader.log.slice(0, 3)).toEqual(['elected', 'lost', 'release']);
});

test('a leader told by the nodes that the lock is not its own steps down at once', async () => {
  const election = new Election();
  const leader = await elected(election);
  election.holder = { token: 'another', untilMs: Number.POSITIVE_INFINITY };
  await election.clock.advance(ttlMs / 3);
  expect(leader.log).toEqual(['elected', 'lost', 'release']);
});

test('a renewal answered after trust ended revives nothing', async () => {
  const election = new Election();
  const leader = await elected(election);
  Object.assign(leader.wire, { backMs: 3_000 });
  await election.clock.advance(ttlMs - marginMs);
  expect(leader.log).toEqual(['elected', 'lost']);
  await election.clock.advance(1_000);
  expect(leader.log).toEqual(['elected', 'lost', 'release']);
});

test('a leader frozen beyond its lease finds itself a follower when it wakes', async () => {
  const election = new Election();
  const leader = await elected(election);
  await election.clock.freeze(60_000);
  expect(leader.log.slice(0, 3)).toEqual(['elected', 'lost', 'release']);
  expect(leader.log).not.toContain('renewed');
});

test('a renewal answered while the process was frozen revives nothing, though its reply is read before the timer', async () => {
  const election = new Election();
  const leader = await elected(election);
  Object.assign(leader.wire, { backMs: 100 });
  await election.clock.advance(ttlMs / 3 + 50);
  await election.clock.freeze(60_000);
  expect(leader.log.slice(0, 2)).toEqual(['elected', 'lost']);
});

test('a vote answered after its trust ended starts no reign', async () => {
  const election = new Election();
  const released: Held[] = [];
  const acquire = async (): Promise<Bid> => {
    const attemptedAtMs = election.clock.monotonicMs();
    await election.clock.sleep(ttlMs - marginMs);
    return { status: 'won', held: { token: 'late', attemptedAtMs } };
  };
  const release = async (held: Held): Promise<void> => void released.push(held);
  const candidate = election.candidate({ lock: { acquire, extend: async () => ({ status: 'unsure' }), release } });
  candidate.elector.start();
  await election.clock.advance(ttlMs - marginMs);
  expect(candidate.log).toEqual([]);
  expect(released).toMatchObject([{ token: 'late' }]);
});

test('a vote won without the epoch is given back, and nobody is told of a leader', async () => {
  const election = new Election();
  const candidate = election.candidate();
  candidate.fenced = true;
  candidate.elector.start();
  await election.clock.advance(0);
  expect(candidate.log).toEqual(['release']);
  expect(election.isFree).toBe(true);
});

test('an epoch read before a slow bid is refused when another took it in between', async () => {
  const election = new Election();
  const candidate = election.candidate();
  Object.assign(candidate.wire, { backMs: 50 });
  candidate.elector.start();
  await election.clock.advance(60);
  election.epoch = { term: 9, token: 'another' };
  await election.clock.advance(100);
  expect(candidate.log).toEqual(['release']);
  expect(election.epoch).toEqual({ term: 9, token: 'another' });
});

test('a fence that fails is reported, the vote is given back, and the next bid comes within a second', async () => {
  const election = new Election();
  let failures = 1;
  const take = async (): Promise<{ won: true; term: number; token: string }> => {
    if (failures-- > 0) throw new Error('connection lost');
    return { won: true, term: 4, token: 't' };
  };
  const claim = { read: async () => undefined, take, resign: async () => {} };
  const candidate = election.candidate({ claim });
  candidate.elector.start();
  await election.clock.advance(0);
  expect(candidate.errors).toEqual([new Error('connection lost')]);
  expect(candidate.log).toEqual(['release']);
  await election.clock.advance(1_000);
  expect(candidate.log).toEqual(['release', 'elected']);
});

test('a fence that never answers holds up no candidate', async () => {
  const election = new Election();
  const candidate = election.candidate();
  candidate.wire.lost = true;
  candidate.elector.start();
  await election.clock.advance(2_000);
  expect(candidate.errors[0]).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' });
  candidate.wire.lost = false;
  await election.clock.advance(2_000);
  expect(candidate.leads).toBe(true);
});

test('a refused write ends the reign of its term, without a word to the followers, and no other', async () => {
  const election = new Election();
  const leader = await elected(election);
  leader.elector.refused(0);
  expect(leader.leads).toBe(true);
  leader.elector.refused(1);
  expect(leader.leads).toBe(false);
  await election.clock.advance(0);
  expect(leader.log.slice(0, 3)).toEqual(['elected', 'refused', 'release']);
});

test('a seat refused while a renewal is out stays fallen, and the lock is released after that renewal', async () => {
  const election = new Election();
  const leader = await elected(election);
  Object.assign(leader.wire, { thereMs: 100, backMs: 100 });
  await election.clock.advance(ttlMs / 3 + 50);
  leader.elector.refused(1);
  expect(leader.leads).toBe(false);
  await election.clock.advance(100);
  expect(leader.log).toEqual(['elected', 'refused']);
  await election.clock.advance(250);
  expect(leader.log).toEqual(['elected', 'refused', 'release']);
  expect(election.isFree).toBe(true);
});

test('a bug ends the elector, not quietly, and the process does not end with it', async () => {
  const election = new Election();
  const broken = election.candidate({
    claim: {
      read: () => Promise.reject(new BugError('broken')),
      take: async () => ({ won: false }),
      resign: async () => {},
    },
  });
  broken.elector.start();
  await election.clock.advance(5_000);
  expect(broken.errors).toEqual([new BugError('broken')]); // once: it does not go on
  expect(broken.elector.isBroken).toBe(true);
  expect(broken.leads).toBe(false);
  await broken.elector.stop();
});

test.each([
  [{ ttlMs: 499 }, /from 500 ms, got 499/],
  [{ ttlMs: Number.NaN }, /got NaN/],
  [{ marginMs: 0 }, /margin must be more than 0/],
  [{ marginMs: 2_500 }, /less than half the TTL of 5000 ms, got 2500/],
])('%o is refused', (parts, message) => {
  expect(() => new Election().candidate(parts)).toThrow(message);
});
