/** open, settle, beat, recover, hand-back: what a consumer says of its deliveries. fetch is read and open in one. */
import type { Run } from './redis.js';
import type { Call, Held, Pending, Verb } from './state.js';

export interface Asks {
  readonly name: number;
  readonly held: Held;
}

/** The last look before a handler runs. Null: it does not run. */
export function open(run: Run, { name, held }: Asks): Held | null {
  const { redis, rules, now } = run;
  const { no, id, due } = held;
  const pending = run.pendingOf(no);
  if (!pending || (pending.owner !== name && rules.openChecksOwner)) return null;
  if (pending.count !== 1 && rules.openChecksCount) return null;
  const isGood = redis.live[id] === no;
  const record = isGood || !rules.openChecksLive ? redis.tasks[id] : null;
  const expires = redis.expiry[id];
  const hasExpired = typeof expires === 'number' && expires <= now && rules.openLooksAtExpiry;
  if (record && !(redis.paused && rules.openPutsBack) && !hasExpired) {
    run.claim(pending, { owner: name });
    return started(run, held);
  }
  if (isGood) run.setLive(id, null);
  if (record && redis.paused && rules.openPutsBack) run.zadd(id, due);
  else if (record) run.endRecord(id, 'expired');
  run.xack(no);
  run.xdel(no);
  return null;
}

/** The handler runs from here. */
function started(run: Run, held: Held): Held {
  const { redis, now } = run;
  const life = run.lifeOf(held.id);
  if (!life) return { ...held, phase: 'run' };
  if (now < life.due) run.breaks('EARLY');
  if (redis.paused) run.breaks('STARTED_PAUSED');
  if (life.expires !== null && life.expires <= now && life.starts === 0) run.breaks('STARTED_EXPIRED');
  if (life.starts > 0 && !life.isExcused) run.breaks('TWICE');
  if (redis.tasks[held.id]?.isWhole === false) run.breaks('SPOILED');
  life.starts = 1;
  life.isExcused = false;
  return { ...held, phase: 'run', ghostLife: life.no };
}

export function settle(run: Run, call: Call): string {
  const { redis, rules } = run;
  const { held, verb } = call;
  if (!held) return 'lost';
  const { no, id } = held;
  const pending = run.pendingOf(no);
  const isOwner = pending?.owner === held.owner || !rules.settleChecksOwner;
  const isMine = pending !== undefined && isOwner && (pending.count === held.count || !rules.settleChecksCount);
  if (isMine && (redis.live[id] === no || !rules.settleChecksLive)) {
    if (pending.ghostDelivery !== held.ghostDelivery) run.breaks('OTHER_DELIVERY');
    if (redis.tasks[id] && run.lifeOf(id)?.no !== held.ghostLife) run.breaks('WRONG_LIFE');
    end(run, held, verb);
    return 'settled';
  }
  if (isMine && redis.stream.every((entry) => entry.no !== no || entry.id === id)) {
    run.xack(no);
    run.xdel(no);
  }
  const isStillHeld = pending?.ghostDelivery === held.ghostDelivery && redis.live[id] === no;
  const hadEffect = run.life(held.ghostLife)?.settledBy === held.ghostDelivery;
  if (!run.state.isBent && (isStillHeld || hadEffect)) run.breaks('FALSE_LOST');
  return 'lost';
}

function end(run: Run, { no, id, ghostDelivery }: Held, verb: Verb): void {
  const { redis, rules, now } = run;
  const life = run.lifeOf(id);
  if (life) life.settledBy = ghostDelivery;
  const endEntry = (): void => {
    run.xack(no);
    run.xdel(no);
  };
  if (!rules.recordFirst) endEntry();
  const record = redis.tasks[id];
  if (verb === 'retry') {
    run.zadd(id, now + 1);
    if (record && !rules.recordsStayWhole) redis.tasks[id] = { ...record, isWhole: false };
  } else {
    if (verb === 'bury' && record) run.addLetter(id, record);
    run.endRecord(id, verb === 'bury' ? 'dead' : 'completed');
  }
  run.setLive(id, null);
  if (life && verb === 'retry') Object.assign(life, { due: now + 1, starts: 0, isExcused: false });
  if (rules.recordFirst) endEntry();
}

