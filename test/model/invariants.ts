/** What must hold in every state, beside what the scripts find broken as they run. */
import { open, recover, settle } from './consumer-scripts.js';
import { promote, sweep } from './leader-scripts.js';
import { pause } from './producer-scripts.js';
import { Run } from './redis.js';
import { type Broken, type Call, clone, type Held, type Redis, type State } from './state.js';
import type { Bound } from './world.js';

export function brokenIn(state: State, ends: (state: State) => boolean): Broken[] {
  const broken: Broken[] = [];
  const { redis } = state;
  if (!state.isBent) {
    if (redis.tasks.some((record, id) => placesOf(redis, id) !== (record ? 1 : 0))) broken.push('TWO_PLACES');
    if (readyIn(redis) !== redis.stream.length - redis.pending.length) broken.push('READY');
  }
  const letters = new Set(redis.dead.map(({ record }) => record.ghostLife));
  if (redis.ghostLives.some(({ no, end }) => end === 'dead' && !letters.has(no))) broken.push('LETTER_LOST');
  if (!ends(state)) broken.push('LOST');
  return broken;
}

const isThere = (redis: Redis, entry: number | null | undefined): boolean =>
  redis.stream.some(({ no }) => no === entry);

/** In the schedule, unread in the stream, or with a consumer. */
function placesOf(redis: Redis, id: number): number {
  const entry = redis.live[id] ?? null;
  const isPending = redis.pending.some(({ no }) => no === entry);
  const isUnread = isThere(redis, entry) && !isPending && (entry ?? 0) > (redis.delivered ?? 0);
  return (redis.due[id] === null ? 0 : 1) + (isPending ? 1 : 0) + (isUnread ? 1 : 0);
}

function readyIn(redis: Redis): number {
  return redis.live.filter((entry) => isThere(redis, entry) && !redis.pending.some(({ no }) => no === entry)).length;
}

/**
 * Whether every task still ends when the world is kind from here on: the queue is resumed, time passes, a new leader
 * and a new consumer do their work; those who hold something do nothing more, but for one that cannot settle and beats.
 */
export function everythingEnds(from: State, world: Bound): boolean {
  const state = clone(from);
  const run = new Run(state, world);
  const seat = { term: 999, token: 999 };
  state.redis.epoch = seat;
  pause(run, false);
  state.redis.delivered ??= 0;
  for (let round = 0; round < 5 && state.redis.tasks.some((record) => record); round += 1) {
    passTime(run, state);
    state.redis.tasks.forEach((_, id) => sweep(run, { seat, id }));
    for (let turn = 0; turn <= world.ids; turn += 1) promote(run, seat);
    for (const pending of state.redis.pending) end(run, recover(run, { pending, by: 9, lostMax: world.lostMax }));
    while (readAndEnd(run, state));
  }
  return state.redis.tasks.every((record) => !record);
}

function passTime(run: Run, state: State): void {
  state.now += 100;
  state.redis.looks = { seen: state.now, gap: 0, last: 0, gapEnd: 0 };
  if (run.rules.heartbeatStops) return;
  for (const { isStuck, held } of state.consumers) {
    for (const one of isStuck ? held : []) {
      const pending = run.pendingOf(one.no);
      if (pending?.ghostDelivery === one.ghostDelivery) run.claim(pending, {});
    }
  }
}

function readAndEnd(run: Run, state: State): boolean {
  const { redis } = state;
  const entry = redis.stream.find(({ no }) => no > (redis.delivered ?? 0));
  if (!entry) return false;
  redis.delivered = entry.no;
  state.deliveries += 1;
  const delivery = { no: entry.no, owner: 9, count: 1, ghostDelivery: state.deliveries };
  redis.pending.push({ ...delivery, sign: state.now, ghostSilent: 0 });
  const held: Held = { ...delivery, id: entry.id, due: entry.due, phase: 'read', ghostLife: 0 };
  end(run, open(run, { name: 9, held }));
  return true;
}

function end(run: Run, held: Held | null): void {
  if (!held) return;
  const call: Call = { lane: 0, number: 0, verb: 'complete', id: held.id, at: 0, expires: null, held, ghostLife: 0 };
  settle(run, call);
}
