import type { Clock } from '../clock.js';
import { DuestreamError } from '../errors.js';
import type { Observe } from '../events.js';
import type { ResolvedHandler } from '../handler.js';
import type { Random } from '../random.js';
import { decodeRecord, decodeRun, encodeRunAfter, type Run, type TaskFailure } from '../task.js';
import { type Delivery, nameOf } from './delivery.js';
import type { EmitWorkerEvent } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import { HeldDelivery, type InFlight } from './in-flight.js';
import { type Invocation, invoke } from './invoke.js';
import { describeFailure, type Outcome, type Settlement, settle, verbOf } from './settlement.js';
import type { Ending, Settler } from './settler.js';

export interface ExecutorParts {
  queue: string;
  clock: Clock;
  random: Random;
  observe: Observe;
  emit: EmitWorkerEvent;
  handlers: ReadonlyMap<string, ResolvedHandler>;
  inFlight: InFlight;
  heartbeat: Heartbeat;
  settler: Settler;
  /** Returns a delivery that can't be run here, for others to have. */
  handBack: (deliveries: readonly Delivery[], delayMs: number) => Promise<void>;
}

/** How long a task that nobody here knows waits before it is offered again: others may know it. */
const strangerDelayMs = 10_000;
const strangersMax = 100;

/** A delivery with all that is known of it. */
interface Prepared extends Invocation {
  readonly run: Run;
}

/**
 * One delivery's life, top to bottom: read the record, find the handler, run it against its timeout, decide what that
 * means, write it, tell. Nothing a handler or a record does gets out of here: it ends in an outcome.
 */
export class Executor {
  readonly #parts: ExecutorParts;
  readonly #strangers = new Set<string>();

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /**
   * Starts an opened delivery; returns at once, never throws. `nowMs` is the server's, of the script that opened it; a
   * recovered one has none: how late it was says nothing of how well this queue keeps time.
   */
  start(delivery: Delivery, { sentAtMs, nowMs }: { sentAtMs: number; nowMs?: number }): void {
    const { inFlight, heartbeat } = this.#parts;
    const held = new HeldDelivery(delivery, heartbeat.trustedUntilMs(sentAtMs));
    inFlight.hold(held);
    void this.#live(held, nowMs).finally(() => inFlight.letGo(held));
  }

  async #live(held: HeldDelivery, nowMs: number | undefined): Promise<void> {
    const { observe, queue, inFlight, clock } = this.#parts;
    const found = this.#prepare(held);
    if (typeof found === 'string') {
      inFlight.freeSlot();
      await this.#turnAway(held, found);
      return;
    }
    if (clock.monotonicMs() >= held.trustedUntilMs) {
      inFlight.freeSlot(); // the reply came late, or we were frozen: it may have run elsewhere by now; left to recovery
      return this.#tellLost(held, found.task);
    }
    if (nowMs !== undefined)
      observe({ type: 'started', queue, name: found.task.name, delayMs: Math.max(0, nowMs - held.delivery.dueMs) });
    const startedAtMs = clock.monotonicMs();
    const outcome = await invoke(found, this.#parts);
    held.endingSinceMs = clock.monotonicMs();
    await this.#end(found, { outcome, durationMs: clock.monotonicMs() - startedAtMs });
  }

