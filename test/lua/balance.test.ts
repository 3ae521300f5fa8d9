/**
 * Many calls in an order drawn from a seed; after each, all that must hold in health holds: every task is in exactly
 * one place, nothing is left of one that has ended, and the counts add up. A seed that fails becomes a test by name.
 */
import { expect, test } from 'vitest';
import { Seeded } from '../../src/cli/verify/seeded.js';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  type Delivery,
  elect,
  expectStatus,
  fetch,
  idleFor,
  join,
  keys,
  now,
  promote,
  read,
  recover,
  run,
  send,
  settle,
  useRedis,
  cancelTask,
} from '../support/partition.js';

useRedis();

class Walk {
  readonly #draws: Seeded;
  readonly #held: (Delivery & { consumer: string })[] = [];
  #nowMs = now;

  constructor(seed: number) {
    this.#draws = new Seeded(seed);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#draws.next() * list.length)] as T;
  }

  #id(): string {
    return `t${Math.floor(this.#draws.next() * 12)}`;
  }

  #take(): Delivery & { consumer: string } {
    const at = Math.floor(this.#draws.next() * this.#held.length);
    const taken = this.#draws.next() < 0.8 ? this.#held.splice(at, 1)[0] : this.#held[at]; // kept: a late second settle
    const consumer = this.#pick(['c1', 'c2']);
    return taken ?? { entry: '1-1', count: 1, id: this.#id(), consumer };
  }

  async step(): Promise<string> {
    this.#nowMs += Math.floor(this.#draws.next() * 800);
    await recover('c1', { nowMs: this.#nowMs, limit: 0 }); // somebody always looks
    const name = this.#pick([
      'add',
      'add',
      'add',
      'promote',
      'fetch',
      'open',
      'settle',
      'settle',
      'settle',
      'recover',
      ...rare,
    ]);
    await this.#do(name);
    return name;
  }

  async #do(name: string): Promise<void> {
    const over = { nowMs: this.#nowMs, lane: '', call: 0 };
    const consumer = this.#pick(['c1', 'c2']);
    const id = this.#id();
    switch (name) {
      case 'add':
        return void (await run(lua.add, { ...over, items: [this.#item(id), this.#item(this.#id())] }));
      case 'promote':
        return void (await promote({ ...over, limit: 5 }));
      case 'fetch':
        return this.#fetch(consumer);
      case 'open':
        return this.#open(consumer);
      case 'settle':
        return this.#settle();
      case 'recover':
        return this.#recover(consumer);
      case 'hand-back': {
        const { consumer: owner, ...one } = this.#take();
        const delayMs = this.#pick([0, 500]);
        return void (await run(lua.handBack, {
          ...over,
          consumer: owner,
          delayMs,
          items: [{ ...one, dueMs: this.#nowMs, run: '' }],
        }));
      }
      case 'cancel':
        return void (await cancelTask(id, over));
      case 'reschedule':
        return void (await run(lua.reschedule, { ...over, id, when: this.#pick(['+0', '+900']) }));
      case 'run-now':
        return void (await run(lua.runNow, { ...over, id }));
      case 'expire':
        return void (await run(lua.expire, { ...over, skip: 0, limit: 5 }));
      case 'pause':
        return void (await run(lua.pause, { paused: this.#pick([0, 0, 0, 1]) }));
      case 'replay': {
        const dead = ((await send('XRANGE', keys.dead, '-', '+')) as [string, unknown][]).map(([number]) => number);
        return void (dead.length > 0 && (await run(lua.replay, { ...over, number: this.#pick(dead) })));
      }
    }
  }

  #item(id: string): lua.AddArgs['items'][number] {
    return {
      id,
      when: this.#pick(['+0', '+300', '+2000']),
      expires: this.#pick(['', '', '+100', '+5000']),
      record: '["job"]',
    };
  }

  async #fetch(consumer: string): Promise<void> {
    const reply = await fetch(consumer, { nowMs: this.#nowMs, free: 3 });
    if (reply.status !== 'ok') return;
    for (const { entry, id } of reply.deliveries) this.#held.push({ entry, id, count: 1, consumer });
  }

  async #open(consumer: string): Promise<void> {
    const deliveries = await read(consumer, 2);
    if (deliveries.length === 0) return;
    const items = deliveries.map(({ entry, id }) => ({ entry, id, dueMs: this.#nowMs }));
    const reply = await expectStatus(
      run(lua.open, { nowMs: this.#nowMs, consumer, bytesMax: 1e6, after: '', items }),
      'ok',
    );
    for (const { entry, id } of reply.deliveries) this.#held.push({ entry, id, count: 1, consumer });
  }

  async #settle(): Promise<void> {
    const { consumer, ...one } = this.#take();
    const verb = this.#pick(['complete', 'complete', 'retry', 'bury'] as const);
    const value = verb === 'retry' ? '700' : 'rejected';
    await settle(consumer, [{ ...one, verb, value, run: '{"a":2}' }], { nowMs: this.#nowMs });
  }

  async #recover(consumer: string): Promise<void> {
    const silent = this.#held[0];
    const pending = silent
      ? await send('XPENDING', keys.stream, 'workers', silent.entry, silent.entry, 1, silent.consumer)
      : [];
    if (silent && (pending as unknown[]).length > 0) await idleFor(60_000, silent.consumer, silent);
    const reply = await recover(consumer, { nowMs: this.#nowMs, lostMax: 2 });
    if (reply.status !== 'ok') return;
    for (const { entry, id, count } of reply.deliveries) this.#held.push({ entry, id, count, consumer });
  }
}

const rare = ['hand-back', 'cancel', 'reschedule', 'run-now', 'expire', 'pause', 'replay'];

async function members(key: string): Promise<string[]> {
  const type = await send('TYPE', key);
  const found = type === 'zset' ? await send('ZRANGE', key, 0, -1) : await send('HKEYS', key);
  return (found as string[]).sort();
}

async function imbalances(): Promise<unknown> {
  const [tasks, due, live] = [await members(keys.tasks), await members(keys.due), await members(keys.live)];
  const flat = (await send('HGETALL', keys.counts)) as string[];
  const count = (name: string): number => (flat.includes(name) ? Number(flat[flat.indexOf(name) + 1]) : 0);
  const ends = count('complete') + count('bury') + count('expired') + count('cancelled');
  const entries = ((await send('XRANGE', keys.stream, '-', '+')) as [string, unknown][]).map(([entry]) => entry);
  const swept = await expectStatus(run(lua.sweep, { cursor: '0', count: 1000, bytesMax: 1e6 }), 'ok');
  return {
    placedOnce: [...due, ...live].sort().join() === tasks.join(),
    oneEntryEach: ((await send('HVALS', keys.live)) as string[]).sort().join() === entries.sort().join(),
    runsLeft: (await members(keys.runs)).filter((id) => !tasks.includes(id)),
    expiryLeft: (await members(keys.expiry)).filter((id) => !tasks.includes(id)),
    lost: count('added') + count('replayed') - ends - tasks.length,
    lettersLost: count('bury') - count('replayed') - Number(await send('XLEN', keys.dead)),
    endsUnlisted: count('cancelled') + count('expired') - Number(await send('XLEN', keys.ended)),
    stale: count('stale') + count('dropped'),
    swept: swept.swept + swept.unbalanced,
  };
}

const balanced = {
  placedOnce: true,
  oneEntryEach: true,
  runsLeft: [],
  expiryLeft: [],
  lost: 0,
  lettersLost: 0,
  endsUnlisted: 0,
  stale: 0,
  swept: 0,
};

const met = new Set<string>();

test.each([1, 2, 3, 4])(
  'whatever the order of calls, each task is in one place and counts add up: seed %i',
  async (seed) => {
    await elect();
    await join('c1');
    await join('c2');
    const walk = new Walk(seed);
    for (let step = 0; step < 300; step += 1) {
      const call = await walk.step();
      expect({ step, call, ...((await imbalances()) as object) }).toEqual({ step, call, ...balanced });
    }
    for (const name of (await send('HKEYS', keys.counts)) as string[]) met.add(name);
  },
);

test('these walks went by every kind of end', () => {
  const kinds = ['complete', 'retry', 'bury', 'expired', 'cancelled', 'recovered', 'replayed', 'handed_back'];
  expect([...met]).toEqual(expect.arrayContaining(kinds));
});
