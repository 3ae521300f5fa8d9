import type { RecordOf } from '../history/records.js';
import type { Places } from './places.js';
import type { Span } from './redis-clock.js';
import type { Nominal } from './schedule-life.js';

export type Start = RecordOf<'start'>;
export type Return = RecordOf<'return'>;
/** What a worker was told became of its delivery. */
export type Told = RecordOf<'completed' | 'retried' | 'dead' | 'recovered' | 'lease_lost'>;
export type Answer = RecordOf<'added'> | RecordOf<'add_unknown'> | RecordOf<'add_refused'>;

/** An end as Redis noted it, and when that was on the clock of the others. */
export type End = Extract<RecordOf<'audit'>, { op: 'end' }> & Span;

/** All that was said of one task, each list in its order. */
export interface TaskLife {
  readonly id: string;
  /** Of an occurrence: nobody but the leader adds those. */
  readonly nominal: Nominal | undefined;
  /** Where it may have been; what has been lost elsewhere is not why anything became of it. */
  readonly places: Places;
  readonly adds: RecordOf<'add'>[];
  readonly answers: Answer[];
  readonly starts: Start[];
  /** What ended the task. */
  readonly ends: End[];
  /** What ended an attempt, and put the task back to the schedule. */
  readonly retries: End[];
  readonly told: Told[];
}

/**
 * `accepted`: an add returned. `possible`: it may have happened; a producer that was killed never heard. `refused`: it
 * did not happen. `unasked`: nobody ever added it. `fired`: by a schedule.
 */
export type Acceptance = 'accepted' | 'possible' | 'refused' | 'unasked' | 'fired';

export function newLife(id: string, nominal: Nominal | undefined): TaskLife {
  return { id, nominal, places: undefined, adds: [], answers: [], starts: [], ends: [], retries: [], told: [] };
}

export function acceptanceOf({ nominal, adds, answers }: TaskLife): Acceptance {
  if (nominal !== undefined) return 'fired';
  if (answers.some(({ what }) => what === 'added')) return 'accepted';
  if (adds.length === 0) return 'unasked';
  const refused = answers.filter(({ what }) => what === 'add_refused').length;
  return refused >= adds.length ? 'refused' : 'possible';
}

/** When its add returned. */
export function acceptedAt({ answers }: TaskLife): number | undefined {
  return answers.find(({ what }) => what === 'added')?.at;
}

/**
 * Within that time Redis acknowledged its add: of a batch a part may have been, long before the call returned. Undefined:
 * nobody heard of it.
 */
export function acknowledgedIn(life: TaskLife): Span | undefined {
  const toMs = acceptedAt(life);
  return toMs === undefined ? undefined : { fromMs: life.adds[0]?.at ?? toMs, toMs };
}

/** From the first that was said of it to the last. */
export function spanOf({ adds, starts, ends }: TaskLife): Span {
  const instants = [...adds, ...starts].map(({ at }) => at);
  return {
    fromMs: Math.min(...instants, ...ends.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...instants, ...ends.map(({ toMs }) => toMs)),
  };
}
