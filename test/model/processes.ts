/** What each process may do next, by what it knows. One that crashed, or stands still, is one that moves no more. */
import { send, sayCall } from './calls.js';
import { beat, handBack, isOverLease, open, recover } from './consumer-scripts.js';
import { expire, lead, promote, resign, sweep } from './leader-scripts.js';
import { letterOf, type Moves } from './moves.js';
import { Run } from './redis.js';
import type { Call, Consumer, Held, State } from './state.js';
import { producersOf } from './world.js';

const at = <T>(list: readonly T[], place: number): T => {
  const found = list[place];
  if (found === undefined) throw new Error(`there is no ${place} of ${list.length}`);
  return found;
};

export function producerMoves(moves: Moves, by: number): void {
  const { state, world } = moves;
  const producer = at(state.producers, by);
  const awaits = (next: State, call: Call | null): void => {
    at(next.producers, by).unanswered = call;
  };
  if (producer.unanswered) {
    const call = producer.unanswered;
    send(moves, `P${by + 1} sends again: ${sayCall(call)}`, { call, awaits });
    return;
  }
  world.asked.forEach((asked, place) => {
    if (at(producer.left, place) === 0) return;
    const { verb, id = 0, expires = null } = asked;
    const ghostLife = state.redis.tasks[id]?.ghostLife ?? null;
    const number = producer.number + 1;
    const call: Call = { lane: by, number, verb, id, at: asked.at ?? 0, expires, held: null, ghostLife };
    const before = (next: State): void => {
      at(next.producers, by).left[place] = at(producer.left, place) - 1;
      at(next.producers, by).number = number;
    };
    send(moves, `P${by + 1}: ${sayCall(call)}`, { call, awaits, before });
  });
}

export function consumerMoves(moves: Moves, c: number): void {
  const { state, world } = moves;
  const consumer = at(state.consumers, c);
  if (consumer.held.length < world.slots) {
    read(moves, c, consumer);
    recoveries(moves, c, consumer);
  }
  consumer.held.forEach((held, place) => {
    if (held.phase === 'read') opening(moves, c, place);
    else if (!consumer.isStuck) settling(moves, c, place);
  });
  if (world.beats && consumer.held.some(({ phase }) => phase === 'run')) {
    moves.step(`C${c + 1} beats`, (next, run) => {
      next.redis.beats[c] = next.now;
      for (const held of consumer.held) if (held.phase === 'run') beat(run, { name: held.owner, held });
    });
  }
  if (world.standsIn) {
    moves.step(`C${c + 1} promotes without a term`, (_, run) => void promote(run, null, 1));
  }
}

function read(moves: Moves, c: number, { name }: Consumer): void {
  const { redis } = moves.state;
  if (redis.delivered === null) {
    moves.step(`C${c + 1} finds no group and makes it anew`, (next) => {
      next.redis.delivered = 0;
    });
    return;
  }
  const { delivered } = redis;
  const entry = redis.stream.find(({ no }) => no > delivered);
  if (!entry) return;
  const { no, id, due } = entry;
  moves.step(`C${c + 1} reads e${no} of ${letterOf(id)}`, (next) => {
    next.deliveries += 1;
    const ghostDelivery = next.deliveries;
    next.redis.delivered = no;
    next.redis.beats[c] = next.now; // who moves, beats
    next.redis.pending.push({ no, owner: name, count: 1, sign: next.now, ghostSilent: 0, ghostDelivery });
    const held: Held = { no, owner: name, count: 1, id, due, phase: 'read', ghostDelivery, ghostLife: 0 };
    at(next.consumers, c).held.push(held);
  });
}

function recoveries(moves: Moves, c: number, { name }: Consumer): void {
  const { state, world } = moves;
  if (state.redis.paused) return;
  const look = new Run(state, world);
  for (const pending of state.redis.pending) {
    if (!isOverLease(look, pending, name)) continue;
    moves.script(`C${c + 1} recovers e${pending.no}`, (next, run) => {
      next.redis.beats[c] = next.now;
      const held = recover(run, { pending, by: name, lostMax: world.lostMax });
      if (held) at(next.consumers, c).held.push(held);
    });
  }
}

