import { expect, test } from 'vitest';
import type { Vote } from '../../src/leader/elector.js';
import type { Bid } from '../../src/leader/lock.js';
import { type Candidate, Election, seeded } from '../support/election.js';

const ttlMs = 5_000;

interface Scene {
  election: Election;
  leader: Candidate;
  next: Candidate;
  /** Ends the duty the leader is at. */
  endDuty: () => void;
}

async function leaderAndFollower(): Promise<Scene> {
  const election = new Election(ttlMs);
  let endDuty = (): void => {};
  const duty = new Promise<void>((resolve) => {
    endDuty = resolve;
  });
  const leader = election.candidate({ quiesce: () => duty });
  const next = election.candidate();
  leader.elector.start();
  await election.clock.advance(0);
  next.elector.start();
  await election.clock.advance(10);
  expect([leader.leads, next.leads]).toEqual([true, false]);
  return { election, leader, next, endDuty };
}

test('a resignation goes in order: the seat falls, the duty ends, the followers are told, the lock is released', async () => {
  const { election, leader, endDuty } = await leaderAndFollower();
  let left = false;
  void leader.elector.resign().then(() => (left = true));
  expect(leader.leads).toBe(false);
  Object.assign(leader.wire, { thereMs: 20 });
  await election.clock.advance(50);
  expect(leader.log).toEqual(['elected', 'resigned']);
  endDuty();
  await election.clock.advance(19);
  expect(leader.log).toEqual(['elected', 'resigned', 'tell']);
  await election.clock.advance(20);
  expect([leader.log, left]).toEqual([['elected', 'resigned', 'tell', 'release'], false]);
  await election.clock.advance(1);
  expect(left).toBe(true);
});

test('a duty that never ends delays a resignation by a fifth of the TTL, no more', async () => {
  const { election, leader } = await leaderAndFollower();
  void leader.elector.resign();
  await election.clock.advance(ttlMs / 5 + 10);
  expect(leader.log).toEqual(['elected', 'resigned', 'tell', 'release']);
  expect(leader.errors).toHaveLength(1);
});

test('a woken follower leads within 100 ms, though the lock comes free only after the news', async () => {
  const { election, leader, next, endDuty } = await leaderAndFollower();
  void leader.elector.resign();
  Object.assign(leader.wire, { thereMs: 20 });
  endDuty();
  next.elector.wake(1);
  await election.clock.advance(100);
  expect(leader.log).toContain('release');
  expect(next.leads).toBe(true);
});

test('who has resigned does not bid again for a TTL, whatever wakes it, unless another leader resigned since', async () => {
  const { election, leader, next, endDuty } = await leaderAndFollower();
  await next.elector.stop();
  void leader.elector.resign();
  endDuty();
  await election.clock.advance(0);
  const { bids } = leader;
  leader.elector.wake(1); // its own news
  leader.elector.wake();
  await election.clock.advance(ttlMs - 1);
  expect(leader.bids).toBe(bids);
  leader.elector.wake(2);
  await election.clock.advance(10);
  expect(leader.leads).toBe(true);
});

test('after that TTL it bids again by itself', async () => {
  const { election, leader, next, endDuty } = await leaderAndFollower();
  await next.elector.stop();
  void leader.elector.resign();
  endDuty();
  await election.clock.advance(ttlMs + 10);
  expect(leader.leads).toBe(true);
});

test('a follower has nothing to resign', async () => {
  const { next } = await leaderAndFollower();
  await next.elector.resign();
  expect(next.log).toEqual([]);
});

test('stopping a leader resigns, ends all timers, and is done once for all callers', async () => {
  const { election, leader, next, endDuty } = await leaderAndFollower();
  await next.elector.stop();
  const stops = [leader.elector.stop(), leader.elector.stop()];
  expect(leader.leads).toBe(false);
  endDuty();
  await election.clock.advance(0);
  await Promise.all(stops);
  expect(leader.log).toEqual(['elected', 'resigned', 'tell', 'release']);
  expect(election.clock.pending).toBe(0);
  expect(() => leader.elector.start()).toThrow(/was stopped/);
});