export function beat(run: Run, { name, held }: Asks): void {
  const { redis, rules } = run;
  const pending = run.pendingOf(held.no);
  if (!pending) return;
  const isOwn = pending.owner === name && pending.count === held.count && redis.live[held.id] === held.no;
  if (!isOwn && rules.beatChecksOwner) return;
  if (pending.owner !== name) run.breaks('TAKEN');
  run.claim(pending, { owner: name });
}

/**
 * Somebody looks at every instant: a longer gap was an outage. A long one within the hold of another goes on from where the
 * one right before it began; a short one there changes nothing.
 */
export function look(run: Run): void {
  const { looks } = run.redis;
  const lease = run.lease(0);
  const silent = run.now - looks.seen;
  const gap = run.now > looks.gapEnd + 3 * looks.gap ? 0 : looks.gap;
  const isInHold = gap > lease / 3 && run.now < looks.gapEnd + lease;
  if (silent <= 1 || (silent <= lease / 3 && isInHold)) {
    run.redis.looks = { ...looks, seen: run.now, gap };
    return;
  }
  const goesOn = run.rules.holdGoesOn && looks.last > lease / 3 && looks.seen < looks.gapEnd + lease;
  const begin = goesOn ? Math.min(looks.seen, looks.gapEnd - looks.last) : looks.seen;
  run.redis.looks = { seen: run.now, gap: run.now - begin, last: silent, gapEnd: run.now };
}

function isHeld(run: Run, lease: number, beat: number): boolean {
  const { gap, gapEnd } = run.redis.looks;
  return gap > lease / 3 && run.now < gapEnd + lease && beat >= gapEnd - gap - lease;
}

/** Whether recovery would take this delivery. */
export function isOverLease(run: Run, pending: Pending, by: number): boolean {
  const lease = run.lease(run.rules.ownersLease ? pending.owner : by);
  if (run.now - pending.sign <= lease && run.rules.leaseRunsOut) return false;
  return !(run.rules.hold && isHeld(run, lease, run.redis.beats[pending.owner % 10] ?? run.now));
}

/** Takes over one delivery and opens it. Null: there is nothing to run. */
export function recover(run: Run, taken: { pending: Pending; by: number; lostMax: number }): Held | null {
  const { redis, rules } = run;
  const { pending, by, lostMax } = taken;
  const { no, count } = pending;
  if (redis.paused || !isOverLease(run, pending, by)) return null;
  excuse(run, pending);
  const entry = redis.stream.find((one) => one.no === no);
  const isGood = entry !== undefined && redis.live[entry.id] === no;
  const record = entry && (isGood || !rules.openChecksLive) ? redis.tasks[entry.id] : null;
  const expires = entry && redis.expiry[entry.id];
  const hasStarted = entry && (run.lifeOf(entry.id)?.starts ?? 0) > 0;
  const hasExpired = typeof expires === 'number' && expires <= run.now && !hasStarted && rules.recoverLooksAtExpiry;
  if (!entry || !record || count > lostMax || hasExpired) {
    if (entry && record && hasExpired) run.endRecord(entry.id, 'expired');
    else if (entry && record) {
      run.addLetter(entry.id, record);
      run.endRecord(entry.id, 'dead');
    }
    if (entry && isGood) run.setLive(entry.id, null);
    run.xack(no);
    run.xdel(no);
    return null;
  }
  run.state.deliveries += 1;
  const ghostDelivery = run.state.deliveries;
  run.claim(pending, { owner: by, count: count + 1, ghostDelivery });
  const { id, due } = entry;
  return started(run, { no, owner: by, count: count + 1, id, due, phase: 'run', ghostDelivery, ghostLife: 0 });
}

/** Whose lease is over may run once more: it was silent for that long while Redis was there to hear it. */
function excuse(run: Run, { no, owner, ghostSilent }: Pending): void {
  const life = run.lifeOf(run.redis.live.indexOf(no));
  if (life && ghostSilent >= run.lease(owner)) life.isExcused = true;
}

/** Back to the stream, unstarted: the new entry, live, then the old one ends. */
export function handBack(run: Run, { name, held }: Asks): void {
  const { redis, rules } = run;
  const { no, id, due, count } = held;
  const pending = run.pendingOf(no);
  const isOwn = pending?.owner === name && pending.count === count && redis.live[id] === no;
  if (!isOwn && rules.handBackChecksDelivery) return;
  if (redis.paused) {
    run.zadd(id, due);
    run.setLive(id, null);
  } else run.setLive(id, run.xadd(id, due));
  run.xack(no);
  run.xdel(no);
}
