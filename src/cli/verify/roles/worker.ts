import { scheduler } from 'node:timers/promises';
import { type Context, type Handlers, RejectTask, type Task, Worker } from '../../../index.js';
import { noteError } from './note-error.js';
import type { Role, RoleParts } from './role.js';
import { isSane, occurrenceName, type Payload } from './tasks.js';

const drainMs = 4_000;
const backoff = { type: 'fixed', delay: 100 } as const;

/** Runs what there is; the first line of a handler and its last are noted before anything else can happen. */
export function worker({ setting, writer, observe }: RoleParts): Role {
  const { connection, prefix, leaseMs: lease, concurrency, lockTtlMs: lockTtl } = setting;
  const options = { connection, prefix, observe, lease, concurrency, lockTtl, drain: drainMs, backoff } as const;
  let dying: 'handler' | 'before_settle' | undefined;

  const run = async (task: Task<Payload>, ctx: Context): Promise<void> => {
    const { id, attempt, delivery, due: dueMs, payload } = task;
    writer.note({ what: 'start', id, attempt, delivery, dueMs, sane: isSane(task) });
    if (dying === 'handler') process.kill(process.pid, 'SIGKILL');
    await scheduler.wait(payload.workMs);
    const throws = payload.fate === 'reject' || (payload.fate === 'flaky' && attempt === 1);
    const aborted = ctx.signal.aborted ? { aborted: (ctx.signal.reason as { why?: string }).why ?? '' } : {};
    writer.note({ what: 'return', id, attempt, delivery, how: throws ? 'threw' : 'returned', ...aborted });
    if (dying === 'before_settle') process.kill(process.pid, 'SIGKILL');
    if (payload.fate === 'reject') throw new RejectTask('on purpose');
    if (throws) throw new Error('the first attempt fails, on purpose');
  };

  const own = { work: run, slow: run, flaky: run, reject: run, big: run };
  const handlers: Handlers<Record<string, Payload>> = { ...own, [occurrenceName]: run };
  const made = new Worker<Record<string, Payload>>(setting.queue, handlers, {
    ...options,
    leader: 'never',
    id: setting.name,
  });
  made.on('error', (error) => noteError(writer, error));
  for (const what of ['completed', 'retried', 'dead', 'recovered'] as const) {
    made.on(what, ({ id, attempt }: { id: string; attempt: number }) => writer.note({ what, id, attempt }));
  }
  made.on('leaseLost', ({ id, attempt }) => writer.note({ what: 'lease_lost', id, attempt }));
  return {
    start: async () => {
      writer.note({ what: 'ready', role: 'worker', pid: process.pid, concurrency, leaseMs: lease });
      await made.start();
    },
    stop: () => made.stop(),
    die: (where) => {
      dying = where;
    },
  };
}