test.each([
  ['leader', 0],
  ['follower', 1],
] as const)('stopping a %s ends within a TTL with Redis gone', async (_, which) => {
  const { election } = await leaderAndFollower();
  const candidate = election.candidates[which] as Candidate;
  candidate.wire.lost = true;
  await election.clock.advance(1_700); // a call is out
  let stopped = false;
  void candidate.elector.stop().then(() => (stopped = true));
  await election.clock.advance(ttlMs + 10);
  expect(stopped).toBe(true);
});

test('stopping between the vote and the epoch gives the vote back and never leads', async () => {
  const election = new Election(ttlMs);
  const candidate = election.candidate();
  Object.assign(candidate.wire, { backMs: 50 });
  candidate.elector.start();
  await election.clock.advance(70); // the vote is won, its answer under way
  void candidate.elector.stop();
  await election.clock.advance(100);
  expect(candidate.log).toEqual(['release']);
  expect(election.epoch.term).toBe(0);
});

test('stopping while the epoch is being taken tells the followers, and shows no seat', async () => {
  const election = new Election(ttlMs);
  const candidate = election.candidate();
  Object.assign(candidate.wire, { backMs: 50 });
  candidate.elector.start();
  await election.clock.advance(120);
  expect(election.epoch.term).toBe(1);
  void candidate.elector.stop();
  await election.clock.advance(150);
  expect(candidate.log).toEqual(['tell', 'release']);
  expect(election.isFree).toBe(true);
});

test('a crashed leader is replaced within its lock TTL and a second, at any TTL and by any luck', async () => {
  for (const ttl of [500, 1_000, 5_000, 30_000]) {
    for (let seed = 1; seed <= 25; seed += 1) {
      const election = new Election(ttl);
      const leader = election.candidate({ random: seeded(seed) });
      const followers = [2, 3, 4].map((n) => election.candidate({ random: seeded(seed * 100 + n) }));
      leader.elector.start();
      await election.clock.advance(0);
      for (const { elector } of followers) elector.start();
      await election.clock.advance(ttl * (1 + seed / 25));
      leader.crash();
      await election.clock.advance(ttl + 1_000);
      expect(
        followers.filter(({ leads }) => leads),
        `TTL ${ttl}, seed ${seed}`,
      ).toHaveLength(1);
    }
  }
});

test('a waiting follower bids about twice a second', async () => {
  const { election, next } = await leaderAndFollower();
  const { bids } = next;
  await election.clock.advance(60_000);
  expect(next.bids - bids).toBeGreaterThan(60_000 / 700);
  expect(next.bids - bids).toBeLessThan(60_000 / 300);
});

test('a hung node, which makes each losing bid slow, makes bids no rarer', async () => {
  const election = new Election(ttlMs);
  let bids = 0;
  const acquire = async (): Promise<Bid> => {
    bids += 1;
    await election.clock.sleep(500);
    return { status: 'lost' };
  };
  const lock: Vote = { acquire, extend: async () => ({ status: 'lost' }), release: async () => {} };
  election.candidate({ lock }).elector.start();
  await election.clock.advance(60_000);
  expect(bids).toBeGreaterThan(60_000 / 700);
});

test('two candidates with one lock are never both trusted, through delays, silence and freezes', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seeded(seed);
    const election = new Election(500);
    const candidates = [election.candidate({ random }), election.candidate({ random })];
    for (const { elector } of candidates) elector.start();
    for (let step = 0; step < 300; step += 1) {
      for (const { wire } of candidates) {
        if (random() > 0.1) continue;
        Object.assign(wire, { thereMs: random() * 60, backMs: random() * 120, lost: random() < 0.3 });
      }
      if (random() < 0.02) await election.clock.freeze(random() * 1_000);
      await election.clock.advance(random() * 40);
      expect(election.trusted().length, `seed ${seed}, step ${step}`).toBeLessThan(2);
    }
    expect(election.epoch.term, `seed ${seed}`).toBeGreaterThan(1);
  }
});
