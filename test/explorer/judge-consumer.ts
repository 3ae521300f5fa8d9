import { type Case, demand, groups, lifeOf } from './case.js';
import { isExpired } from './judge-leader.js';
import type { Holder, Life } from './ledger.js';

export type Named = Readonly<Record<string, string>>;

export function judgeJoin({ ledger, args, nowMs }: Case): void {
  if (!ledger.hasGroup) ledger.group += 1;
  ledger.hasGroup = true;
  ledger.consumers.set(args['consumer'] ?? '', { leaseMs: Number(args['leaseMs']), beatMs: nowMs });
}

export function judgeLeave({ ledger, args, reply }: Case): void {
  const consumer = args['consumer'] ?? '';
  const holds = !ledger.holdsNothing(consumer);
  demand(reply.status === (holds ? 'busy' : 'ok'), 'leaves-nothing', () => `${consumer} holds something: ${holds}`);
  if (!holds) ledger.consumers.delete(consumer);
}

/** Entries that a blocking read has brought: theirs, and not opened yet. */
export function judgeRead(
  at: Case,
  consumer: string,
  entries: readonly (readonly [entry: string, id: string])[],
): void {
  demand(entries.length === 0 || at.ledger.hasGroup, 'read-without-group', () => consumer);
  for (const [entry, id] of entries) {
    const foreign = at.ledger.foreign.get(entry);
    if (foreign) Object.assign(foreign, { consumer, count: 1, idleMs: 0 });
    else take(at, { consumer, entry, id });
  }
}

function take(at: Case, { consumer, entry, id }: { consumer: string; entry: string; id: string }): Life {
  const life = at.ledger.lives.get(id);
  demand(life?.place === 'ready', 'reads-what-is-ready', () => `${id} ${entry} is ${life?.place ?? 'nothing'}`);
  at.seenEntry(entry, life.n);
  life.place = 'active';
  // Read once more under the same name, from a new group: the end of the first run is taken for that of this delivery.
  const { former } = life;
  const serial = former?.consumer === consumer && former.entry === entry ? former.serial : at.newSerial();
  life.holder = { consumer, entry, count: 1, serial, opened: false, idleMs: 0 };
  return life;
}

/** A delivery becomes startable: never early, never of another life, never twice. */
export function handOver(at: Case, life: Life, delivery: Named): void {
  const { nowMs } = at;
  const holder = life.holder as Holder;
  const n = lifeOf(delivery['record'] ?? '');
  const of = `${life.id} #${n} by ${holder.entry}, delivery ${holder.count}`;
  demand(n === life.n, 'own-life', () => `${of} was handed over, #${life.n} lives`);
  demand(nowMs >= life.dueMs || life.isEarly, 'never-early', () => `${of} at ${nowMs}, due ${life.dueMs}`);
  demand(!isExpired(life, nowMs) || holder.count > 1, 'expired-not-started', () => of);
  const attempt = Number(/"a":(\d+)/.exec(delivery['run'] ?? '')?.[1] ?? 1);
  demand(attempt === life.attempt, 'attempt', () => `${of}: attempt ${attempt}, it is the ${life.attempt}.`);
  const lost = Number(/"d":(\d+)/.exec(delivery['run'] ?? '')?.[1] ?? 0);
  demand(lost === (life.lost ?? 0), 'lost-deliveries', () => `${of}: ${lost} were lost before, not ${life.lost}`);
  holder.opened = true;
  at.handed.push({ serial: holder.serial, n, attempt, count: holder.count + lost });
}

function expireAll(at: Case, expired: readonly Named[], isHeld: (life: Life) => boolean): void {
  for (const { id = '' } of expired) {
    const life = at.ledger.lives.get(id);
    demand(life && isHeld(life) && isExpired(life, at.nowMs), 'expires-what-is-over', () => `${id} ${life?.place}`);
    at.ledger.end(life, 'expired');
    at.met('expired when opened');
  }
}

