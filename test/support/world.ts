/**
 * A partition with a task in every state, and one call of each script that has work to do there: for what is true of
 * all scripts at once (a key of the wrong type, another layout, a repeated call, an old term).
 */
import type { Script, ScriptDefinition } from '../../src/redis/script.js';
import * as lua from '../../src/redis/scripts.generated.js';
import {
  active,
  addTask,
  beat,
  type Delivery,
  elect,
  idleFor,
  join,
  keys,
  now,
  type Over,
  read,
  run,
  send,
} from './partition.js';

export interface World {
  readonly held: Delivery[];
  readonly unopened: Delivery[];
  readonly letter: string;
}

/** The time of the calls below: what was due within the second before is due now. */
export const later: number = now + 2000;

export async function buildWorld(): Promise<World> {
  await elect();
  await join('c1');
  await join('idle');
  await send('HSET', keys.consumers, 'gone', `1000 ${now - 60_000} a worker`);
  await beat('c1');
  const bury = await active('letter');
  await run(lua.bury, { consumer: 'c1', items: [{ ...bury, reason: 'rejected', run: '' }] });
  await addTask('ended', '+5');
  await run(lua.cancel, { id: 'ended' });
  const held = [await active('complete'), await active('retry'), await active('bury')];
  await send('HSET', keys.runs, 'complete', '{"a":2,"e":[]}');
  const silent = await active('silent', 'c9');
  const poison = await active('poison', 'c9');
  await idleFor(120_000, 'c9', silent);
  await idleFor(120_000, 'c9', { ...poison, count: 9 });
  await addTask('unopened');
  await addTask('unopened-expired', '+0', { expires: '+1' });
  const unopened = await read('c1', 2);
  await addTask('ready');
  await addTask('ready-expired', '+0', { expires: '+1' });
  await addTask('due', '+1000');
  await addTask('due-expired', '+1000', { expires: '+1' });
  await addTask('later', '+3600000');
  await addTask('nowhere', '+3600000');
  await send('ZREM', keys.due, 'nowhere');
  await send('HSET', keys.schedules, 'nightly', '{"a":"rule"}');
  await send('HSET', keys.cursors, 'nightly', 'was');
  await send('ZADD', keys.upcoming, now + 1000, 'nightly');
  const letter = ((await send('XRANGE', keys.dead, '-', '+')) as [[string, unknown]])[0][0];
  return { held, unopened, letter };
}

export interface Effect {
  readonly name: string;
  readonly script: ScriptDefinition;
  /** Only reads: nothing of it is kept under its lane. */
  readonly isRead?: boolean;
  call(world: World, over?: Over): Promise<{ status: string }>;
}

function effect<K, A, R extends { status: string }>(
  script: Script<K, A, R>,
  argsOf: (world: World) => Omit<NoInfer<A>, keyof Over>,
): Effect {
  return {
    name: script.name,
    script,
    call: (world, over = {}) => run(script, { nowMs: later, ...argsOf(world), ...over }),
  };
}

/** The delivery that is held as this. */
const heldAs = (held: readonly Delivery[], name: string): Delivery[] => held.filter(({ id }) => id === name);

/** One step of the schedule of the world above, which adds an occurrence that is due by now, and is listed. */
const fired = {
  schedule: 'nightly',
  was: 'was',
  cursor: 'is',
  lookMs: String(now + 86_400_000),
  id: 'nightly@1',
  unless: '',
  dueMs: now + 1000,
  expiresMs: String(now + 90_000_000),
  record: '["job"]',
  passed: 'why',
};

/** One call of each script that writes; each has an effect in the world above. */
export const effects: readonly Effect[] = [
  effect(lua.add, () => ({
    items: [
      { id: 'new', when: '+0', expires: '+5', record: '["job"]' },
      { id: 'new-later', when: '+5', expires: '', record: '["job"]' },
    ],
  })),
  effect(lua.age, () => ({
    endedAgeMs: 0,
    endedMax: 0,
    deadAgeMs: 0,
    laneAgeMs: 0,
    cursor: '0',
    limit: 10,
    bytesMax: 1e6,
  })),
  effect(lua.beat, ({ held }) => ({ consumer: 'c1', worker: 'a worker', leaseMs: 30_000, items: held })),
  effect(lua.cancel, () => ({ id: 'complete' })),
  effect(lua.expire, () => ({ skip: 0, limit: 100 })),
  effect(lua.handBack, ({ held }) => ({
    consumer: 'c1',
    delayMs: 0,
    items: held.map((one) => ({ ...one, dueMs: now, run: '' })),
  })),
  effect(lua.handBack, ({ held }) => ({
    consumer: 'c1',
    delayMs: 9,
    items: held.map((one) => ({ ...one, dueMs: now, run: '' })),
  })),
  effect(lua.join, () => ({ consumer: 'new', worker: 'a worker', leaseMs: 30_000 })),
  effect(lua.lead, () => ({ nowUs: now * 1000, newToken: 'eight', leader: 'another', ttlMs: 5000, above: '0' })),
  effect(lua.claim, () => ({ term: '8', token: 'eight', leader: 'another', ttlMs: 5000 })),
  effect(lua.leave, () => ({ consumer: 'idle' })),
  effect(lua.next, ({ held }) => ({ consumer: 'c1', free: 0, bytesMax: 0, items: heldAs(held, 'complete') })),
  { ...effect(lua.next, () => ({ consumer: 'c1', free: 10, bytesMax: 1e6, items: [] })), isRead: true },
  effect(lua.open, ({ unopened }) => ({
    consumer: 'c1',
    bytesMax: 1e6,
    after: '',
    items: unopened.map(({ entry, id }) => ({ entry, id, dueMs: now })),
  })),
  effect(lua.open, () => ({ consumer: 'c1', bytesMax: 1e6, after: '0-0', items: [] })),
  effect(lua.pause, () => ({ paused: 1 })),
  effect(lua.promote, () => ({ overdueMs: 6000, limit: 250 })),
  effect(lua.purge, ({ letter }) => ({ limit: 0, items: [{ number: letter }] })),
  effect(lua.reap, () => ({ cursor: '0', count: 100, strayIdleMs: 300_000 })),
  effect(lua.recover, () => ({
    consumer: 'c1',
    leaseMs: 30_000,
    page: 200,
    limit: 100,
    bytesMax: 1e6,
    lostMax: 5,
  })),
  effect(lua.replay, ({ letter }) => ({ number: letter })),
  effect(lua.reschedule, () => ({ id: 'ready', when: '+5' })),
  effect(lua.resign, () => ({})),
  effect(lua.runNow, () => ({ id: 'later' })),
  effect(lua.schedule, () => ({ name: 'weekly', wasSha1: '', definition: '{}', cursor: 'c', lookMs: String(now) })),
  effect(lua.tick, () => ({ items: [fired] })),
  effect(lua.retry, ({ held }) => ({
    consumer: 'c1',
    items: heldAs(held, 'retry').map((one) => ({ ...one, delayMs: 1000, run: '{}' })),
  })),
  effect(lua.bury, ({ held }) => ({
    consumer: 'c1',
    items: heldAs(held, 'bury').map((one) => ({ ...one, reason: 'rejected', run: '{}' })),
  })),
  effect(lua.sweep, () => ({ cursor: '0', count: 100, bytesMax: 1e6 })),
  effect(lua.update, () => ({ id: 'later', wasSha1: laterSha1, record: '["job",2]' })),
];

/** Of the record `[1800000000000,"job"]`. */
const laterSha1 = 'f52d52a69e811142b93f108445a901ffd56fb609';
