import { scheduler } from 'node:timers/promises';
import { type Context, Leader, type NewTask, Queue, type Task, Worker } from '../../index.js';
import type { ServerClock } from '../../testing.js';
import { lineOf } from '../failure.js';
import { addedBy, type Plan, plannedTask, type Work } from './plan.js';
import type { Post } from './post.js';
import type { Fact, RoleName, Setting } from './records.js';

/** What a role's process does between the first and the last order. */
export interface Role {
  begin(): void;
  stop(): Promise<void>;
}

export interface Stage {
  readonly setting: Setting;
  readonly clock: ServerClock;
  readonly post: Post;
}

export const roles: Readonly<Record<RoleName, (stage: Stage) => Promise<Role>>> = { producer, leader, worker };

const paceMs = 50;

async function producer(stage: Stage): Promise<Role> {
  const { setting, post } = stage;
  const queue = new Queue(setting.queue, { connection: setting.connection, prefix: setting.prefix });
  await queue.stats(); // connects, so that the first tasks need not wait for it
  const stopped = new AbortController();
  let producing = Promise.resolve();
  return {
    begin: () => {
      producing = produce(queue, stage, stopped.signal).catch((error: unknown) => {
        if (!stopped.signal.aborted) post.send({ type: 'failed', text: lineOf(error) });
      });
    },
    stop: async () => {
      stopped.abort();
      await queue.close();
      await producing;
    },
  };
}

/** Adds at an even pace, in small batches. The number of a task says all of it, but when. */
async function produce(queue: Queue, stage: Stage, signal: AbortSignal): Promise<void> {
  const { clock, setting, post } = stage;
  const { plan } = setting;
  const startedAtMs = clock.now().ms;
  for (let n = 0; n < plan.tasks && !signal.aborted; ) {
    const elapsedMs = clock.now().ms - startedAtMs;
    const until = addedBy(elapsedMs, plan);
    if (until > n) await addBatch(queue, stage, { from: n, until, elapsedMs });
    n = until;
    await scheduler.wait(paceMs);
  }
  post.send({ type: 'done' });
}

async function addBatch(
  queue: Queue,
  { clock, setting, post }: Stage,
  { from, until, elapsedMs }: { from: number; until: number; elapsedMs: number },
): Promise<void> {
  const tasks: NewTask[] = [];
  const facts: Fact[] = [];
  const { ms, withinMs } = clock.now();
  for (let n = from; n < until; n += 1) {
    const { id, work, delayMs } = plannedTask(n, elapsedMs, setting.plan);
    const at = delayMs === undefined ? undefined : Math.ceil(ms + delayMs);
    tasks.push({ id, name: 'work', payload: work, ...(at !== undefined && { at }) });
    facts.push({ kind: 'added', id, notBeforeMs: at ?? ms - withinMs, delayed: at !== undefined });
  }
  await queue.addMany(tasks);
  for (const fact of facts) post.note(fact);
}

async function leader({ setting, clock, post }: Stage): Promise<Role> {
  let isNew = false;
  const candidate = new Leader(setting.queue, {
    ...reach(setting),
    observe: (seen) => {
      if (!isNew || seen.type !== 'promoted' || seen.count === 0) return;
      isNew = false;
      post.send({ type: 'leader', news: { kind: 'promoted', at: clock.now() } });
    },
  });
  candidate.on('elected', () => {
    isNew = true;
    post.send({ type: 'leader', news: { kind: 'elected', at: clock.now() } });
  });
  candidate.on('stepped_down', ({ reason }) => post.send({ type: 'leader', news: { kind: 'stepped_down', reason } }));
  candidate.on('error', (error) => post.send({ type: 'trouble', text: lineOf(error) }));
  await candidate.start();
  return { begin: () => {}, stop: () => candidate.stop() };
}

async function worker({ setting, clock, post }: Stage): Promise<Role> {
  const run = async ({ id, attempt, delivery, due, payload }: Task<Work>, ctx: Context): Promise<void> => {
    post.note({ kind: 'started', id, attempt, delivery, dueMs: due, at: clock.now() });
    await scheduler.wait(payload.workMs);
    if (!payload.failsOnce || attempt > 1 || ctx.signal.aborted) return;
    post.note({ kind: 'failed', id, attempt });
    throw new Error('fails once, on purpose');
  };
  const options = { ...reach(setting), leader: 'never', id: setting.name } as const;
  const backoff = { type: 'fixed', delay: retryMs(setting.plan) } as const;
  const worker = new Worker<{ work: Work }>(setting.queue, { work: { handler: run, backoff } }, options);
  worker.on('completed', ({ id }) => post.note({ kind: 'completed', id }));
  worker.on('error', (error) => post.send({ type: 'trouble', text: lineOf(error) }));
  await worker.start();
  return { begin: () => {}, stop: () => worker.stop() };
}

/** What retries late in the play still come to their end with. */
function retryMs({ endMs, lastDueMs }: Plan): number {
  return Math.min(300, Math.round((endMs - lastDueMs) / 2));
}

function reach({ connection, prefix, plan }: Setting): { connection: string; prefix: string; lockTtl: number } {
  return { connection, prefix, lockTtl: plan.lockTtlMs };
}
