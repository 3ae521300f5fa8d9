/**
 * The types of the public API, as a program that must compile, and lines that must not (`@ts-expect-error` fails when
 * its line is right). It is checked with all other sources and never run.
 */
import {
  type AddResult,
  type AppliedSchedule,
  type BackfillInfo,
  type BackfillPreview,
  type Backoff,
  type CancelResult,
  type CatchUp,
  DuestreamError,
  type ErrorCode,
  type Handlers,
  Leader,
  Metrics,
  type Overlap,
  type Passed,
  type PreviewedOccurrence,
  previewSchedule,
  Queue,
  RejectTask,
  type ScheduledTask,
  type ScheduleInfo,
  type ScheduleOptions,
  type SchedulePage,
  type ScheduleResult,
  type Schedules,
  type StandardSchema,
  type TaskInfo,
  type WantedSchedule,
  Worker,
} from '../../src/index.js';

type Mail = {
  welcome: { to: string };
  digest: { userId: number };
  nightly: null;
  maybe: { day: string } | null;
  free: unknown;
};

/** `true` when both are the same type; what is not does not compile where `true` is expected. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

export async function producers(queue: Queue<Mail>): Promise<void> {
  const added = await queue.add('welcome', { to: 'a@b.c' });
  true satisfies Same<typeof added, AddResult>;
  true satisfies Same<typeof added.status, 'scheduled' | 'ready' | 'duplicate'>;
  await queue.add('digest', { userId: 7 }, { in: '90m', id: 'digest-7' });
  await queue.add('digest', { userId: 7 }, { at: new Date(), maxAttempts: 2, timeout: '3s', expiresIn: 5_000 });
  // @ts-expect-error there is no such task
  await queue.add('goodbye', {});
  // @ts-expect-error that is the payload of another task
  await queue.add('welcome', { userId: 7 });
  // @ts-expect-error a payload that has no null in its type can't be left out
  await queue.add('welcome');
  await queue.add('nightly');
  await queue.add('nightly', null, { in: 5 });
  await queue.add('maybe');
  await queue.add('maybe', { day: 'monday' });
  await queue.add('free');
  await queue.add('free', ['anything']);
  // @ts-expect-error null is all there is
  await queue.add('nightly', 5);
  // @ts-expect-error options are known
  await queue.add('welcome', { to: '' }, { delay: 5 });
  // @ts-expect-error a task's backoff is data: a function can't travel
  await queue.add('welcome', { to: '' }, { backoff: () => 5 });
  await queue.addMany([
    { name: 'welcome', payload: { to: 'a' } },
    { name: 'digest', payload: { userId: 1 }, in: '5m' },
    { name: 'nightly' },
  ]);
  // @ts-expect-error the payload goes with the name
  await queue.addMany([{ name: 'digest', payload: { to: 'a' } }]);
}

export async function operators(queue: Queue<Mail>): Promise<void> {
  true satisfies Same<Awaited<ReturnType<typeof queue.get>>, TaskInfo | null>;
  const cancelled: CancelResult = await queue.cancel('id');
  if (cancelled.status === 'cancelled') true satisfies Same<typeof cancelled.was, 'scheduled' | 'ready' | 'active'>;
  if (cancelled.status === 'settled') true satisfies Same<typeof cancelled.state, 'dead' | 'cancelled' | 'expired'>;
  // @ts-expect-error only a cancelled task was something before
  cancelled.was satisfies string;
  const moved = await queue.reschedule('id', { in: '1h' });
  if (moved.status === 'rescheduled') moved.due satisfies number;
  // @ts-expect-error it needs a time
  await queue.reschedule('id', {});
  for (const task of (await queue.list({ state: 'active', limit: 5 })).tasks) task.payload satisfies unknown;
  // @ts-expect-error completed tasks are gone
  await queue.list({ state: 'completed' });
  for (const { partition } of (await queue.stats({ byPartition: true })).byPartition ?? []) partition satisfies number;
  const replayed = await queue.dead.replay('id', { key: 'k' });
  (await queue.dead.get('id'))?.key satisfies string | undefined;
  if (replayed.status !== 'not_found') replayed.number satisfies string;
  const leader = await queue.leader();
  // @ts-expect-error perhaps nobody leads
  leader.term satisfies number;
  leader?.term satisfies number | undefined;
}

/** Without a map of tasks everything goes, and a payload is unknown. */
export async function untyped(queue: Queue): Promise<void> {
  await queue.add('anything');
  await queue.add('anything', { at: 'all' }, { in: 5 });
  new Worker('q', {
    anything: (task) => {
      true satisfies Same<typeof task.payload, unknown>;
      // @ts-expect-error look at it first
      task.payload.at satisfies unknown;
    },
  });
}

