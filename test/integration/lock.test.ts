import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.js';
import { type Held, Lock } from '../../src/leader/lock.js';
import type { LockNode } from '../../src/leader/redlock-client.js';
import { LockServer } from '../support/lock-servers.js';

const ttlMs = 5_000;

describe.each([1, 3])('over %d lock node(s)', (count) => {
  let servers: LockServer[];
  let errors: Error[];
  let resource = '';
  let round = 0;

  beforeAll(async () => {
    servers = await Promise.all(Array.from({ length: count }, () => LockServer.start()));
  });
  beforeEach(() => {
    errors = [];
    resource = `lock ${++round}`;
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  const onAll = (...args: string[]): Promise<unknown[]> =>
    Promise.all(servers.map((server) => server.command(...args)));

  function candidate(nodes: LockNode[] = servers.map((server) => server.connect()), clock: Clock = systemClock): Lock {
    return new Lock({ nodes, resource, ttlMs, clock, onNodeError: (error) => errors.push(error) });
  }

  async function won(lock: Lock): Promise<Held> {
    const bid = await lock.acquire();
    if (bid.status !== 'won') throw new Error(`expected the lock, got ${bid.status}`);
    const { held } = bid;
    // A bid is won with the majority; the last vote may still be on its way.
    await vi.waitFor(async () => expect(await onAll('GET', resource)).toEqual(servers.map(() => held.token)));
    return held;
  }

  test('the first bid wins, with a token of its own on the nodes; the next loses, and is no error', async () => {
    const startedAtMs = systemClock.monotonicMs();
    const held = await won(candidate());
    expect(held.attemptedAtMs).toBeGreaterThanOrEqual(startedAtMs);
    expect(await candidate().acquire()).toEqual({ status: 'lost' });
    expect(errors).toEqual([]);
  });

  test('a lock expires by itself on every node', async () => {
    await won(candidate());
    for (const leftMs of await onAll('PTTL', resource)) {
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(ttlMs);
    }
  });

  test('an extension lasts a TTL from its own start, under the same token', async () => {
    const lock = candidate();
    const held = await won(lock);
    await onAll('PEXPIRE', resource, '1000');
    const extension = await lock.extend(held);
    expect(extension).toEqual({ status: 'held', held: { token: held.token, attemptedAtMs: expect.any(Number) } });
    if (extension.status === 'held') expect(extension.held.attemptedAtMs).toBeGreaterThan(held.attemptedAtMs);
    await vi.waitFor(async () => {
      for (const leftMs of await onAll('PTTL', resource)) expect(leftMs).toBeGreaterThan(1_000);
    });
  });

  test('a released lock is free on every node', async () => {
    const lock = candidate();
    await lock.release(await won(lock));
    expect(await onAll('EXISTS', resource)).toEqual(servers.map(() => 0));
    await won(candidate());
  });

  test('who lost the lock neither extends nor releases the next holder', async () => {
    const former = candidate();
    const held = await won(former);
    await onAll('DEL', resource);
    const next = await won(candidate());
    expect(await former.extend(held)).toEqual({ status: 'lost' });
    await former.release(held);
    expect(await onAll('GET', resource)).toEqual(servers.map(() => next.token));
    expect(errors).toEqual([]);
  });

  test('releasing a lock that has expired is done after one try', async () => {
    const lock = candidate();
    const held = await won(lock);
    await onAll('DEL', resource);
    await onAll('CONFIG', 'RESETSTAT');
    await lock.release(held);
    for (const stats of await onAll('INFO', 'commandstats')) {
      const calls = [...String(stats).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+),.*?failed_calls=(\d+)/g)];
      const succeeded = calls.map(([, all, failed]) => Number(all) - Number(failed)).reduce((sum, n) => sum + n, 0);
      expect(succeeded).toBe(1);
    }
  });

  test('a lock that comes back already expired was not won, and is given back', async () => {
    let leapMs = 0;
    const leaping: Clock = {
      monotonicMs: () => systemClock.monotonicMs() + leapMs,
      wallMs: () => systemClock.wallMs(),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
      after: (ms, callback) => systemClock.after(ms, callback),
    };
    const nodes = servers.map((server) => {
      const node = server.connect();
      const send: LockNode['send'] = async (args, options) => {
        const reply = await node.send(args, options);
        leapMs = ttlMs; // the process was frozen for a TTL while the reply lay in its socket
        return reply;
      };
      return { send, drop: (reason: string) => node.drop(reason) };
    });
    expect(await candidate(nodes, leaping).acquire()).toEqual({ status: 'lost' });
    expect(await onAll('EXISTS', resource)).toEqual(servers.map(() => 0));
  });

  test('a step of the wall clock ends no lock', async () => {
    const lock = candidate();
    const held = await won(lock);
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await lock.extend(held)).toMatchObject({ status: 'held' });
  });

  test('a node that can not vote is reported, and is not mistaken for a lost lock', async () => {
    const lock = candidate();
    const held = await won(lock);
    await onAll('DEL', resource);
    await onAll('SADD', resource, 'a key of the wrong type');
    expect(await lock.extend(held)).toEqual({ status: 'unsure' });
    await vi.waitFor(() =>
      expect(errors.map(({ message }) => message)).toContainEqual(expect.stringMatching(/WRONGTYPE/)),
    );
  });

  test('of many who bid at once at most one wins, all settle, and one leads after a few rounds', async () => {
    const crowd = Array.from({ length: 6 }, () => candidate());
    await vi.waitFor(async () => {
      const bids = await Promise.all(crowd.map((lock) => lock.acquire()));
      const winners = bids.filter(({ status }) => status === 'won');
      expect(winners).toHaveLength(1); // a round may be split; two winners never go away again
    });
    expect(errors).toEqual([]);
  });
});