function opening(moves: Moves, c: number, place: number): void {
  const held = at(at(moves.state.consumers, c).held, place);
  const says = `e${held.no} of ${letterOf(held.id)}`;
  moves.script(
    `C${c + 1} opens ${says}`,
    (next, run) => {
      next.redis.beats[c] = next.now;
      const mine = at(next.consumers, c).held;
      const opened = open(run, { name: held.owner, held });
      mine.splice(place, 1, ...(opened ? [opened] : []));
    },
    (next) => void at(next.consumers, c).held.splice(place, 1),
  );
  if (!moves.world.handsBack) return;
  moves.script(`C${c + 1} hands back ${says}`, (next, run) => {
    handBack(run, { name: held.owner, held });
    at(next.consumers, c).held.splice(place, 1);
  });
}

function settling(moves: Moves, c: number, place: number): void {
  const { state, world } = moves;
  const consumer = at(state.consumers, c);
  const { unanswered } = consumer;
  const held = at(consumer.held, place);
  const awaits = (next: State, call: Call | null): void => {
    at(next.consumers, c).unanswered = call;
    if (!call) at(next.consumers, c).held.splice(place, 1);
  };
  const says = `e${held.no} of ${letterOf(held.id)}`;
  if (unanswered) {
    if (unanswered.held?.ghostDelivery !== held.ghostDelivery) return;
    send(moves, `C${c + 1} sends again: ${unanswered.verb} of ${says}`, { call: unanswered, awaits });
    return;
  }
  for (const verb of world.ends) {
    const number = consumer.number + 1;
    const lane = producersOf(world) + c;
    const call: Call = { lane, number, verb, id: held.id, at: 0, expires: null, held, ghostLife: held.ghostLife };
    const before = (next: State): void => void (at(next.consumers, c).number = number);
    send(moves, `C${c + 1}: ${verb} of ${says}`, { call, awaits, before });
  }
}

export function leaderMoves(moves: Moves, l: number): void {
  const { state, world } = moves;
  const { read, hasWon, seat } = at(state.leaders, l);
  const who = `L${l + 1}`;
  if (seat) {
    const write = (says: string, body: (run: Run) => boolean): void =>
      moves.script(`${who} ${says}`, (next, run) => {
        if (!body(run)) at(next.leaders, l).seat = null;
      });
    write('promotes', (run) => promote(run, seat));
    for (let id = 0; id < world.ids; id += 1) {
      if (state.redis.expiry[id] !== null)
        write(`looks whether ${letterOf(id)} has expired`, (run) => expire(run, { seat, id }));
      if (state.redis.tasks[id]) write(`sweeps ${letterOf(id)}`, (run) => sweep(run, { seat, id }));
    }
    if (world.left.bids === undefined) return;
    moves.step(`${who} resigns`, (next, run) => {
      resign(run, seat);
      at(next.leaders, l).seat = null;
      if (next.lock === l) next.lock = null;
    });
  } else if (read && hasWon) {
    moves.step(`${who} takes a term`, (next, run) => {
      const holder = next.lock === null ? undefined : next.leaders[next.lock];
      const isHeldNow = next.lock !== l && holder?.seat?.token === next.redis.epoch.token && holder?.seat !== null;
      const taken = lead(run, read);
      if (taken && isHeldNow) run.breaks('DISPLACED');
      Object.assign(at(next.leaders, l), { read: null, hasWon: false, seat: taken });
    });
  } else if (read && state.lock === null) {
    moves.step(`${who} wins the vote`, (next) => {
      next.lock = l;
      at(next.leaders, l).hasWon = true;
    });
  } else if (!read && state.left.bids > 0) {
    moves.step(`${who} reads the epoch`, (next) => void (at(next.leaders, l).read = next.redis.epoch), 'bids');
  }
}
