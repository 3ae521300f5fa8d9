/** add, cancel, reschedule, run-now, replay, pause: each as its file in lua/ does it, write by write. */
import type { Run } from './redis.js';
import type { Call } from './state.js';

/** The same call again gets its first answer, a lower one is refused. */
export function onLane(run: Run, call: Call, body: () => string): string {
  const { redis, rules } = run;
  const kept = redis.lanes[call.lane];
  if (kept?.number === call.number && rules.firstAnswerKept) return kept.reply;
  if (kept && kept.number > call.number && rules.lowerNumberRefused) return 'late call';
  const reply = body();
  run.write();
  redis.lanes[call.lane] = { number: call.number, reply };
  return reply;
}

const nameOf = ({ lane, number }: Call): string => `${lane}#${number}`;

export function add(run: Run, call: Call): string {
  const { redis, rules, now } = run;
  const { id, at, expires } = call;
  if (redis.tasks[id] && rules.addChecksRecord) {
    const isOwn = run.lifeOf(id)?.by === nameOf(call);
    if (isOwn && !run.state.isBent) run.breaks('FALSE_DUPLICATE');
    return 'duplicate';
  }
  const due = Math.max(at, 0);
  const record = run.newLife(id, { due, expires, by: nameOf(call) });
  if (!rules.recordLast) run.setRecord(id, record);
  const isLater = due > now || redis.paused;
  if (isLater) {
    run.zadd(id, due);
    if (rules.addClearsLive) run.setLive(id, null);
  } else run.setLive(id, run.xadd(id, due));
  if (expires !== null) redis.expiry[id] = expires;
  if (rules.recordLast) run.setRecord(id, record);
  return isLater ? 'scheduled' : 'ready';
}

export function cancel(run: Run, call: Call): string {
  const { redis, rules } = run;
  const { id } = call;
  if (!redis.tasks[id]) return 'not found';
  aimedAt(run, call);
  const entry = redis.live[id];
  run.endRecord(id, 'cancelled');
  run.zrem(id);
  run.setLive(id, null);
  if (entry && rules.cancelEndsEntry) {
    run.xack(entry);
    run.xdel(entry);
  }
  return 'ok';
}

export function reschedule(run: Run, call: Call): string {
  const { redis, rules } = run;
  const { id, at } = call;
  const entry = redis.live[id];
  if (!redis.tasks[id]) return 'not found';
  if (run.pendingOf(entry) && rules.rescheduleRefusesActive) return 'active';
  aimedAt(run, call);
  run.zadd(id, at);
  if (entry && rules.rescheduleEndsEntry) {
    run.setLive(id, null);
    run.xdel(entry);
  }
  const life = run.lifeOf(id);
  if (life) life.due = at;
  return 'ok';
}

export function runNow(run: Run, call: Call): string {
  const { redis, now } = run;
  const { id } = call;
  if (!redis.tasks[id]) return 'not found';
  if (redis.live[id]) return 'nothing to do';
  if (redis.paused) return 'paused';
  aimedAt(run, call);
  const life = run.lifeOf(id);
  if (life) life.due = Math.min(life.due, now);
  run.setLive(id, run.xadd(id, now));
  run.zrem(id);
  return 'ok';
}

/** Of the oldest letter. */
export function replay(run: Run, call: Call): string {
  const { redis, rules, now } = run;
  const letter = redis.dead[0];
  if (!letter) return 'not found';
  const { id, no } = letter;
  if (!rules.replayInOneScript) run.removeLetter(no);
  if (redis.tasks[id]) return 'conflict';
  const { isWhole } = letter.record;
  const record = run.newLife(id, { due: now, by: nameOf(call), isWhole });
  if (redis.paused) run.zadd(id, now);
  else run.setLive(id, run.xadd(id, now));
  run.setRecord(id, record);
  const died = run.life(letter.record.ghostLife);
  if (died) died.end = 'replayed';
  if (rules.replayInOneScript) run.removeLetter(no);
  return 'ok';
}

export function pause(run: Run, paused: boolean): void {
  run.redis.paused = paused;
}

function aimedAt(run: Run, { id, ghostLife }: Call): void {
  if (ghostLife !== 'any' && ghostLife !== run.lifeOf(id)?.no) run.breaks('WRONG_LIFE');
}
