import type { RecordOf } from '../history/records.js';

/** All that was said of one schedule. Nominal times are Redis' epoch ms; `at` is the history's clock. */
export interface ScheduleLife {
  readonly name: string;
  readonly everyMs: number;
  /** Its first nominal time. */
  readonly fromMs: number;
  /** From `fromAt` to `toAt` it fired none from `nextMs` on. */
  readonly pauses: readonly { readonly nextMs: number; readonly fromAt: number; readonly toAt: number }[];
  /** From `sinceMs` on it fired no more, and had fired all before `nextMs`. Undefined: it was not seen. */
  readonly end: { readonly nextMs: number; readonly sinceMs: number } | undefined;
}

/** Of which schedule a task is an occurrence, and at what nominal time. */
export interface Nominal {
  readonly schedule: string;
  readonly ms: number;
}

export function scheduleLivesOf(records: readonly RecordOf<'schedule'>[]): Map<string, ScheduleLife> {
  const lives = new Map<string, ScheduleLife>();
  for (const record of records) {
    if (record.phase !== 'created') continue;
    const { schedule: name, everyMs, fromMs } = record;
    const own = records.filter(({ schedule }) => schedule === name);
    const end = own.find((one) => one.phase === 'ended');
    lives.set(name, { name, everyMs, fromMs, pauses: pausesOf(own), end });
  }
  return lives;
}

/** One that was never resumed lasted to the end. */
function pausesOf(records: readonly RecordOf<'schedule'>[]): ScheduleLife['pauses'] {
  return records.flatMap((record, at) => {
    if (record.phase !== 'paused') return [];
    const over = records.slice(at).find(({ phase }) => phase === 'resuming');
    return [{ nextMs: record.nextMs, fromAt: record.at, toAt: over?.at ?? Number.POSITIVE_INFINITY }];
  });
}

/** Undefined for what no schedule of this campaign can have added. */
export function nominalOf(id: string, schedules: ReadonlyMap<string, ScheduleLife>): Nominal | undefined {
  const at = id.lastIndexOf('@');
  const schedule = id.slice(0, at);
  return schedules.has(schedule) ? { schedule, ms: Date.parse(id.slice(at + 1)) } : undefined;
}

export function occurrenceIdOf(schedule: string, nominalMs: number): string {
  return `${schedule}@${new Date(nominalMs).toISOString()}`;
}

/** Those it owes: up to where it had come, and, whatever it said of itself, up to so long before its end. */
export function nominalTimesOf({ everyMs, fromMs, end }: ScheduleLife, graceMs: number): number[] {
  const toMs = end === undefined ? fromMs : Math.max(end.nextMs, end.sinceMs - graceMs);
  return Array.from({ length: Math.max(0, Math.ceil((toMs - fromMs) / everyMs)) }, (_, at) => fromMs + at * everyMs);
}

/** Undefined: it is one of its times; else why it is none. */
export function strangeness({ everyMs, fromMs, end }: ScheduleLife, ms: number): string | undefined {
  if (ms < fromMs) return 'which came before its schedule';
  if ((ms - fromMs) % everyMs !== 0) return 'which is no time of its rule';
  return end !== undefined && ms >= end.nextMs && ms >= end.sinceMs ? 'which came after its schedule' : undefined;
}
