import { type Case, demand, groups } from './case.js';
import type { Life } from './ledger.js';

export function judgeLead(at: Case): void {
  const { ledger, reply, args } = at;
  const isAsRead = args['term'] === ledger.term && args['token'] === ledger.token;
  if (reply.status === 'lost') return demand(!isAsRead, 'claim-lost', () => `the epoch is as read: ${ledger.term}`);
  const term = Number(reply['term']);
  demand(isAsRead, 'claim-compares', () => `read ${args['term']}:${args['token']}, it is ${ledger.term}`);
  demand(term > Number(ledger.term), 'terms-grow', () => `${ledger.term}, then ${term}`);
  ledger.term = String(term);
  ledger.token = args['newToken'] ?? '';
  at.met('elected');
}

export function judgeResign(at: Case): void {
  if (isFenced(at)) at.ledger.token = '';
}

/** False when the call was refused, as it must be exactly when term and token are not the accepted ones. */
export function isFenced({ ledger, reply, args, met, definition }: Case): boolean {
  const isAccepted = args['term'] === ledger.term && args['token'] === ledger.token && ledger.term !== '';
  const wasRefused = reply.status === 'stale_term';
  const of = `${definition.name} under ${args['term']}:${args['token']}, accepted is ${ledger.term}:${ledger.token}`;
  demand(wasRefused !== isAccepted, 'fence', () => `${of}: ${reply.status}`);
  if (wasRefused) met('stale term refused');
  return !wasRefused;
}

export function judgePromote(at: Case): void {
  const { ledger, reply, args, nowMs } = at;
  const isLeader = args['term'] !== '';
  if (isLeader && !isFenced(at)) return;
  if (reply.status === 'paused') return demand(ledger.isPaused, 'paused', () => 'the queue is not');
  demand(!ledger.isPaused, 'paused', () => 'promoted in a paused queue');
  const beforeMs = isLeader ? nowMs : nowMs - Number(args['overdueMs']);
  const due = [...ledger.lives.values()].filter(({ place, dueMs }) => place === 'scheduled' && dueMs <= beforeMs);
  const expired = due.filter((life) => isExpired(life, nowMs));
  const dropped = [...ledger.strays].filter(([, score]) => score <= beforeMs).map(([id]) => id);
  const got = { promoted: reply['promoted'], dropped: reply['dropped'], expired: idsOf(groups(reply, 'expired')) };
  const expected = { promoted: due.length - expired.length, dropped: dropped.length, expired: idsOf(expired) };
  demand(same(got, expected), 'promotes-what-is-due', () => `expected ${shown(expected)}, got ${shown(got)}`);
  for (const life of due) {
    if (isExpired(life, nowMs)) ledger.end(life, 'expired');
    else ledger.makeReady(life);
  }
  for (const id of dropped) ledger.strays.delete(id);
  ledger.count('dropped', dropped.length);
  if (dropped.length > 0) at.met('stray due member dropped');
  if (expired.length > 0) at.met('expired when promoted');
  if (due.length > 0) at.met(isLeader ? 'promoted' : 'promoted without a leader');
}

export function judgeExpire(at: Case): void {
  const { ledger, reply, nowMs } = at;
  if (!isFenced(at)) return;
  const over = [...ledger.lives.values()].filter((life) => isExpired(life, nowMs) && life.place !== 'active');
  const got = idsOf(groups(reply, 'expired'));
  demand(same(got, idsOf(over)), 'expires-what-waits', () => `expected ${idsOf(over)}, got ${got}`);
  for (const life of over) {
    ledger.end(life, 'expired');
    ledger.strays.delete(life.id);
  }
  if (over.length > 0) at.met('expired while waiting');
}

export function judgeSweep(at: Case): void {
  const { ledger, reply, args, nowMs } = at;
  if (!isFenced(at)) return;
  const adrift = [...ledger.lives.values()].filter(({ place }) => place === 'adrift');
  const mayMend = args['cursor'] === '0';
  const expected = mayMend ? adrift.length : 0;
  if (!mayMend && adrift.length > 0) {
    // A pass over live fields puts back only those it meets there: all of them, in a queue as small as ours.
    demand(reply['swept'] === adrift.length, 'sweeps', () => `${adrift.length} adrift, got ${shown(reply)}`);
  } else demand(reply['swept'] === expected, 'sweeps', () => `${expected} adrift, got ${shown(reply)}`);
  for (const life of adrift) ledger.schedule(life, nowMs);
  ledger.count('swept', adrift.length);
  if (adrift.length > 0) at.met('swept');
}

export function judgeReap(at: Case): void {
  const { ledger, reply, nowMs } = at;
  if (!isFenced(at)) return;
  for (const [name, { leaseMs, beatMs }] of ledger.consumers) {
    if (nowMs - beatMs > 10 * leaseMs && ledger.holdsNothing(name)) ledger.consumers.delete(name);
  }
  if (Number(reply['reaped']) > 0) at.met('reaped');
}

export function judgeAge(at: Case): void {
  if (isFenced(at)) demand(at.reply['aged'] === 0, 'ages', () => `nothing is old, got ${shown(at.reply)}`);
}

export function isExpired({ expiresMs }: Life, nowMs: number): boolean {
  return expiresMs !== undefined && expiresMs <= nowMs;
}

function idsOf(some: readonly { readonly id?: string }[]): string {
  return some
    .map(({ id = '' }) => id)
    .sort(byName)
    .join();
}

function same(one: unknown, other: unknown): boolean {
  return shown(one) === shown(other);
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}

function byName(one: string, other: string): number {
  return one < other ? -1 : 1;
}
