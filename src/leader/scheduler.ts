import type { Clock } from '../clock.js';
import type { Observe } from '../events.js';
import { Waker } from '../loop.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { tick } from '../redis/scripts.generated.js';
import { planBlocked } from '../schedule/blocked.js';
import { occurrenceId } from '../schedule/definition.js';
import { graceMsMin, type Instants } from '../schedule/fate.js';
import { judge, unjudged } from '../schedule/judge.js';
import { type Found, type Move, type MoveItem, movesOf } from '../schedule/moves.js';
import { plan } from '../schedule/plan.js';
import { aheadMs, stay } from '../schedule/step.js';
import type { Duty, Reign } from './duty.js';
import { Occurrences } from './occurrences.js';
import { ScheduleMover } from './schedule-mover.js';
import { ScheduleReader } from './schedule-reader.js';

/** Of one call that fires: Redis takes 1 to 2 ms for as many. */
const batchMax = 100;
const bytesMax = 256 * 1024;
/** Where listening is not allowed a new schedule waits that long at most; whoever listens is woken, also after a break. */
const lookMsMax = 15_000;
/** What one look works out at most, and hands over. */
const planMsMax = 20;
const planBytesMax = 1024 * 1024;

/** What was worked out in one look. */
interface Planned {
  readonly moves: Move[];
  /** What is to be done with those that can't be worked out here. */
  readonly aside: MoveItem[];
  /** There was no time for all of them. */
  isCut: boolean;
}

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
  readonly #reader: ScheduleReader;
  readonly #mover: ScheduleMover;
  readonly #occurrences: Occurrences;

  constructor(parts: {
    partition: Partition;
    partitions: Partitions;
    observe: Observe;
    clock: Clock;
    lockTtlMs: number;
  }) {
    this.#clock = parts.clock;
    this.#reader = new ScheduleReader(parts);
    this.#mover = new ScheduleMover(parts);
    this.#occurrences = new Occurrences(parts.partition);
    this.#partition = parts.partition;
    this.#observe = parts.observe;
    this.#graceMs = Math.max(graceMsMin, 2 * parts.lockTtlMs);
  }

  get trouble(): string | undefined {
    return this.#mover.trouble;
  }

  async tick(reign: Reign): Promise<number> {
    const { nowMs, nextMs, found, strange } = await this.#reader.look();
    const all = await Promise.all(found.map((one) => this.#judged(one, nowMs)));
    const leaving = await this.#mover.leaving(all, nowMs);
    const planned = this.#plan(
      all.filter((one) => !leaving.includes(one)),
      nowMs,
    );
    const aside = [...strange, ...planned.aside];
    await this.#send(reign, aside);
    const blocked = await this.#take(reign, planned.moves, nowMs);
    const unblocked = await this.#unblock(blocked, reign, nowMs);
    await this.#send(reign, unblocked.aside);
    await this.#take(reign, unblocked.moves, nowMs);
    const stuck = await this.#mover.moveAll(leaving, reign, nowMs);
    await this.#send(reign, stuck);
    const isUnderWay = planned.isCut || unblocked.isCut || planned.moves.length > 0 || leaving.length > stuck.length;
    if (isUnderWay) return 0;
    const putOff = [...aside, ...unblocked.aside, ...stuck].filter(({ lookMs }) => lookMs !== '');
    return Math.max(
      0,
      Math.min(
        lookMsMax,
        Math.min(nextMs ?? Number.POSITIVE_INFINITY, ...putOff.map(({ lookMs }) => Number(lookMs))) - nowMs - aheadMs,
      ),
    );
  }

  /** As much as a look may take: time, so that the leader's other duties go on, and bytes. */
  #plan(found: readonly Found[], nowMs: number): Planned {
    const at = this.#instants(nowMs);
    const planned: Planned = { moves: [], aside: [], isCut: false };
    let bytes = 0;
    for (const [nth, one] of found.entries()) {
      const isFull = bytes > planBytesMax || (nth > 0 && !at.hasTime());
      if (isFull) return { ...planned, isCut: true };
      const moves = this.#worked(one, { ...planned, nowMs }, () => {
        const steps = plan(one, at);
        return movesOf(one, steps.length === 0 ? [stay(one.cursor)] : steps, nowMs); // looked at too early: it says when
      });
      for (const move of moves) {
        if (bytes > planBytesMax) return { ...planned, isCut: true };
        bytes += bytesOf(move.item);
        planned.moves.push(move);
      }
    }
    return planned;
  }

  /** What is to be done where a former occurrence is not settled. */
  async #unblock(blocked: readonly Move[], reign: Reign, nowMs: number): Promise<Planned> {
    const at = this.#instants(nowMs);
    const planned: Planned = { moves: [], aside: [], isCut: false };
    const toCancel: string[] = [];
    for (const [nth, move] of blocked.entries()) {
      if (nth > 0 && !at.hasTime()) {
        planned.isCut = true;
        break;
      }
      const { from, step } = move;
      const moves = this.#worked(from, { ...planned, nowMs }, () => {
        const steps = planBlocked(from, at);
        if (steps !== 'cancel') return movesOf(from, steps, nowMs);
        toCancel.push(occurrenceId(from.name, step.unlessMs ?? 0));
        return [move];
      });
      planned.moves.push(...moves);
    }
    await Promise.all(toCancel.map((id) => this.#occurrences.cancel(id, reign)));
    return planned;
  }

  #worked(one: Found, { aside, nowMs }: { aside: MoveItem[]; nowMs: number }, work: () => Move[]): Move[] {
    try {
      return work();
    } catch (error) {
      aside.push(this.#reader.setAside(one, error, nowMs));
      return [];
    }
  }

  /** What is worked out from now on has the time of one look. */
  #instants(nowMs: number): Required<Instants> {
    const endMs = this.#clock.monotonicMs() + planMsMax;
    return { nowMs, graceMs: this.#graceMs, hasTime: () => this.#clock.monotonicMs() < endMs };
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
    const marks = await this.#send(
      reign,
      moves.map(({ item }) => item),
    );
    moves.forEach((move, nth) => {
      if (marks[nth] === 'f' || marks[nth] === 'm') this.#tell(move, nowMs);
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

  #tell({ step, item }: Move, nowMs: number): void {
    const { queue } = this.#partition;
    const { passed, fireMs } = step;
    if (passed !== null) this.#observe({ type: 'occurrences', queue, outcome: passed.why, count: passed.count });
    if (fireMs === null) return;
    this.#observe({ type: 'occurrences', queue, outcome: 'fired', count: 1, lateMs: Math.max(0, nowMs - item.dueMs) });
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
    bytes += bytesOf(item);
  }
  return batches;
}

/** A cursor may be long, where a thousand wait. */
function bytesOf({ record, was, cursor }: MoveItem): number {
  return record.length + was.length + cursor.length;
}
