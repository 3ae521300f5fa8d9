import { exitCodes, Failure } from '../../failure.js';
import type { HistoryRecord, RecordOf } from '../history/records.js';
import { actorOf, Faults } from './faults.js';
import { layoutsOf, notedPlaces, placesOf } from './places.js';
import { RedisClock } from './redis-clock.js';
import { nominalOf, type ScheduleLife, scheduleLivesOf } from './schedule-life.js';
import { newLife, type TaskLife } from './task-life.js';

type What = HistoryRecord['what'];

/** The history, put in order once for all checks: by task, by process, by what it tells of. */
export interface Evidence {
  readonly plan: RecordOf<'plan'>;
  readonly records: readonly HistoryRecord[];
  readonly tasks: ReadonlyMap<string, TaskLife>;
  readonly schedules: ReadonlyMap<string, ScheduleLife>;
  readonly faults: Faults;
  readonly clock: RedisClock;
  /** What Redis noted, for each partition in its own order. */
  readonly audit: readonly (readonly RecordOf<'audit'>[])[];
  readonly processes: ReadonlyMap<string, readonly HistoryRecord[]>;
  /** When the drain began: from then on nothing new has to start. The last record's instant when there was none. */
  readonly loadEndMs: number;
  readonly of: <W extends What>(what: W) => readonly RecordOf<W>[];
  /** Seconds since the first record, for people. */
  readonly when: (at: number) => string;
}

export function evidenceOf(records: readonly HistoryRecord[]): Evidence {
  const kinds = grouped(records, ({ what }) => what);
  const of = <W extends What>(what: W): readonly RecordOf<W>[] => (kinds.get(what) ?? []) as unknown as RecordOf<W>[];
  const [plan] = of('plan');
  if (plan === undefined)
    throw new Failure(exitCodes.failed, 'there is no plan in this history: it is none of a campaign');
  const startMs = records[0]?.at ?? 0;
  const clock = new RedisClock(of('clock'));
  const schedules = scheduleLivesOf(of('schedule'));
  const processes = grouped(records, ({ by }) => by);
  const lives = livesOf(records, { clock, schedules });
  const growths = of('fault').filter(({ fault, phase }) => fault === 'queue-grown' && phase === 'begin').length;
  const known = { noted: notedPlaces(records), layouts: layoutsOf(plan.partitions ?? 1, growths) };
  const names = [...processes.keys(), ...of('process').map(({ name }) => name)];
  return {
    plan,
    records,
    tasks: new Map([...lives].map(([id, life]) => [id, { ...life, places: placesOf(life, known) }])),
    schedules,
    faults: new Faults(of('fault'), new Set(names.filter((name) => actorOf(name) !== name).map(actorOf))),
    clock,
    audit: [...grouped(of('audit'), ({ partition = 0 }) => partition).values()],
    processes,
    loadEndMs: of('phase').find(({ phase }) => phase === 'drain')?.at ?? records.at(-1)?.at ?? startMs,
    of,
    when: (at) => `${((at - startMs) / 1_000).toFixed(3)} s`,
  };
}

function livesOf(
  records: readonly HistoryRecord[],
  { clock, schedules }: Pick<Evidence, 'clock' | 'schedules'>,
): Map<string, TaskLife> {
  const lives = new Map<string, TaskLife>();
  for (const record of records) {
    if (!('id' in record)) continue;
    let life = lives.get(record.id);
    if (life === undefined) lives.set(record.id, (life = newLife(record.id, nominalOf(record.id, schedules))));
    tell(life, record, clock);
  }
  return lives;
}

function tell(life: TaskLife, record: Extract<HistoryRecord, { id: string }>, clock: RedisClock): void {
  switch (record.what) {
    case 'add':
      return void life.adds.push(record);
    case 'added':
    case 'add_unknown':
    case 'add_refused':
      return void life.answers.push(record);
    case 'start':
      return void life.starts.push(record);
    case 'audit': {
      const end = { ...record, ...clock.whenItWas(record.redisMs) };
      return void (record.verb === 'retry' ? life.retries : life.ends).push(end);
    }
    case 'completed':
    case 'retried':
    case 'dead':
    case 'recovered':
    case 'lease_lost':
      return void life.told.push(record);
    case 'return':
    case 'cancel':
    case 'cancelled':
    case 'cancel_unknown':
      return;
  }
}

function grouped<R, K>(records: readonly R[], keyOf: (record: R) => K): Map<K, R[]> {
  const groups = new Map<K, R[]>();
  for (const record of records) {
    const key = keyOf(record);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return groups;
}
