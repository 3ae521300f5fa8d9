import { type Case, demand, lifeOf } from './case.js';
import type { Life } from './ledger.js';

/** What add, cancel and the other calls of producers may do, and say of it. */
export function judgeAdd(at: Case): void {
  const { ledger, nowMs, items, reply } = at;
  const marks = String(reply['marks']);
  items.forEach((item, index) => {
    const { id = '', when = '', expires = '', record = '' } = item;
    const n = lifeOf(record);
    const mark = marks[index];
    const lives = ledger.lives.get(id);
    if (mark === 'd') {
      demand(lives, 'duplicate-of-nothing', () => `${id} was called a duplicate, and no ${id} lives`);
      return;
    }
    demand(!lives, 'id-unique', () => `${id} #${n} was added while #${lives?.n} lives`);
    demand(!ledger.accepted.has(n), 'added-twice', () => `${id} #${n}`);
    const dueMs = when.startsWith('+') ? nowMs + Number(when) : Number(when);
    const isReady = dueMs <= nowMs && !ledger.isPaused;
    demand(mark === (isReady ? 'r' : 's'), 'add-mark', () => `${id} #${n} due ${dueMs} at ${nowMs} got ${mark}`);
    const name = /"(\w+)"/.exec(record)?.[1] ?? '';
    const life: Life = { n, id, name, dueMs, expiresMs: undefined, attempt: 1, place: 'ready', holder: undefined };
    const expiresMs = expires.startsWith('+') ? dueMs + Number(expires) : Number(expires);
    ledger.lives.set(id, expires === '' ? life : { ...life, expiresMs });
    if (!isReady) ledger.schedule(ledger.lives.get(id) as Life, dueMs);
    ledger.count('added');
    if (ledger.past.has(id)) at.met('an ended id was added again');
    ledger.accepted.add(n);
    at.everAccepted.add(n);
  });
}

/** The end of this id that is still known: what a refusal tells. */
function demandRefusal({ ledger, reply }: Case, id: string): void {
  const last = ledger.past.get(id);
  demand(!ledger.lives.has(id), 'refused-though-alive', () => `${id}: ${JSON.stringify(reply)}`);
  const expected = last ? `settled ${last.state}` : 'not_found';
  const got = reply.status === 'settled' ? `settled ${String(reply['state'])}` : reply.status;
  demand(got === expected, 'told-its-end', () => `${id}: expected ${expected}, got ${got}`);
}

export function judgeCancel(at: Case): void {
  const { ledger, reply, args } = at;
  const id = args['id'] ?? '';
  if (reply.status !== 'ok') return demandRefusal(at, id);
  const life = ledger.lives.get(id);
  demand(life, 'cancelled-nothing', () => id);
  const was = String(reply['was']);
  demand(life.place === 'adrift' || was === life.place, 'cancel-was', () => `${id} is ${life.place}, got ${was}`);
  at.met(`cancelled while ${life.place}`);
  ledger.end(life, 'cancelled');
  ledger.strays.delete(id);
}

export function judgeReschedule(at: Case): void {
  const { ledger, reply, args, nowMs } = at;
  const { id = '', when = '' } = args;
  const life = ledger.lives.get(id);
  if (reply.status === 'active') {
    demand(life?.place === 'active', 'active', () => `${id} is ${life?.place}`);
  } else if (reply.status === 'ok') {
    demand(life && life.place !== 'active', 'rescheduled-active', () => `${id} is ${life?.place}`);
    const dueMs = when.startsWith('+') ? nowMs + Number(when) : Number(when);
    demand(reply['dueMs'] === dueMs, 'due', () => `${id}: expected ${dueMs}, got ${String(reply['dueMs'])}`);
    at.met(`rescheduled while ${life.place}`);
    ledger.schedule(life, dueMs);
  } else demandRefusal(at, id);
}

export function judgeRunNow(at: Case): void {
  const { ledger, reply, args, nowMs } = at;
  const id = args['id'] ?? '';
  const life = ledger.lives.get(id);
  if (reply.status === 'paused') {
    demand(ledger.isPaused && life?.place === 'scheduled', 'paused', () => `${id} is ${life?.place}`);
  } else if (reply.status === 'ok') {
    const was = String(reply['was']);
    demand(life, 'ran-nothing', () => id);
    demand(life.place === 'adrift' || was === life.place, 'run-now-was', () => `${id} is ${life.place}, got ${was}`);
    if (life.place !== 'scheduled') return;
    life.dueMs = nowMs;
    ledger.makeReady(life);
    at.met('run now');
  } else demandRefusal(at, id);
}

export function judgePause({ ledger, args, met }: Case): void {
  ledger.isPaused = args['paused'] === '1';
  if (ledger.isPaused) met('paused');
}

export function judgeReplay(at: Case): void {
  const { ledger, reply, nowMs, letter } = at;
  const id = String(reply['id']);
  if (reply.status === 'not_found') return demand(letter === '', 'letter-not-found', () => letter);
  if (reply.status === 'conflict') return demand(ledger.lives.has(id), 'conflict', () => `no ${id} lives`);
  const n = lifeOf(letter);
  demand(!ledger.lives.has(id), 'id-unique', () => `${id} #${n} was replayed while another lives`);
  demand(ledger.letters.delete(n), 'letter-replayed-twice', () => `${id} #${n}`);
  const name = /"(\w+)"/.exec(letter)?.[1] ?? '';
  const life: Life = { n, id, name, dueMs: nowMs, expiresMs: undefined, attempt: 1, place: 'ready', holder: undefined };
  ledger.lives.set(id, life);
  if (ledger.isPaused) ledger.schedule(life, nowMs);
  if (ledger.past.get(id)?.state === 'dead' && ledger.past.get(id)?.n === n) ledger.past.delete(id);
  ledger.count('replayed');
  at.met('replayed');
}
