import { Waker } from '../loop.js';
import type { Partition } from '../redis/partition.js';
import { schedules, tick } from '../redis/scripts.generated.js';
import { decodeCursor } from '../schedule/cursor-text.js';
import { decodeDefinition } from '../schedule/definition.js';
import { postponed } from '../schedule/moves.js';
import { lookMs } from '../schedule/look.js';
import type { Duty, Reign } from './duty.js';

const pageMax = 100;
/** A thousand schedules take five minutes. */
const slowMs = 30_000;

/**
 * Walks over all schedules, for ever, and puts those back into the order of what is upcoming that have fallen out of it, by
 * somebody's hand: else they would never be looked at again.
 */
export class ScheduleSweeper implements Duty {
  readonly name = 'sweep schedules';
  readonly waker: Waker = new Waker();
  readonly #partition: Partition;
  #position = '0';

  constructor(parts: { partition: Partition }) {
    this.#partition = parts.partition;
  }

  async tick({ term, token, refused }: Reign): Promise<number> {
    const page = await this.#partition.run(schedules, { name: '', position: this.#position, count: pageMax });
    this.#position = page.next;
    const items = page.schedules.flatMap(({ name, definition: rule, cursor: text, lookMs: look }) => {
      const [definition, cursor] = [decodeDefinition(rule), decodeCursor(text)];
      const isKnown = definition !== undefined && cursor !== undefined;
      const wantedMs = isKnown ? lookMs({ definition, cursor }, page.nowMs) : page.nowMs;
      return look === '' && wantedMs !== null ? [postponed({ name, text }, wantedMs)] : [];
    });
    if (items.length === 0) return slowMs;
    const reply = await this.#partition.run(tick, { term: String(term), token, items });
    if (reply.status === 'stale_term') refused('schedule');
    return slowMs;
  }
}