  #prepare(held: HeldDelivery): Prepared | 'newer' | 'unknown_name' | 'bad_record' {
    const { id, dueMs, count, record: text, run: runText } = held.delivery;
    const decoded = decodeRecord(text);
    if (decoded.kind !== 'record') return decoded.kind === 'newer' ? 'newer' : 'bad_record';
    const { record } = decoded;
    const handler = this.#parts.handlers.get(record.name);
    if (!handler) return 'unknown_name';
    const run = decodeRun(runText);
    const { attempt } = run;
    const delivery = run.lost + count;
    const task = { id, name: record.name, payload: record.payload, due: dueMs, attempt, delivery };
    return { held, task, run, record, handler };
  }

  /** Can't be run here: one that nobody can read is buried, one that others may know goes back to them. */
  async #turnAway(held: HeldDelivery, why: 'newer' | 'unknown_name' | 'bad_record'): Promise<void> {
    const { delivery } = held;
    held.endingSinceMs = this.#parts.clock.monotonicMs();
    if (why === 'unknown_name') this.#tellStranger(nameOf(delivery));
    if (why !== 'bad_record') {
      await this.#parts
        .handBack([delivery], strangerDelayMs)
        .catch((error: unknown) => this.#parts.emit('error', error));
      return;
    }
    const failure = { attempt: 1, at: this.#parts.clock.wallMs(), message: 'the record can not be read' };
    const run = encodeRunAfter(decodeRun(delivery.run), failure);
    const told = { name: '', attempt: 1 };
    if (!(await this.#write({ delivery, verb: 'bury', value: 'bad_record', run }, held, told))) return;
    this.#parts.emit('dead', { id: delivery.id, ...told, reason: 'bad_record' });
  }

  /** Once for each name: the commonest mistake there is, and silent otherwise. */
  #tellStranger(name: string): void {
    if (this.#strangers.has(name) || this.#strangers.size >= strangersMax) return;
    this.#strangers.add(name);
    const message = `no handler here for "${name}": its tasks go back, and are offered again in 10 s`;
    this.#parts.emit('error', new DuestreamError('ERR_NO_HANDLER', message));
  }

  async #end(of: Prepared, { outcome, durationMs }: { outcome: Outcome; durationMs: number }): Promise<void> {
    const { held, task } = of;
    const { emit } = this.#parts;
    const settlement = this.#decide(of, outcome);
    const failure = failureOf(outcome, task.attempt, this.#parts.clock.wallMs());
    const told = { id: task.id, name: task.name, attempt: task.attempt };
    // A cancelled task has its end; what its handler makes of the abort is no failure.
    if (failure !== undefined && outcome.kind !== 'returned' && held.abortedBecause !== 'cancelled') {
      const error = outcome.kind === 'threw' ? outcome.error : new Error(failure.message);
      emit('failed', { ...told, error, failure, willRetry: settlement.kind === 'retry' });
    }
    if (settlement.kind === 'retry' && settlement.backoffFault !== undefined) {
      const what = `the backoff of "${task.name}" failed, the default was taken: ${settlement.backoffFault}`;
      emit('error', new DuestreamError('ERR_INVALID_ARGUMENT', what));
    }
    const run = failure === undefined ? '' : encodeRunAfter(of.run, failure);
    const { verb, value } = verbOf(settlement);
    if (!(await this.#write({ delivery: held.delivery, verb, value, run }, held, { ...told, durationMs }))) return;
    if (settlement.kind === 'complete') emit('completed', { ...told, durationMs });
    else if (settlement.kind === 'retry') emit('retried', { ...told, delayMs: settlement.delayMs });
    else emit('dead', { ...told, reason: settlement.reason });
  }

  /** A handler cut short by a stop is tried again at once, and not buried unless it asks for it. */
  #decide({ held, task, record, handler }: Prepared, outcome: Outcome): Settlement {
    const policy = {
      attemptsMax: record.maxAttempts ?? handler.attemptsMax,
      backoff: record.backoff ?? handler.backoff,
    };
    const settlement = settle(outcome, { attempt: task.attempt, policy, random: this.#parts.random });
    if (held.abortedBecause !== 'stopping' || settlement.kind === 'complete') return settlement;
    return settlement.kind === 'bury' && settlement.reason === 'rejected' ? settlement : { kind: 'retry', delayMs: 0 };
  }

  /** Whether this end is the one that counts. */
  async #write(
    ending: Ending,
    held: HeldDelivery,
    of: { name: string; attempt: number; durationMs?: number },
  ): Promise<boolean> {
    const { settler, observe, queue, emit } = this.#parts;
    const { id } = ending.delivery;
    try {
      const answer = await settler.settle(ending);
      if (answer === 'settled') {
        const { durationMs } = of;
        observe({
          type: 'settled',
          queue,
          name: of.name,
          outcome: outcomeOf[ending.verb],
          ...(durationMs !== undefined && { durationMs }),
        });
        return true;
      }
      if (answer === 'lost') this.#tellLost(held, of);
    } catch (error) {
      if (!held.isUnplaced) observe({ type: 'settle_failed', queue, name: of.name, id });
      const message = `the end of task ${id} could not be written, and is given up`;
      emit('error', new DuestreamError('ERR_OUTCOME_UNKNOWN', message, { cause: error }));
    }
    return false;
  }

  #tellLost(held: HeldDelivery, { name, attempt }: { name: string; attempt: number }): void {
    if (held.isLost) return;
    held.isLost = true;
    this.#parts.observe({ type: 'lease_lost', queue: this.#parts.queue, name, id: held.delivery.id });
    this.#parts.emit('leaseLost', { id: held.delivery.id, name, attempt });
  }
}

const outcomeOf = { complete: 'completed', retry: 'retried', bury: 'dead' } as const;

function failureOf(outcome: Outcome, attempt: number, at: number): TaskFailure | undefined {
  return outcome.kind === 'returned' ? undefined : { attempt, at, message: describeFailure(outcome) };
}
