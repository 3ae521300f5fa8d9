import type { Clock } from '../clock.js';
import { DuestreamError } from '../errors.js';
import type { Observe } from '../events.js';
import type { ResolvedHandler } from '../handler.js';
import type { Random } from '../random.js';
import { decodeRecord, decodeRun, encodeRunAfter, type Run, type Task } from '../task.js';
import { type Delivery, nameOf } from './delivery.js';
import type { EmitWorkerEvent } from './events.js';
import type { Heartbeat } from './heartbeat.js';
import { HeldDelivery } from './held-delivery.js';
import type { InFlight } from './in-flight.js';
import { type Invocation, invoke } from './invoke.js';
import { describeFailure, type Failure, type Outcome, type Settlement, settle } from './settlement.js';
import type { Ending, SettleAnswer, Settler } from './settler.js';
import type { Fault } from '../batcher.js';

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

/** As much of it as there is to tell of its end. */
interface Ran {
  readonly held: HeldDelivery;
  readonly task: Pick<Task, 'id' | 'name' | 'attempt'>;
}

/** What a delivery came to: the answer to its end, and what that end was. */
interface Ended {
  readonly answer: SettleAnswer | Fault;
  readonly settlement: Settlement;
  /** How long its handler ran, if it did. */
  readonly durationMs: number | undefined;
}

const unreadable: Settlement = { kind: 'bury', reason: 'bad_record' };

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
    const { inFlight, heartbeat, clock, observe, queue } = this.#parts;
    const held = new HeldDelivery(delivery, heartbeat.trustedUntilMs(sentAtMs));
    inFlight.hold(held);
    const found = this.#prepare(held);
    const startedAtMs = clock.monotonicMs();
    if (typeof found === 'string') {
      inFlight.freeSlot();
      void this.#turnAway(held, found);
    } else if (startedAtMs >= held.trustedUntilMs) {
      inFlight.freeSlot(); // the reply came late, or we were frozen: it may have run elsewhere by now; left to recovery
      this.#tellLost(held, found.task);
      inFlight.letGo(held);
    } else {
      const { name } = found.task;
      if (nowMs !== undefined) observe({ type: 'started', queue, name, delayMs: Math.max(0, nowMs - delivery.dueMs) });
      invoke(found, this.#parts, (outcome) => this.#end(found, outcome, startedAtMs));
    }
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
    const { name, payload, key } = record;
    const given = { id, name, payload, due: dueMs, attempt, delivery };
    const task = key === undefined ? given : { key, ...given };
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
      this.#parts.inFlight.letGo(held);
      return;
    }
    const failure = { attempt: 1, at: this.#parts.clock.wallMs(), message: 'the record can not be read' };
    const run = encodeRunAfter(decodeRun(delivery.run), failure);
    const task = { id: delivery.id, name: '', attempt: 1 };
    this.#write({ held, task }, { settlement: unreadable, run });
  }

  /** Its handler has returned: decides what that means, and writes it. */
  #end(of: Prepared, outcome: Outcome, startedAtMs: number): void {
    const endedAtMs = this.#parts.clock.monotonicMs();
    of.held.endingSinceMs = endedAtMs;
    const settlement = this.#decide(of, outcome);
    const run = outcome.kind === 'returned' ? '' : this.#tellFailed(of, outcome, settlement);
    this.#write(of, { settlement, run }, endedAtMs - startedAtMs);
  }

  #write(of: Ran, ending: Ending, durationMs?: number): void {
    const { settler, inFlight } = this.#parts;
    settler.settle(of.held.delivery, ending, (answer) => {
      this.#tellEnd(of, { answer, settlement: ending.settlement, durationMs });
      inFlight.letGo(of.held);
    });
  }

  /** Once for each name: the commonest mistake there is, and silent otherwise. */
  #tellStranger(name: string): void {
    if (this.#strangers.has(name) || this.#strangers.size >= strangersMax) return;
    this.#strangers.add(name);
    const message = `no handler here for "${name}": its tasks go back, and are offered again in 10 s`;
    this.#parts.emit('error', new DuestreamError('ERR_NO_HANDLER', message));
  }

  /** Tells of a handler's failure, and gives what `runs` is to keep of it. */
  #tellFailed({ held, task: { id, name, attempt }, run }: Prepared, outcome: Failure, settlement: Settlement): string {
    const { emit, clock } = this.#parts;
    const failure = { attempt, at: clock.wallMs(), message: describeFailure(outcome) };
    // A cancelled task has its end; what its handler makes of the abort is no failure.
    if (held.abortedBecause !== 'cancelled') {
      const error = outcome.kind === 'threw' ? outcome.error : new Error(failure.message);
      emit('failed', { id, name, attempt, error, failure, willRetry: settlement.kind === 'retry' });
    }
    if (settlement.kind === 'retry' && settlement.backoffFault !== undefined) {
      const what = `the backoff of "${name}" failed, the default was taken: ${settlement.backoffFault}`;
      emit('error', new DuestreamError('ERR_INVALID_ARGUMENT', what));
    }
    return encodeRunAfter(run, failure);
  }

  /** A handler cut short by a stop is tried again at once, and not buried unless it asks for it. */
  #decide({ held, task, record, handler }: Prepared, outcome: Outcome): Settlement {
    const attemptsMax = record.maxAttempts ?? handler.attemptsMax;
    const backoff = record.backoff ?? handler.backoff;
    const policy = { attemptsMax, backoff };
    const settlement = settle(outcome, { attempt: task.attempt, policy, random: this.#parts.random });
    if (held.abortedBecause !== 'stopping' || settlement.kind === 'complete') return settlement;
    return settlement.kind === 'bury' && settlement.reason === 'rejected' ? settlement : { kind: 'retry', delayMs: 0 };
  }

  /** Tells what became of an end, and of the task when this end is the one that counts. */
  #tellEnd({ held, task }: Ran, { answer, settlement, durationMs }: Ended): void {
    const { observe, queue, emit } = this.#parts;
    const { id, name, attempt } = task;
    if (answer === 'lost') return this.#tellLost(held, task);
    if (answer === 'cancelled') return;
    if (answer !== 'settled') {
      if (!held.isUnplaced) observe({ type: 'settle_failed', queue, name, id });
      const message = `the end of task ${id} could not be written, and is given up`;
      emit('error', new DuestreamError('ERR_OUTCOME_UNKNOWN', message, { cause: answer.error }));
      return;
    }
    const outcome = outcomeOf[settlement.kind];
    observe({ type: 'settled', queue, name, outcome, ...(durationMs !== undefined && { durationMs }) });
    if (settlement.kind === 'complete') emit('completed', { id, name, attempt, durationMs: durationMs ?? 0 });
    else if (settlement.kind === 'retry') emit('retried', { id, name, attempt, delayMs: settlement.delayMs });
    else emit('dead', { id, name, attempt, reason: settlement.reason });
  }

  #tellLost(held: HeldDelivery, { name, attempt }: { name: string; attempt: number }): void {
    if (held.isLost) return;
    held.isLost = true;
    this.#parts.observe({ type: 'lease_lost', queue: this.#parts.queue, name, id: held.delivery.id });
    this.#parts.emit('leaseLost', { id: held.delivery.id, name, attempt });
  }
}

const outcomeOf = { complete: 'completed', retry: 'retried', bury: 'dead' } as const;
