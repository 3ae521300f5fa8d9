import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { tick, type UpcomingReply, upcoming } from '../redis/scripts.generated.js';
import { planBlocked } from '../schedule/blocked.js';
import { decodeCursor, newCursor } from '../schedule/cursor.js';
import { decodeDefinition, occurrenceId } from '../schedule/definition.js';
import { graceMsMin, type Instants } from '../schedule/fate.js';
import { judge, unjudged } from '../schedule/judge.js';
import { Kept } from '../schedule/kept.js';
import { type Found, forgotten, itemOf, type Move, type MoveItem, movesOf, postponed } from '../schedule/moves.js';
import { nextNominal } from '../schedule/nominal.js';
import { plan } from '../schedule/plan.js';
import { aheadMs } from '../schedule/step.js';
import type { Duty, Reign } from './duty.js';
import { Occurrences } from './occurrences.js';
import { ScheduleMover } from './schedule-mover.js';

/** Of one look, and of one call that fires: Redis takes 1 to 2 ms for as many. */
const lookMax = 500;
const batchMax = 100;
const bytesMax = 256 * 1024;
/** Where listening is not allowed a new schedule waits that long at most; whoever listens is woken, also after a break. */
const lookMsMax = 15_000;
/** How long one that can't be read here, of a newer version, is left alone. */
const strangerMs = 10_000;
/** When those are met again that could not be moved. */
const againMs = 1_000;
const definitionsKept = { max: 10_000, charsMax: 32 * 1024 * 1024 };
/** What one look works out at most, and hands over. */
const planMsMax = 20;
const planBytesMax = 1024 * 1024;

type Read = Extract<UpcomingReply, { status: 'ok' }>['schedules'][number];

/**
 * Fires the occurrences of a partition's schedules. What is to be done is decided here, from a schedule's definition and its
 * cursor; the script does it only if the cursor is still the one that was decided upon, and moves it on in the same step. So
 * a nominal time is fired once, whoever leads, and however often a call is sent.
 */
export class Scheduler implements Duty {
  readonly name = 'schedule';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  readonly #observe: Observe;
  readonly #graceMs: number;
  readonly #clock: Clock;
  readonly #mover: ScheduleMover;
  readonly #occurrences: Occurrences;
  /** By their texts: reading a rule costs far more than asking it for its next time. */
  readonly #definitions = new Kept(definitionsKept, decodeDefinition);

  constructor(parts: {
    partition: Partition;
    partitions: Partitions;
    observe: Observe;
    clock: Clock;
    lockTtlMs: number;
  }) {
    this.#clock = parts.clock;
    this.#mover = new ScheduleMover(parts);
    this.#occurrences = new Occurrences(parts.partition);
    this.#partition = parts.partition;
    this.#observe = parts.observe;
    this.#graceMs = Math.max(graceMsMin, 2 * parts.lockTtlMs);
  }

