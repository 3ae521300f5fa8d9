import { check, type Verdict } from '../../src/cli/verify/checker/check.js';
import { inOrder } from '../../src/cli/verify/history/read.js';
import type { Cost, Fact, HistoryRecord, RecordOf, Stamp } from '../../src/cli/verify/history/records.js';

type AuditFact = Extract<Fact, { what: 'audit' }>;
type Distributed<A> = A extends AuditFact ? Omit<A, 'what' | 'redisMs' | 'entry'> : never;
/** Whom a fault hits, and what that may cost. */
interface On {
  readonly target?: string;
  readonly costs?: readonly Cost[];
  readonly partitions?: readonly number[];
}
type End = Extract<AuditFact, { op: 'end' }>;

/** Redis' clock is ahead of the campaign's by this. */
export const aheadMs = 1_000_000;
export const leaseMs = 1_000;
export const lockTtlMs = 500;

/**
 * Writes the history of a campaign of 60 s, sound by itself: a leader, two workers, a clock read every 100 ms. A test
 * adds what it is about, at ms since the begin; the balance at the end is reckoned from that.
 */
export class CampaignHistory {
  readonly #records: HistoryRecord[] = [];
  readonly #audit: HistoryRecord[] = [];
  readonly #endMs = 60_000;
  #faults = 0;
  #hasHandlers = true;

  constructor(form: 'quick' | 'long' = 'quick') {
    this.note(0, 'nemesis', { what: 'plan', seed: 1, seconds: 40, leaseMs, lockTtlMs, ownRedis: true, form });
    for (const name of ['producer-1.1', 'leader-1.1', 'leader-2.1', 'worker-1.1', 'worker-2.1'] as const) {
      const role = name.replace(/-.*/, '') as 'producer' | 'leader' | 'worker';
      this.note(1, 'nemesis', { what: 'process', name, phase: 'started' });
      this.note(2, name, { what: 'ready', role, pid: 1, ...(role === 'worker' && { concurrency: 2, leaseMs }) });
    }
    this.note(10, 'nemesis', { what: 'phase', phase: 'load' });
    this.note(45_000, 'nemesis', { what: 'phase', phase: 'drain' });
    this.note(50_000, 'nemesis', { what: 'phase', phase: 'drained' });
    this.note(55_000, 'nemesis', { what: 'phase', phase: 'stopped' });
  }

  /** Of handlers only what a test is about is told: `broken` leaves RAN out. */
  withoutHandlers(): this {
    this.#hasHandlers = false;
    return this;
  }

  note(at: number, by: string, fact: Fact): this {
    this.#records.push({ at, by, ...fact });
    return this;
  }

