import { createHash } from 'node:crypto';
import type { Partition, Partitions } from '../redis/partition.js';
import { schedule, schedules, tick } from '../redis/scripts.generated.js';
import { encodeCursor } from '../schedule/cursor.js';
import { placeOf } from '../schedule/definition.js';
import { type Found, postponed } from '../schedule/moves.js';
import { lookMs } from '../schedule/plan.js';
import type { Reign } from './duty.js';

/**
 * Moves schedules to where they belong since the queue has grown, in three steps, for no script crosses partitions: the one
 * here is marked, and fires nothing from then on; the one there is made, unless it is there already; the one here is taken
 * away. Who is cut short leaves a mark behind, and whoever leads next goes on from it. A leader of before can't make one
 * there again: that is fenced by its term.
 */
export class ScheduleMover {
  readonly #partition: Partition;
  readonly #partitions: Partitions;

  constructor(parts: { partition: Partition; partitions: Partitions }) {
    this.#partition = parts.partition;
    this.#partitions = parts.partitions;
  }

  belongsHere({ name, definition }: Found): boolean {
    return this.#partitions.of(placeOf(name, definition)) === this.#partition;
  }

  async move(found: Found, reign: Reign, nowMs: number): Promise<void> {
    const { term, token } = { term: String(reign.term), token: reign.token };
    const { name, rule, cursor } = found;
    const marked = { ...cursor, isMoving: true };
    const text = encodeCursor(marked);
    if (!cursor.isMoving) {
      const mark = { ...postponed(found, lookMs(marked, nowMs) ?? nowMs), cursor: text };
      const reply = await this.#partition.run(tick, { term, token, items: [mark] });
      if (reply.status === 'stale_term') return reign.refused('schedule');
      if (reply.marks !== 'm') return; // somebody has changed it: it is met again
    }
    if (!cursor.isMoving || !(await this.#isElsewhere(found))) {
      const moved = { ...cursor, isMoving: false };
      const againMs = lookMs(moved, nowMs);
      const made = { lane: '', call: 0, name, wasSha1: '', definition: rule, cursor: encodeCursor(moved), term, token };
      const there = this.#partitions.of(placeOf(name, found.definition));
      const reply = await there.run(schedule, { ...made, lookMs: againMs === null ? '' : String(againMs) });
      if (reply.status === 'stale_term') return; // our term is not claimed there yet, or another's is: that partition's own duties will see
    }
    const wasSha1 = createHash('sha1').update(`${rule}\n${text}`).digest('hex');
    const nothing = { definition: '', cursor: '', lookMs: '', term: '', token: '' };
    await this.#partition.run(schedule, { lane: '', call: 0, name, wasSha1, ...nothing });
  }

  /** Whether a move that was cut short has got there, also when the queue has grown again since. */
  async #isElsewhere({ name, definition }: Found): Promise<boolean> {
    const others = this.#partitions.placesOf(placeOf(name, definition)).filter((one) => one !== this.#partition);
    const replies = await Promise.all(others.map((one) => one.run(schedules, { name, position: '0', count: 1 })));
    return replies.some((reply) => reply.schedules.length > 0);
  }
}
