/** lead, resign, promote, expire, sweep, age: the leader's, behind the fence. */
import type { Run } from './redis.js';
import type { Epoch } from './state.js';

/** Whether the epoch accepts this seat. What is let through must be the one that took the term last. */
function isAccepted(run: Run, seat: Epoch): boolean {
  const { epoch } = run.redis;
  const termFits = run.rules.fenceEqual ? seat.term === epoch.term : seat.term >= epoch.term;
  const isLet = termFits && (seat.token === epoch.token || !run.rules.fenceToken);
  if (isLet && seat.token !== epoch.token) run.breaks('STALE_WRITE');
  return isLet;
}

/** The seat, or null when another was faster. */
export function lead(run: Run, read: Epoch): Epoch | null {
  const { epoch } = run.redis;
  if (run.rules.leadCompares && (epoch.term !== read.term || epoch.token !== read.token)) return null;
  run.state.tokens += 1;
  const seat = { term: epoch.term + 1, token: run.state.tokens };
  run.redis.epoch = seat;
  return seat;
}

export function resign(run: Run, seat: Epoch): boolean {
  if (!isAccepted(run, seat)) return false;
  run.redis.epoch = { term: run.redis.epoch.term, token: 0 };
  return true;
}

/** The head of the schedule. False: the seat is not accepted. Null: without a term, when it is overdue. */
export function promote(run: Run, seat: Epoch | null, overdueBy = 0): boolean {
  const { redis, rules, now } = run;
  if (seat && !isAccepted(run, seat)) return false;
  if (redis.paused) return true;
  const id = headOf(redis.due);
  const due = redis.due[id];
  if (due === null || due === undefined || due > now - overdueBy) return true;
  const isBare = !redis.tasks[id];
  if (isBare && !rules.promoteDropsBare) return true; // stuck at it
  const expires = redis.expiry[id];
  if (isBare || (redis.live[id] && rules.promoteDropsLive)) {
    run.zrem(id);
  } else if (typeof expires === 'number' && expires <= now) {
    run.endRecord(id, 'expired');
    run.zrem(id);
  } else if (rules.xaddFirst) {
    run.setLive(id, run.xadd(id, due));
    run.zrem(id);
  } else {
    run.zrem(id);
    run.setLive(id, run.xadd(id, due));
  }
  return true;
}

function headOf(due: readonly (number | null)[]): number {
  let head = 0;
  due.forEach((at, id) => {
    if (at !== null && at < (due[head] ?? Number.POSITIVE_INFINITY)) head = id;
  });
  return head;
}

export function expire(run: Run, { seat, id }: { seat: Epoch; id: number }): boolean {
  const { redis, rules, now } = run;
  const expires = redis.expiry[id];
  if (!isAccepted(run, seat)) return false;
  if (typeof expires !== 'number' || expires > now) return true;
  const entry = redis.live[id];
  const isPending = run.pendingOf(entry) !== undefined;
  if (isPending && rules.noExpiryAtWork) return true;
  if (isPending && (run.lifeOf(id)?.starts ?? 0) > 0) run.breaks('ENDED_AT_WORK');
  run.endRecord(id, 'expired');
  run.zrem(id);
  run.setLive(id, null);
  if (entry) run.xdel(entry);
  return true;
}

/** One record: placed nowhere, it is put back. An entry that the group has passed and nobody holds is out of reach. */
export function sweep(run: Run, { seat, id }: { seat: Epoch; id: number }): boolean {
  const { redis, rules, now } = run;
  if (!isAccepted(run, seat)) return false;
  if (!redis.tasks[id] || redis.due[id] !== null || !rules.sweep) return true;
  const entry = redis.live[id];
  const isUnread = redis.stream.some(({ no }) => no === entry) && (entry ?? 0) > (redis.delivered ?? 0);
  if (isUnread || (run.pendingOf(entry) && rules.sweepLeavesPending)) return true;
  run.zadd(id, now);
  run.setLive(id, null);
  if (entry) run.xdel(entry);
  return true;
}

/** Forgets a lane. By its rule only one whose calls are over; by the clock, in the world. */
export function age(run: Run, lane: number): void {
  run.redis.lanes[lane] = null;
}