  /** Redis notes it at that time; it is read when all is over. */
  audit(at: number, fact: Distributed<AuditFact>, redisMs: number = at + aheadMs): this {
    const entry = `${Math.floor(redisMs)}-${this.#audit.length}`;
    const stamp = { at: this.#endMs, by: 'nemesis', what: 'audit', redisMs: Math.floor(redisMs), entry } as const;
    this.#audit.push({ ...stamp, ...fact });
    return this;
  }

  add(id: string, at: number, when: { dueMs?: number; inMs?: number; key?: string } = {}): this {
    this.note(at, 'producer-1.1', { what: 'add', id, fate: 'work', ...when });
    return this.note(at + 1, 'producer-1.1', { what: 'added', id, status: 'ready' });
  }

  start(id: string, at: number, more: Partial<RecordOf<'start'>> = {}): this {
    const { by = 'worker-1.1', ...rest } = more;
    const fact = { what: 'start', id, attempt: 1, delivery: 1, dueMs: at + aheadMs - 5, sane: true } as const;
    return this.note(at, by, { ...fact, ...rest });
  }

  returned(id: string, at: number, more: Partial<RecordOf<'return'>> = {}): this {
    const { by = 'worker-1.1', ...rest } = more;
    return this.note(at, by, { what: 'return', id, attempt: 1, delivery: 1, how: 'returned', ...rest });
  }

  end(id: string, at: number, more: Partial<End> = {}): this {
    const fact = { op: 'end', id, verb: 'complete', of: `${id}-entry`, count: 1, consumer: 'c1' } as const;
    return this.audit(at, { ...fact, ...more });
  }

  told(id: string, at: number, more: { what?: Told; by?: string; attempt?: number } = {}): this {
    const { what = 'completed', by = 'worker-1.1', attempt = 1 } = more;
    return this.note(at, by, { what, id, attempt });
  }

  /** Returned, written, told: from what a worker has started. */
  finish(id: string, at: number, more: { by?: string; attempt?: number; delivery?: number } = {}): this {
    const { by = 'worker-1.1', attempt = 1, delivery = 1 } = more;
    this.returned(id, at, { by, attempt, delivery });
    return this.end(id, at + 1, { count: delivery }).told(id, at + 3, { by, attempt });
  }

  /** A task's whole life. */
  task(id: string, at: number, by = 'worker-1.1'): this {
    return this.add(id, at)
      .start(id, at + 5, { by })
      .finish(id, at + 10, { by });
  }

  /** One with a time each second, the first at `fromMs` and the last before `toMs`; that it fired them is not told. */
  schedule(schedule: string, fromMs: number, toMs: number, sinceMs: number = toMs): this {
    const [first, next, since] = [fromMs + aheadMs, toMs + aheadMs, sinceMs + aheadMs];
    this.note(fromMs - 500, 'nemesis', { what: 'schedule', schedule, phase: 'created', everyMs: 1_000, fromMs: first });
    return this.note(sinceMs, 'nemesis', { what: 'schedule', schedule, phase: 'ended', nextMs: next, sinceMs: since });
  }

  /** The occurrence of that time, from when it is fired to its end. */
  occurrence(schedule: string, at: number, by = 'worker-1.1'): this {
    const id = occurrenceIdAt(schedule, at);
    return this.audit(at - 100, { op: 'tick', term: 7, ids: [id] })
      .start(id, at + 5, { by, dueMs: at + aheadMs })
      .finish(id, at + 10, { by });
  }

  fault(fault: string, fromMs: number, toMs: number, on: On = {}): this {
    const { target = 'redis', costs = [], partitions } = on;
    const where = partitions && { partitions };
    const fact = { what: 'fault', n: (this.#faults += 1), fault, target, costs, ...where } as const;
    this.note(fromMs, 'nemesis', { ...fact, phase: 'begin' });
    return this.note(toMs, 'nemesis', { ...fact, phase: 'end' });
  }

  /** A term, from the vote to the resignation; it moves one task. */
  reign(term: number, fromMs: number, more: { by?: string; toMs?: number } = {}): this {
    const { by = 'leader-1.1', toMs = fromMs + 1_000 } = more;
    this.audit(fromMs, { op: 'lead', term, leader: by });
    this.note(fromMs + 1, by, { what: 'trust', term, untilMs: fromMs + 400 });
    this.note(fromMs + 1, by, { what: 'seat', event: 'elected', term });
    this.audit(fromMs + 5, { op: 'promote', term, ids: ['x'] });
    this.note(toMs - 100, by, { what: 'trust', term, untilMs: toMs + 300 });
    this.note(toMs, by, { what: 'seat', event: 'resigned', term: 0 });
    return this.audit(toMs + 1, { op: 'resign', term });
  }

  records(without: (record: HistoryRecord) => boolean = () => false): HistoryRecord[] {
    const told = [...this.#records, ...this.#audit];
    const has = (what: HistoryRecord['what']): boolean => told.some((record) => record.what === what);
    const rest = [
      ...(has('clock') ? [] : clockReadings(this.#endMs)),
      ...(has('snapshot') ? [] : [balanceOf(told)]),
      ...(has('left') ? [] : [nothingLeft(50_001), nothingLeft(55_001)]),
    ];
    return inOrder([[...this.#records, ...rest].filter((record) => !without(record)), this.#audit]);
  }

  judge(without?: (record: HistoryRecord) => boolean): Verdict {
    return check(this.records(without));
  }

  /** The names of the checks that did not hold. */
  broken(without?: (record: HistoryRecord) => boolean): string[] {
    return brokenIn(this.judge(without)).filter((name) => this.#hasHandlers || name !== 'RAN');
  }
}

export function occurrenceIdAt(schedule: string, at: number): string {
  return `${schedule}@${new Date(at + aheadMs).toISOString()}`;
}

type Told = RecordOf<'completed' | 'retried' | 'dead' | 'recovered' | 'lease_lost'>['what'];

export function brokenIn({ results }: Verdict): string[] {
  return results.filter(({ held }) => !held).map(({ name }) => name);
}

export function clockReading(at: number, offsetMs: number = aheadMs): HistoryRecord {
  return { at, by: 'nemesis', what: 'clock', lowMs: offsetMs - 0.1, highMs: offsetMs + 0.1 };
}

function clockReadings(endMs: number): HistoryRecord[] {
  return Array.from({ length: endMs / 100 }, (_, at) => clockReading(at * 100));
}

/** One look when all has ended: what has no end is still there. */
function balanceOf(records: readonly HistoryRecord[]): HistoryRecord {
  const added = new Set(records.flatMap((record) => (record.what === 'added' ? [record.id] : [])));
  const verbs = new Map(records.flatMap((record) => (isEnd(record) ? [[record.id, record.verb] as const] : [])));
  const fired = new Set(records.flatMap((record) => (isTick(record) ? record.ids : [])));
  const all = new Set([...added, ...fired, ...verbs.keys()]);
  const counts: Record<string, number> = { added: all.size, ...(fired.size > 0 && { fired: fired.size }) };
  for (const verb of verbs.values()) counts[verb] = (counts[verb] ?? 0) + 1;
  const scheduled = [...all].filter((id) => !verbs.has(id)).length;
  const places = { scheduled, due: 0, ready: 0, active: 0, dead: 0 };
  return { at: 50_000, by: 'nemesis', what: 'snapshot', ...places, counts };
}

function isTick(record: HistoryRecord): record is Stamp & Extract<AuditFact, { op: 'tick' }> {
  return record.what === 'audit' && record.op === 'tick';
}

function isEnd(record: HistoryRecord): record is Stamp & End {
  return record.what === 'audit' && record.op === 'end' && record.verb !== 'retry';
}

function nothingLeft(at: number): HistoryRecord {
  const keys = { due: 0, tasks: 0, stream: 0, live: 0, runs: 0, expiry: 0, pending: 0 };
  return { at, by: 'nemesis', what: 'left', keys, consumers: 0, silent: 0, lock: 0 };
}
