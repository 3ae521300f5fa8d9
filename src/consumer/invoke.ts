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

const returned: Outcome = { kind: 'returned' };

/**
 * Runs the handler against its timeout: `onOutcome` is called once, later, whatever the handler does, and must not throw. Its
 * slot is free when it has returned, be that after its timeout.
 */
export function invoke(of: Invocation, parts: InvokeParts, onOutcome: (outcome: Outcome) => void): void {
  const running = started(of, parts);
  const timeoutMs = of.record.timeoutMs ?? of.handler.timeoutMs; // counted from here: until now nobody could have heeded it
  const tell = timeoutMs === undefined ? onOutcome : unlessLate(timeoutMs, { of, parts, onOutcome });
  const end = (outcome: Outcome): void => {
    parts.inFlight.freeSlot();
    tell(outcome);
  };
  running.then(
    () => end(returned),
    (error: unknown) => end({ kind: 'threw', error }),
  );
}

/** Passes the handler's outcome on, if that comes in time; else tells that it did not. */
function unlessLate(
  timeoutMs: number,
  { of, parts, onOutcome }: { of: Invocation; parts: InvokeParts; onOutcome: (outcome: Outcome) => void },
): (outcome: Outcome) => void {
  const { slots } = parts.inFlight;
  let isLate = false;
  const disarm = parts.clock.after(timeoutMs, () => {
    isLate = true;
    of.held.abort('timed_out');
    slots.overrun += 1;
    onOutcome({ kind: 'timed_out', afterMs: timeoutMs });
  });
  return (outcome) => {
    if (isLate) slots.overrun -= 1;
    else {
      disarm();
      onOutcome(outcome);
    }
  };
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