/** The ends it takes along, and what it reads then. */
export function judgeNext(at: Case): void {
  const { ledger, reply, args } = at;
  const consumer = args['consumer'] ?? '';
  judgeSettle(at);
  if (args['free'] === '0') return demand(reply.status === 'ok', 'only-ends', () => reply.status);
  if (reply.status === 'paused') return demand(ledger.isPaused, 'paused', () => 'the queue is not');
  demand(!ledger.isPaused, 'paused', () => 'fetched from a paused queue');
  const isIn = ledger.hasGroup && args['group'] === String(ledger.group);
  if (reply.status === 'no_group') return demand(!isIn, 'no-group', () => 'there is one');
  demand(isIn, 'reads-in-its-group', () => `${consumer} joined ${args['group']}, it is ${ledger.group}`);
  const unread = [...ledger.foreign].filter((one) => one[1].consumer === undefined).map(([entry]) => entry);
  endStale(at, unread.slice(0, Number(reply['stale'])));
  for (const one of groups(reply, 'deliveries')) {
    const { id = '', entry = '' } = one;
    handOver(at, take(at, { consumer, entry, id }), one);
  }
  for (const { id = '', entry = '' } of groups(reply, 'unopened')) take(at, { consumer, entry, id });
  expireAll(at, groups(reply, 'expired'), ({ place }) => place === 'ready');
}

/** Entries that count for nothing are ended by whoever meets them, and counted. */
export function endStale({ ledger, reply, met }: Case, entries: readonly string[]): void {
  const got = Number(reply['stale']);
  demand(got === entries.length, 'ends-what-is-stale', () => `expected ${entries.join()}, got ${got}`);
  for (const entry of entries) ledger.foreign.delete(entry);
  ledger.count('stale', got);
  if (got > 0) met('a stale entry was met');
}

/** What its consumer has read beyond an entry, as if it had been given. */
function readBeyond({ ledger }: Case, consumer: string, after: string): Named[] {
  const isRead = (entry: string, holder: { consumer?: string | undefined; count?: number } | undefined): boolean =>
    holder?.consumer === consumer && (holder.count ?? 1) === 1 && orderOf(entry) > orderOf(after);
  const lives = ledger.active.filter(({ holder }) => isRead(holder?.entry ?? '', holder));
  for (const { id, holder } of lives) demand(holder?.opened === false, 'opens-once', () => `${id} ${holder?.entry}`);
  const foreign = [...ledger.foreign].filter(([entry, held]) => isRead(entry, held)).map(([entry]) => ({ entry }));
  return [
    ...lives.map(({ id, holder, dueMs }) => ({ id, entry: holder?.entry ?? '', dueMs: String(dueMs) })),
    ...foreign,
  ];
}

function orderOf(entry: string): bigint {
  const [ms = 0n, nth = 0n] = entry.split('-').map(BigInt);
  return (ms << 64n) + nth;
}

export function judgeOpen(at: Case): void {
  const { ledger, reply, args } = at;
  const { consumer = '', after = '' } = args;
  const items = after === '' ? at.items : readBeyond(at, consumer, after);
  const mine = ({ id = '', entry = '' }: Named): Life | undefined => ledger.heldAs(id, { consumer, entry, count: 1 });
  const isIn = args['group'] === String(ledger.group);
  const isStale = (entry: string): boolean => ledger.foreign.get(entry)?.consumer === consumer;
  endStale(
    at,
    items.map(({ entry = '' }) => entry).filter((entry) => isStale(entry)),
  );
  const told = new Set<string>();
  for (const one of groups(reply, 'deliveries')) {
    told.add(one['id'] ?? '');
    const life = mine(one);
    demand(life, 'opens-its-own', () => `${one['id']} ${one['entry']} is not held by ${consumer} as delivery 1`);
    demand(!ledger.isPaused, 'paused', () => `${life.id} was opened in a paused queue`);
    demand(isIn, 'opens-in-its-group', () => `${consumer} joined ${args['group']}, it is ${ledger.group}`);
    handOver(at, life, one);
    if (after === '' && life.holder) life.holder.idleMs = 0;
  }
  if (after !== '' && items.length > 0) at.met('opened right behind the read');
  for (const { id = '' } of [...groups(reply, 'unopened'), ...groups(reply, 'expired')]) told.add(id);
  expireAll(at, groups(reply, 'expired'), ({ holder }) => holder?.consumer === consumer);
  for (const item of items) {
    const life = told.has(item['id'] ?? '') ? undefined : mine(item);
    if (life === undefined) continue;
    demand(ledger.isPaused || !isIn, 'opens-all', () => `${life.id} was left out`);
    ledger.schedule(life, Number(item['dueMs']));
    at.met(ledger.isPaused ? 'put back in a paused queue' : 'put back by a name of a former group');
  }
}

