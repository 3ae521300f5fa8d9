import type { Clock } from '../clock.js';
import { RejectTask } from '../errors.js';
import { type Context, type ResolvedHandler, validatePayload } from '../handler.js';
import type { Task, TaskRecord } from '../task.js';
import type { EmitWorkerEvent } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import type { HeldDelivery, InFlight } from './in-flight.js';
import type { Outcome } from './settlement.js';

export interface Invocation {
  readonly held: HeldDelivery;
  readonly task: Task;
  readonly record: TaskRecord;
  readonly handler: ResolvedHandler;
}

export interface InvokeParts {
  clock: Clock;
  inFlight: InFlight;
  heartbeat: Heartbeat;
  emit: EmitWorkerEvent;
}

/**
 * Runs the handler against its timeout: never rejects, whatever the handler does. Its slot is free when it has returned,
 * be that after its timeout.
 */
export async function invoke(of: Invocation, parts: InvokeParts): Promise<Outcome> {
  const { inFlight, clock } = parts;
  const running = call(of, parts).finally(() => inFlight.freeSlot());
  const timeoutMs = of.record.timeoutMs ?? of.handler.timeoutMs;
  if (timeoutMs === undefined) return running;
  let disarm = (): void => {};
  const timedOut = new Promise<Outcome>((resolve) => {
    disarm = clock.after(timeoutMs, () => {
      of.held.abort('timed_out');
      inFlight.overrun += 1;
      void running.finally(() => {
        inFlight.overrun -= 1;
      });
      resolve({ kind: 'timed_out', afterMs: timeoutMs });
    });
  });
  return Promise.race([running, timedOut]).finally(disarm);
}

async function call({ held, task, handler }: Invocation, parts: InvokeParts): Promise<Outcome> {
  try {
    await handler.run(await validated(task, handler), contextOf(held, task, parts));
    return { kind: 'returned' };
  } catch (error) {
    return { kind: 'threw', error };
  }
}

async function validated(task: Task, { schema }: ResolvedHandler): Promise<Task> {
  if (!schema) return task;
  const result = await validatePayload(schema, task.payload);
  if (!result.ok) throw new RejectTask(`the payload is refused by the handler's schema at ${result.where}`);
  return { ...task, payload: result.value };
}

function contextOf(held: HeldDelivery, { id, name, attempt }: Task, { emit, heartbeat }: InvokeParts): Context {
  return {
    get signal(): AbortSignal {
      return held.signal;
    },
    log: (message) => emit('log', { id, name, attempt, message }),
    heartbeat: async () => {
      if (!(await heartbeat.extend(held))) throw held.signal.reason;
    },
  };
}
