import { type Case, demand, groups } from './case.js';
import { endStale, handOver } from './judge-consumer.js';
import type { Holder, Life } from './ledger.js';

/** What may be taken over, and when. */
export function judgeRecover(at: Case): void {
  const { ledger, reply, args } = at;
  noteLook(at);
  if (reply.status === 'paused') return demand(ledger.isPaused, 'paused', () => 'the queue is not');
  demand(!ledger.isPaused, 'paused', () => 'recovered in a paused queue');
  if (reply.status === 'no_group') return demand(!ledger.hasGroup, 'no-group', () => 'there is one');
  const gone = [...ledger.foreign].filter(([entry, { consumer }]) => consumer && !at.pendingNow.has(entry));
  endStale(
    at,
    gone.map(([entry]) => entry),
  );
  if (Number(reply['heldUntilMs']) > 0) at.met('recovery on hold');
  for (const one of groups(reply, 'deliveries')) {
    const life = lost(at, one['id'] ?? '');
    const { count, entry } = life.holder as Holder;
    const consumer = args['consumer'] ?? '';
    demand(
      Number(one['count']) === count + 1,
      'counts-deliveries',
      () => `${one['id']}: ${one['count']}, was ${count}`,
    );
    demand(one['entry'] === entry, 'recovers-the-entry', () => `${one['id']}: ${one['entry']}, was ${entry}`);
    life.holder = { consumer, entry, count: count + 1, serial: at.newSerial(), opened: true, idleMs: 0 };
    handOver(at, life, one);
    ledger.count('recovered');
    at.met('recovered');
  }
  for (const { id = '' } of groups(reply, 'buried')) {
    const life = lost(at, id);
    const { count } = life.holder as Holder;
    demand(
      count + (life.lost ?? 0) > Number(args['lostMax']),
      'buries-the-hopeless',
      () => `${id}: ${count} deliveries`,
    );
    ledger.end(life, 'bury');
    at.met('buried for its lost leases');
  }
}

/** The life of a delivery that may be taken over now: its lease ran out, by its owner's measure, and no hold is on it. */
function lost(at: Case, id: string): Life {
  const { ledger, args, nowMs } = at;
  const life = ledger.lives.get(id);
  const { holder } = life ?? {};
  demand(life && holder, 'recovers-what-is-held', () => `${id} is ${life?.place}`);
  const owner = ledger.consumers.get(holder.consumer);
  const leaseMs = owner?.leaseMs ?? Number(args['leaseMs']);
  demand(holder.idleMs > leaseMs, 'owners-lease', () => `${id} was idle ${holder.idleMs}, its lease is ${leaseMs}`);
  const beatMs = owner?.beatMs ?? nowMs;
  const outage = ledger.outage ?? { fromMs: 0, toMs: 0 };
  const { fromMs, toMs } = outage;
  const isHeld = nowMs >= toMs && 3 * (toMs - fromMs) > leaseMs && beatMs >= fromMs - leaseMs && nowMs < toMs + leaseMs;
  demand(!isHeld, 'hold', () => `${id} at ${nowMs}, beat ${beatMs}, lease ${leaseMs}, ${JSON.stringify(outage)}`);
  return life;
}

/** Nobody looked for more than 2 s: that was an outage, unless it is short and within the hold of another. */
function noteLook({ ledger, args, nowMs }: Case): void {
  if (ledger.outage && ledger.outage.toMs > nowMs) {
    const { fromMs, toMs, lastMs } = ledger.outage;
    ledger.outage = { fromMs: nowMs - (toMs - fromMs), toMs: nowMs, lastMs }; // the clock went back: its hold goes on from here
  }
  if (ledger.outage && nowMs > ledger.outage.toMs + 3 * (ledger.outage.toMs - ledger.outage.fromMs)) {
    ledger.outage = { ...ledger.outage, fromMs: ledger.outage.toMs }; // it holds nobody any more, also not when the clock goes back
  }
  const { lookedAtMs = nowMs, outage = { fromMs: 0, toMs: 0, lastMs: 0 } } = ledger;
  const leaseMs = Number(args['leaseMs']);
  const silentMs = nowMs - lookedAtMs;
  const isOnHold = 3 * (outage.toMs - outage.fromMs) > leaseMs && nowMs < outage.toMs + leaseMs;
  if (silentMs > 2_000 && (3 * silentMs > leaseMs || !isOnHold)) {
    // One right after another goes on from there: nobody may have had the time to beat in between.
    const isOneMore = 3 * outage.lastMs > leaseMs && lookedAtMs < outage.toMs + leaseMs;
    const fromMs = Math.min(lookedAtMs, isOneMore ? outage.toMs - outage.lastMs : lookedAtMs);
    ledger.outage = { fromMs, toMs: nowMs, lastMs: silentMs };
  }
  ledger.lookedAtMs = nowMs;
}
