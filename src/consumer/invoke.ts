import type { Clock } from '../clock.js';
import { RejectTask } from '../errors.js';
import { type Context, type ResolvedHandler, type StandardSchema, validatePayload } from '../handler.js';
import type { Task, TaskRecord } from '../task.js';
import type { EmitWorkerEvent } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import type { HeldDelivery } from './held-delivery.js';
import type { InFlight } from './in-flight.js';
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
export function invoke(of: Invocation, parts: InvokeParts): Promise<Outcome> {
  const running = call(of, parts);
  const timeoutMs = of.record.timeoutMs ?? of.handler.timeoutMs;
  return timeoutMs === undefined ? running : timed(running, timeoutMs, { of, parts });
}

async function timed(
  running: Promise<Outcome>,
  timeoutMs: number,
  { of, parts }: { of: Invocation; parts: InvokeParts },
): Promise<Outcome> {
  const { inFlight, clock } = parts;
  let disarm = (): void => {};
  const timedOut = new Promise<Outcome>((resolve) => {
    disarm = clock.after(timeoutMs, () => {
      of.held.abort('timed_out');
      inFlight.slots.overrun += 1;
      void running.finally(() => {
        inFlight.slots.overrun -= 1;
      });
      resolve({ kind: 'timed_out', afterMs: timeoutMs });
    });
  });
  return Promise.race([running, timedOut]).finally(disarm);
}

const returned: Outcome = { kind: 'returned' };

function call(of: Invocation, parts: InvokeParts): Promise<Outcome> {
  const { inFlight } = parts;
  return started(of, parts).then(
    () => {
      inFlight.freeSlot();
      return returned;
    },
    (error: unknown) => {
      inFlight.freeSlot();
      return { kind: 'threw', error };
    },
  );
}

/** The handler's own promise, or one for what it threw at once. */
function started({ held, task, handler }: Invocation, parts: InvokeParts): Promise<unknown> {
  const { run, schema } = handler;
  try {
    const context = new DeliveryContext(held, task, parts);
    if (schema) return validated(task, schema).then((valid) => run(valid, context));
    return Promise.resolve(run(task, context));
  } catch (error) {
    return Promise.reject(error);
  }
}

async function validated(task: Task, schema: StandardSchema): Promise<Task> {
  const result = await validatePayload(schema, task.payload);
  if (!result.ok) throw new RejectTask(`the payload is refused by the handler's schema at ${result.where}`);
  return { ...task, payload: result.value };
}

/** A class, for a literal with a getter is slow to make; arrows, for handlers may take `log` out of it. */
class DeliveryContext implements Context {
  readonly #held: HeldDelivery;
  readonly log: Context['log'];
  readonly heartbeat: Context['heartbeat'];

  constructor(held: HeldDelivery, { id, name, attempt }: Task, { emit, heartbeat }: InvokeParts) {
    this.#held = held;
    this.log = (message) => emit('log', { id, name, attempt, message });
    this.heartbeat = async () => {
      if (!(await heartbeat.extend(held))) throw held.signal.reason;
    };
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }
}