  async tick(reign: Reign): Promise<number> {
    const { nowMs, nextMs, schedules } = await this.#partition.run(upcoming, { aheadMs, limit: lookMax, bytesMax });
    const waitMs = Math.max(0, Math.min(lookMsMax, (nextMs ?? Number.POSITIVE_INFINITY) - nowMs - aheadMs));
    if (schedules.length === 0) return waitMs;
    const { found, strange } = this.#sorted(schedules, nowMs);
    const all = await Promise.all(found.map((one) => this.#judged(one, nowMs)));
    const leaving = await this.#mover.leaving(all, reign, nowMs);
    const { moves, isCut, unworkable } = this.#planned(
      all.filter((one) => !leaving.includes(one)),
      nowMs,
    );
    await this.#send(reign, [...strange, ...unworkable]);
    const blocked = await this.#take(reign, moves, nowMs);
    const at = this.#instants(nowMs);
    const unblocked = await Promise.all(blocked.map((move) => this.#unblocked(move, reign, at)));
    await this.#take(reign, unblocked, nowMs);
    await this.#move(leaving, reign, nowMs);
    if (isCut || moves.length > 0) return 0;
    return leaving.length > 0 ? Math.min(waitMs, againMs) : waitMs;
  }

  /** As much as a look may take: time, so that the leader's other duties go on, and bytes. */
  #planned(found: readonly Found[], nowMs: number): { moves: Move[]; isCut: boolean; unworkable: MoveItem[] } {
    const at = this.#instants(nowMs);
    const [moves, unworkable]: [Move[], MoveItem[]] = [[], []];
    let bytes = 0;
    for (const one of found) {
      if ((moves.length > 0 && !at.hasTime()) || bytes > planBytesMax) return { moves, isCut: true, unworkable };
      try {
        const steps = movesOf(one, plan(one, at));
        for (const move of steps) {
          if (bytes > planBytesMax) return { moves, isCut: true, unworkable };
          if (move.step.fireMs !== null) bytes += one.definition.record.length;
          moves.push(move);
        }
      } catch (error) {
        unworkable.push(this.#setAside(one, error, nowMs));
      }
    }
    return { moves, isCut: false, unworkable };
  }

  /** What is worked out from now on has the time of one look. */
  #instants(nowMs: number): Required<Instants> {
    const endMs = this.#clock.monotonicMs() + planMsMax;
    return { nowMs, graceMs: this.#graceMs, hasTime: () => this.#clock.monotonicMs() < endMs };
  }

  /** One that can't be worked out here, as a zone that this process does not know: the others are well. */
  #setAside({ name, text }: { name: string; text: string }, error: unknown, nowMs: number): MoveItem {
    const message = `the schedule ${name} can not be worked out here: ${messageOf(error)}`;
    this.#observe({ type: 'error', queue: this.#partition.queue, where: this.name, error: new Error(message) });
    return postponed({ name, text }, nowMs + strangerMs);
  }

  /** Where one can't be moved, for its new partition is away, the others are; that is told, and slows down nothing here. */
  async #move(leaving: readonly Found[], reign: Reign, nowMs: number): Promise<void> {
    const moved = await Promise.allSettled(leaving.map((one) => this.#mover.move(one, reign, nowMs)));
    const failed = moved.find((one) => one.status === 'rejected');
    if (failed === undefined) return;
    this.#observe({ type: 'error', queue: this.#partition.queue, where: this.name, error: failed.reason });
  }

  /** Those that can be read here, and what is to be done with the others. */
  #sorted(schedules: readonly Read[], nowMs: number): { found: Found[]; strange: MoveItem[] } {
    const sorted: { found: Found[]; strange: MoveItem[] } = { found: [], strange: [] };
    for (const { name, definition: rule, cursor: text } of schedules) {
      const definition = this.#definitions.of(rule);
      const known = decodeCursor(text);
      if (rule === '') {
        sorted.strange.push(forgotten({ name, text }));
        continue;
      }
      if (definition === undefined || (known === undefined && text !== '')) {
        sorted.strange.push(postponed({ name, text }, nowMs + strangerMs));
        continue;
      }
      try {
        // One whose cursor somebody has taken away begins anew.
        const cursor = known ?? newCursor(definition.version, nowMs, nextNominal(definition.timing, nowMs));
        sorted.found.push({ name, definition, rule, cursor, text });
      } catch (error) {
        sorted.strange.push(this.#setAside({ name, text }, error, nowMs));
      }
    }
    return sorted;
  }

  /** With the ends of its last occurrences looked at, where its policy asks for that: up to the first that has none yet. */
  async #judged(found: Found, nowMs: number): Promise<Found> {
    if (found.definition.policy.pauseAfter === null) return found;
    let { cursor } = found;
    for (const nominalMs of unjudged(cursor)) {
      const end = await this.#occurrences.endOf(found.name, nominalMs);
      if (end === 'open' || cursor.pause !== null) break;
      cursor = judge({ ...found, cursor }, end, nowMs);
    }
    return { ...found, cursor };
  }

  /** Takes the moves; returns those that a former occurrence blocks. */
  async #take(reign: Reign, moves: readonly Move[], nowMs: number): Promise<Move[]> {
    const items = moves.map((move) => itemOf(move, nowMs));
    const marks = await this.#send(reign, items);
    moves.forEach((move, nth) => {
      if (marks[nth] === 'f' || marks[nth] === 'm') this.#tell(move, items[nth] as MoveItem, nowMs);
    });
    return moves.filter((_move, nth) => marks[nth] === 'b');
  }

  async #send({ term, token, refused }: Reign, items: readonly MoveItem[]): Promise<string> {
    let marks = '';
    for (const some of batchesOf(items)) {
      const reply = await this.#partition.run(tick, { term: String(term), token, items: some });
      if (reply.status === 'stale_term') {
        refused('schedule');
        return marks;
      }
      marks += reply.marks;
    }
    return marks;
  }

  async #unblocked({ from, step }: Move, reign: Reign, at: Instants): Promise<Move> {
    const next = planBlocked(from, at);
    if (next !== 'cancel') return { from, step: next };
    await this.#occurrences.cancel(occurrenceId(from.name, step.unlessMs ?? 0), reign);
    return { from, step };
  }

  #tell({ step }: Move, { dueMs }: MoveItem, nowMs: number): void {
    const { queue } = this.#partition;
    const { passed, fireMs } = step;
    if (passed !== null) this.#observe({ type: 'occurrences', queue, outcome: passed.why, count: passed.count });
    if (fireMs === null) return;
    this.#observe({ type: 'occurrences', queue, outcome: 'fired', count: 1, lateMs: Math.max(0, nowMs - dueMs) });
  }
}

/** Of items and bytes that Redis takes a few ms for. */
function batchesOf(items: readonly MoveItem[]): MoveItem[][] {
  const batches: MoveItem[][] = [];
  let bytes = bytesMax;
  for (const item of items) {
    const last = batches.at(-1);
    if (last !== undefined && last.length < batchMax && bytes < bytesMax) last.push(item);
    else {
      batches.push([item]);
      bytes = 0;
    }
    bytes += item.record.length;
  }
  return batches;
}