export function judgeBeat(at: Case): void {
  const { ledger, reply, args, items, nowMs } = at;
  const consumer = args['consumer'] ?? '';
  ledger.consumers.set(consumer, { leaseMs: Number(args['leaseMs']), beatMs: nowMs });
  const marks = String(reply['marks']);
  items.forEach((item, index) => {
    const life = holding(at, consumer, item);
    const got = marks[index];
    const expected = life ? 'o' : refusedMark(at, item, got);
    demand(got === expected, 'beats-for-its-own', () => `${item['id']} ${item['entry']}: ${got}, not ${expected}`);
    if (life?.holder) life.holder.idleMs = 0;
    else at.met(expected === 'c' ? 'a beat told of the cancel' : 'a beat was refused');
  });
}

function holding({ ledger }: Case, consumer: string, { id = '', entry = '', count }: Named): Life | undefined {
  return ledger.heldAs(id, { consumer, entry, count: Number(count) });
}

/** c only when that very entry was cancelled; the ledger knows no entry of what was cancelled unread. */
function refusedMark({ ledger }: Case, { id = '', entry }: Named, got = ''): string {
  const last = ledger.past.get(id);
  if (last?.state !== 'cancelled') return 'l';
  if (last.entry === undefined) return got === 'c' ? 'c' : 'l';
  return last.entry === entry ? 'c' : 'l';
}

export function judgeHandBack(at: Case): void {
  const { ledger, reply, args, items, nowMs } = at;
  const consumer = args['consumer'] ?? '';
  const marks = String(reply['marks']);
  const delayMs = Number(args['delayMs']);
  items.forEach((item, index) => {
    const life = holding(at, consumer, item);
    demand(marks[index] === (life ? 'o' : 'l'), 'hands-back-its-own', () => `${item['id']}: ${marks[index]}`);
    if (!life?.holder) return;
    life.lost = (life.lost ?? 0) + life.holder.count - 1;
    at.returned(life.holder.serial);
    if (life.holder.opened && delayMs === 0)
      at.met(`handed back, opened: ${life.holder.count > 1 ? 'recovered' : 'read'}`);
    if (delayMs > 0) ledger.schedule(life, nowMs + delayMs);
    else if (ledger.isPaused) ledger.schedule(life, Number(item['dueMs']));
    else ledger.makeReady(life);
    ledger.count('handed_back');
    at.met('handed back');
  });
}

export function judgeSettle(at: Case): void {
  const { args, items, reply, definition } = at;
  const consumer = args['consumer'] ?? '';
  const marks = String(reply['marks']);
  items.forEach((item, index) => {
    const life = holding(at, consumer, item);
    const got = marks[index];
    const expected = life ? 'o' : refusedMark(at, item, got);
    demand(
      got === expected,
      'one-outcome',
      () => `${definition.name} of ${item['id']} ${item['entry']}: ${got}, not ${expected}`,
    );
    if (life) settleOne(at, life, item);
    else if (isStaleDelivery(at, consumer, item)) endStaleDelivery(at, item);
    else at.met(expected === 'c' ? 'a settle told of the cancel' : 'a settle was refused');
  });
}

/** A delivery that is its consumer's, of a task that is not there any more: whoever settles it ends it. */
function isStaleDelivery({ ledger }: Case, consumer: string, { entry = '', count }: Named): boolean {
  const foreign = ledger.foreign.get(entry);
  return foreign?.consumer === consumer && foreign.count === Number(count);
}

function endStaleDelivery({ ledger, met }: Case, { entry = '' }: Named): void {
  ledger.foreign.delete(entry);
  ledger.count('stale');
  met('a settle ended what was forgotten');
}

function settleOne(at: Case, life: Life, item: Named): void {
  const { ledger, nowMs, definition } = at;
  const verb = definition.name === 'next' ? 'complete' : (definition.name as 'retry' | 'bury');
  const ended = at.finished(life.holder?.serial ?? 0);
  const isRight = ended === (verb === 'complete' ? 'returned' : 'failed');
  demand(
    isRight,
    'settled-by-its-own-run',
    () => `${verb} of ${life.id} #${life.n}: its handler ${ended ?? 'is at work'}`,
  );
  at.met(verb);
  if (verb !== 'retry') return ledger.end(life, verb);
  life.attempt += 1;
  life.lost = 0;
  ledger.schedule(life, nowMs + Number(item['delayMs']));
  ledger.count('retry');
}
