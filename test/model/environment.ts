/** What the world does: time, failover, pause, an operator's hand. Each as often as the scenario says. */
import { look } from './consumer-scripts.js';
import { age } from './leader-scripts.js';
import { letterOf, type Moves } from './moves.js';
import { pause } from './producer-scripts.js';
import type { Run } from './redis.js';
import { cloneRedis, type State } from './state.js';
import type { Hand } from './world.js';
import { producersOf } from './world.js';

export function worldMoves(moves: Moves): void {
  time(moves);
  failover(moves);
  groupAndConnections(moves);
  const { state, world } = moves;
  const { left, redis } = state;
  if (redis.paused) moves.step('resume', (_, run) => pause(run, false));
  else if (left.pauses > 0) moves.step('pause', (_, run) => pause(run, true), 'pauses');
  const { lock } = state;
  if (lock !== null && left.bids > 0) {
    moves.step(`the lock of L${lock + 1} runs out`, (next) => {
      next.lock = null;
    });
  }
  if (left.forgets > 0) redis.lanes.forEach((kept, lane) => kept && forget(moves, lane));
  if (left.hands > 0)
    for (const hand of world.hands) for (let id = 0; id < world.ids; id += 1) operator(moves, hand, id);
}

function time(moves: Moves): void {
  const { left, now } = moves.state;
  const { freezeFor } = moves.world;
  if (left.ticks > 0) {
    moves.step(
      `the clock goes to ${now + 1}`,
      (next, run) => {
        next.now += 1;
        next.redis.pending = next.redis.pending.map((one) => ({ ...one, ghostSilent: one.ghostSilent + 1 }));
        look(run);
      },
      'ticks',
    );
  }
  if (left.freezes > 0) {
    moves.step(
      `Redis is frozen until ${now + freezeFor}`,
      (next, run) => {
        next.now += freezeFor;
        look(run);
      },
      'freezes',
    );
  }
}

/** What was written after the replica stood still is lost; connections, and what was under way on them, are gone. */
function failover(moves: Moves): void {
  const { state, world } = moves;
  const { replica } = state;
  if (state.left.failovers === 0) return;
  if (!replica) {
    moves.step('the replica stands still', (next) => {
      next.replica = cloneRedis(state.redis);
    });
    return;
  }
  moves.step(
    'failover to the replica',
    (next) => {
      next.redis = cloneRedis(replica);
      next.replica = null;
      next.copies = [];
      for (const life of next.redis.ghostLives) life.isExcused = true;
      for (const caller of [...next.consumers, ...next.producers]) {
        if (caller.unanswered) caller.unanswered = { ...caller.unanswered, ghostLife: 'any' };
      }
      if (world.rules.freshName) for (const consumer of next.consumers) consumer.name += 10;
    },
    'failovers',
  );
}

function groupAndConnections(moves: Moves): void {
  const { state, world } = moves;
  const { left } = state;
  if (left.groups > 0) {
    moves.step(
      'an operator destroys the group',
      (next) => {
        destroyGroup(next, null);
        if (!world.rules.freshName) return;
        for (const consumer of next.consumers) {
          const isReading = consumer.held.length < world.slots; // and its blocked read ends with NOGROUP
          if (isReading || world.rules.groupNoticed) consumer.name += 10;
        }
      },
      'groups',
    );
  }
  if (left.stuck > 0) {
    state.consumers.forEach(({ held, isStuck }, c) => {
      if (isStuck || !held.some(({ phase }) => phase === 'run')) return;
      moves.step(`the settles of C${c + 1} get through no more`, (next) => stick(next, c), 'stuck');
    });
  }
  if (left.reconnects === 0) return;
  state.consumers.forEach((_, c) => {
    moves.step(
      `C${c + 1} has a new connection`,
      (next, run) => {
        const consumer = next.consumers[c];
        if (consumer && world.rules.freshName) consumer.name += 10;
        if (!world.rules.ownHistoryUnread) readHistory(run, consumer?.name ?? 0);
      },
      'reconnects',
    );
  });
}

function destroyGroup(next: State, delivered: number | null): void {
  const { redis } = next;
  for (const life of redis.ghostLives) {
    if (redis.pending.some(({ no }) => no === redis.live[life.id])) life.isExcused = true;
  }
  redis.pending = [];
  redis.delivered = delivered;
}

function stick(next: State, c: number): void {
  const consumer = next.consumers[c];
  if (consumer) consumer.isStuck = true;
}

/** Reading what one holds already raises its delivery count. */
function readHistory(run: Run, name: number): void {
  for (const one of run.redis.pending) if (one.owner === name) run.claim(one, { count: one.count + 1 });
}

/** By the rule only a lane whose calls are over: nobody repeats one, and no copy is under way. */
function forget(moves: Moves, lane: number): void {
  const { state, world } = moves;
  const callers = [...state.producers, ...state.consumers].map(({ unanswered }) => unanswered);
  const isInUse = [...callers, ...state.copies].some((call) => call?.lane === lane);
  if (isInUse && world.rules.lanesOutliveCalls) return;
  const producers = producersOf(world);
  const owner = lane < producers ? `P${lane + 1}` : `C${lane - producers + 1}`;
  moves.step(`the lane of ${owner} is forgotten`, (_, run) => age(run, lane), 'forgets');
}

function operator(moves: Moves, hand: Hand, id: number): void {
  const { redis } = moves.state;
  const says = `somebody ${hand.replace('it', letterOf(id))}`;
  const isReady = redis.live[id] !== null;
  if (hand === 'schedules it' && !isReady) return;
  if (hand === 'trims the stream' && redis.stream.length === 0) return;
  moves.step(
    says,
    (next, run) => {
      next.isBent = true;
      if (hand === 'schedules it') run.zadd(id, next.now);
      else if (hand === 'adds a stray entry') run.xadd(id, next.now);
      else if (hand === 'trims the stream') next.redis.stream = [];
      else destroyGroup(next, next.redis.lastEntry);
    },
    'hands',
  );
}