export function workers(schema: StandardSchema): void {
  const worker = new Worker<Mail>(
    'mail',
    {
      welcome: async (task, ctx) => {
        true satisfies Same<typeof task.payload, { to: string }>;
        true satisfies Same<typeof task.name, 'welcome'>;
        ctx.signal satisfies AbortSignal;
        ctx.log('text');
        await ctx.heartbeat();
        // @ts-expect-error a task is read only
        task.attempt = 2;
      },
      digest: {
        handler: (task) => {
          task.payload.userId satisfies number;
          throw new RejectTask('no');
        },
        schema,
        timeout: '30s',
        maxAttempts: 5,
        backoff: (attempt, error) => (error instanceof Error ? attempt * 5 : '1h'),
      },
    },
    { concurrency: 5, lease: '30s', leader: 'allow', drain: 0, backoff: { type: 'fixed', delay: '1s' } },
  );
  worker.on('completed', ({ id, durationMs }) => [id satisfies string, durationMs satisfies number]);
  worker.on('failed', ({ willRetry, failure }) => [willRetry satisfies boolean, failure.message satisfies string]);
  worker.on('error', (error) => error satisfies unknown);
  // @ts-expect-error there is no such event
  worker.on('done', () => {});
  // @ts-expect-error nor that property of it
  worker.on('retried', ({ reason }) => reason);
  // @ts-expect-error a handler for a task that does not exist
  new Worker<Mail>('mail', { goodbye: () => {} });
  // @ts-expect-error a handler that wants another payload
  new Worker<Mail>('mail', { welcome: (task: { payload: { userId: number } }) => task.payload.userId });
  // @ts-expect-error a way to lead that does not exist
  new Worker<Mail>('mail', {}, { leader: 'maybe' });
  const handlers: Handlers<Mail> = { nightly: () => 5 };
  new Worker<Mail>('mail', handlers);
}

export async function scopes(): Promise<void> {
  await using queue = new Queue<Mail>('mail');
  await using worker = new Worker<Mail>('mail', { nightly: () => {} });
  await using leader = new Leader('mail', { lockTtl: '5s', lockNodes: ['redis://a'] });
  leader.seat satisfies 'leader' | 'follower';
  leader.on('elected', ({ term }) => term satisfies number);
  queue.name satisfies string;
  worker.health().problems satisfies readonly string[];
}

/** A queue of some tasks is a queue to those who only look after it. */
export function lookedAfter(queue: Queue<Mail>): void {
  new Metrics().watch(queue);
}

export function errors(error: DuestreamError, backoff: Backoff): void {
  true satisfies Same<typeof error.code, ErrorCode>;
  // @ts-expect-error the codes are a closed union
  error.code satisfies 'ERR_REDIS_REPLY';
  backoff.type satisfies 'fixed' | 'exponential';
  // @ts-expect-error a code that does not exist
  new DuestreamError('ERR_OTHER', 'message');
}

export function overTls(): Queue<Mail> {
  const connection = { url: 'rediss://localhost', socket: { tls: true, ca: 'PEM', servername: 'redis' } } as const;
  return new Queue<Mail>('mail', { connection });
}

