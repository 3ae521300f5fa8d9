import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { type Claim, Elector } from '../../src/leader/elector.js';
import { Lock } from '../../src/leader/lock.js';
import { isTrusted } from '../../src/leader/trust.js';
import { systemRandom } from '../../src/random.js';
import { LockServer } from '../support/lock-servers.js';

const ttlMs = 1_000;

let servers: [LockServer, LockServer, LockServer];
let electors: Elector[];
let bugs: unknown[];
let epoch = 0;
/** How many were trusted, at each change of any seat. */
let counts: number[];

beforeEach(async () => {
  servers = await Promise.all([LockServer.start(), LockServer.start(), LockServer.start()]);
  [bugs, counts, epoch] = [[], [], 0];
  electors = [elector(), elector(), elector()];
  for (const one of electors) one.start();
});
afterEach(async () => {
  await Promise.all(electors.map((one) => one.stop()));
  await Promise.all(servers.map((server) => server.stop()));
});

/** Candidates as three processes would be: each with connections of its own, all with one fence. */
function elector(): Elector {
  const nodes = servers.map((server) => server.connect());
  const claim: Claim = {
    read: async () => epoch,
    take: async (before) => (before === epoch ? { won: true, term: ++epoch, token: 't' } : { won: false }),
    resign: async ({ term }) => {
      for (const one of electors) one.wake(term);
    },
  };
  return new Elector({
    lock: new Lock({ nodes, resource: 'the lock', ttlMs, clock: systemClock }),
    claim,
    ttlMs,
    clock: systemClock,
    random: systemRandom,
    onSeat: () => counts.push(trusted().length),
    onError: (error) => bugs.push(error),
  });
}

function trusted(): Elector[] {
  return electors.filter((one) => isTrusted(one.current(), systemClock.monotonicMs()));
}

const somebodyLeads = (): Promise<Elector> =>
  vi.waitFor(() => trusted()[0] ?? Promise.reject(new Error('nobody leads')), { timeout: 20_000, interval: 5 });
/** Somebody leads by a call that was sent from now on. */
function somebodyLeadsAnew(): Promise<void> {
  const anewMs = systemClock.monotonicMs() + ttlMs - ttlMs / 5;
  const isAnew = (one: Elector): boolean => {
    const seat = one.current();
    return seat.role === 'leader' && seat.trustedUntilMs >= anewMs;
  };
  return vi.waitFor(() => expect(trusted().some(isAnew)).toBe(true), { timeout: 20_000, interval: 5 });
}

const nobodyLeads = (): Promise<void> =>
  vi.waitFor(() => expect(trusted()).toEqual([]), { timeout: 20_000, interval: 5 });

test('each lock node in turn hangs, thaws, dies and comes back empty: somebody leads, never two', async () => {
  await somebodyLeads();
  for (const server of servers) {
    await server.freeze();
    await somebodyLeadsAnew();
    await server.thaw();
    await server.kill();
    await somebodyLeadsAnew();
    await server.start();
    await somebodyLeadsAnew();
  }
  expect(Math.max(...counts)).toBe(1);
  expect(bugs).toEqual([]);
});

test('with two of three nodes hung the leader steps down and nobody follows; when they thaw somebody leads', async () => {
  await somebodyLeads();
  await servers[0].freeze();
  await servers[1].freeze();
  await nobodyLeads();
  const reached = epoch;
  await servers[0].thaw();
  await servers[1].thaw();
  await somebodyLeads();
  expect(epoch).toBeGreaterThan(reached);
  expect(Math.max(...counts)).toBe(1);
});

test('a leader that resigns is followed by another, in a later term', async () => {
  const former = await somebodyLeads();
  const before = epoch;
  await former.resign();
  const next = await somebodyLeads();
  expect(next).not.toBe(former);
  expect(epoch).toBeGreaterThan(before);
  expect(Math.max(...counts)).toBe(1);
});

test('stopping every candidate with all nodes hung ends within a TTL or little more', async () => {
  await somebodyLeads();
  await Promise.all(servers.map((server) => server.freeze()));
  const startedAtMs = systemClock.monotonicMs();
  await Promise.all(electors.map((one) => one.stop()));
  expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(5 * ttlMs);
  await Promise.all(servers.map((server) => server.thaw()));
});
