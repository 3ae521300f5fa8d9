import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { type Held, Lock } from '../../src/leader/lock.js';
import { LockServer } from '../support/lock-servers.js';

const resource = 'the lock';
const ttlMs = 5_000;

let servers: [LockServer, LockServer, LockServer];
let errors: Error[];

beforeEach(async () => {
  servers = await Promise.all([LockServer.start(), LockServer.start(), LockServer.start()]);
  errors = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

function candidate(voters: LockServer[] = servers): Lock {
  const nodes = voters.map((server) => server.connect());
  return new Lock({ nodes, resource, ttlMs, clock: systemClock, onNodeError: (error) => errors.push(error) });
}

async function won(lock: Lock): Promise<Held> {
  const bid = await lock.acquire();
  if (bid.status !== 'won') throw new Error(`expected the lock, got ${bid.status}`);
  return bid.held;
}

/** A bid is won with the majority; this waits for the last vote too. */
async function wonAll(lock: Lock): Promise<Held> {
  const held = await won(lock);
  await vi.waitFor(async () => {
    const tokens = await Promise.all(servers.map((server) => server.command('GET', resource)));
    expect(tokens).toEqual([held.token, held.token, held.token]);
  });
  return held;
}

/** Four calls of a tenth of the TTL are the most there can be; the TTL itself is the bound that matters. */
async function withinTtl<T>(call: Promise<T>): Promise<T> {
  const startedAtMs = systemClock.monotonicMs();
  const outcome = await call;
  expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(ttlMs);
  return outcome;
}

test.each([
  ['down', (server: LockServer) => server.kill()],
  ['hung', (server: LockServer) => server.freeze()],
  ['restarted empty', (server: LockServer) => server.restartEmpty()],
])('with one node of three %s a lock is won, kept, denied to others, and released', async (_, strike) => {
  const first = candidate();
  const held = await wonAll(first);
  await strike(servers[1]);
  const extension = await withinTtl(first.extend(held));
  expect(extension).toMatchObject({ status: 'held' });
  expect((await withinTtl(candidate().acquire())).status).not.toBe('won');
  await withinTtl(first.release(held));
  await withinTtl(won(candidate()));
});

test.each([
  ['down', (server: LockServer) => server.kill()],
  ['hung', (server: LockServer) => server.freeze()],
])('with two nodes of three %s no bid wins, no holder is sure, and every call ends', async (state, strike) => {
  const holder = candidate();
  const held = await wonAll(holder);
  await Promise.all([strike(servers[0]), strike(servers[2])]);
  expect(await withinTtl(holder.extend(held))).toEqual({ status: 'unsure' });
  expect((await withinTtl(candidate().acquire())).status).not.toBe('won');
  await withinTtl(holder.release(held));
  expect((await withinTtl(candidate().acquire())).status).toBe('split');
  if (state === 'hung') expect(errors[0]).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' });
  expect(errors.length).toBeGreaterThan(0);
});

test('a bid that wins too few votes of healthy nodes is a split, gives them back, and is no error', async () => {
  await servers[0].command('SET', resource, 'x');
  await servers[1].command('SET', resource, 'y');
  expect(await candidate().acquire()).toEqual({ status: 'split' });
  await vi.waitFor(async () => expect(await servers[2].command('EXISTS', resource)).toBe(0));
  expect(errors).toEqual([]);
});

test('a holder forgotten by two nodes of three learns that the lock is lost', async () => {
  const holder = candidate();
  const held = await wonAll(holder);
  await servers[0].restartEmpty();
  await servers[1].restartEmpty();
  await vi.waitFor(async () => expect(await holder.extend(held)).toEqual({ status: 'lost' }));
});

test('a single hung node settles every call, and votes again when it thaws', async () => {
  const [server] = servers;
  const holder = candidate([server]);
  const held = await won(holder);
  await server.freeze();
  expect(await withinTtl(holder.extend(held))).toEqual({ status: 'unsure' });
  expect(await withinTtl(candidate([server]).acquire())).toEqual({ status: 'lost' });
  await withinTtl(holder.release(held));
  await server.thaw();
  await vi.waitFor(async () => expect(await holder.extend(held)).toMatchObject({ status: 'held' }));
});

test('what a frozen node gets to see of an abandoned bid is gone within a TTL', async () => {
  const [server] = servers;
  const abandoned = candidate([server]);
  await abandoned.release(await won(abandoned)); // connected, the scripts loaded
  await server.freeze();
  expect(await withinTtl(abandoned.acquire())).toEqual({ status: 'lost' });
  await server.thaw();
  const leftMs = Number(await server.command('PTTL', resource));
  expect(leftMs === -2 || (leftMs > 0 && leftMs <= ttlMs)).toBe(true);
});