export function schedules(): void {
  const entries = previewSchedule({ cron: '0 3 * * *', tz: 'Europe/Berlin', gap: 'skip', exclude: ['2027-12-24'] });
  true satisfies Same<typeof entries, PreviewedOccurrence[]>;
  previewSchedule({ every: '90m', anchor: new Date(), jitter: 5_000 }, { from: new Date(), count: 20, name: 'report' });
  previewSchedule({ at: ['2027-01-01T09:00Z'], start: undefined });
  // @ts-expect-error a rule is one of cron, every and at
  previewSchedule({ tz: 'UTC' });
  // @ts-expect-error gap is one of two words
  previewSchedule({ cron: '0 3 * * *', gap: 'first' });
  // @ts-expect-error options are known
  previewSchedule({ every: '1h' }, { next: 5 });
}

/** The task of a schedule is typed as one that is added. */
export async function recurring(queue: Queue<Mail>): Promise<void> {
  const made = await queue.schedule('hello', { cron: '0 9 * * *', tz: 'Europe/Berlin' }, { name: 'nightly' });
  true satisfies Same<typeof made, ScheduleResult>;
  true satisfies Same<typeof made.status, 'created' | 'changed' | 'unchanged' | 'older'>;
  const catchUp: CatchUp = { all: 5 };
  const overlap: Overlap = 'bufferOne';
  const options: ScheduleOptions = { every: '1h', catchUp, overlap, window: '1d', limit: 5, pauseAfter: 3, version: 2 };
  await queue.schedule('hello', options, { name: 'digest', payload: { userId: 7 }, key: 'k', expiresIn: '1h' });
  // @ts-expect-error there is no such task
  await queue.schedule('hello', options, { name: 'goodbye' });
  // @ts-expect-error that is the payload of another task
  await queue.schedule('hello', options, { name: 'welcome', payload: { userId: 7 } });
  // @ts-expect-error a payload that has no null in its type can't be left out
  await queue.schedule('hello', options, { name: 'welcome' });
  await queue.schedule('hello', options, { name: 'maybe' });
  // @ts-expect-error each occurrence has a time of its own
  await queue.schedule('hello', options, { name: 'nightly', in: '1h' });
  // @ts-expect-error a rule is one of cron, every and at
  await queue.schedule('hello', { tz: 'UTC' }, { name: 'nightly' });
  // @ts-expect-error an overlap that does not exist
  await queue.schedule('hello', { every: '1h', overlap: 'wait' }, { name: 'nightly' });
}

export async function recurringOperators({ schedules }: Queue<Mail>): Promise<void> {
  true satisfies Same<typeof schedules, Schedules>;
  const page: SchedulePage = await schedules.list({ limit: 5 });
  for (const { state } of page.schedules) state satisfies 'active' | 'paused' | 'finished' | 'unreadable';
  const info: ScheduleInfo | null = await schedules.get('hello');
  for (const { why } of info?.passed ?? []) why satisfies Passed['why'];
  info?.task.payload satisfies unknown;
  await schedules.pause('hello', { note: 'why' });
  await schedules.backfill('hello', { from: new Date(), to: '2027-01-01T09:00Z', perSecond: 5, again: true });
  const preview: BackfillPreview = await schedules.previewBackfill('hello', { from: 1, again: true });
  const { lastBackfill }: { lastBackfill: BackfillInfo | null } = await schedules.stopBackfill('hello');
  [preview.count, preview.hasMore, lastBackfill?.added] satisfies [number, boolean, number | undefined];
  // @ts-expect-error a backfill begins somewhere
  await schedules.backfill('hello', { perSecond: 5 });
  const task: ScheduledTask = { name: 'nightly' };
  const wanted: WantedSchedule = { every: '1h', task };
  const applied: AppliedSchedule[] = await schedules.apply({ hello: wanted }, { prune: true, dryRun: true });
  for (const { changes } of applied)
    for (const { field, from } of changes) [field, from] satisfies (string | undefined)[];
  // @ts-expect-error a schedule has a task
  await schedules.apply({ hello: { every: '1h' } });
}
