import { messageOf } from '../errors.js';
import type { Observe } from '../events.js';
import type { Partition } from '../redis/partition.js';
import { type UpcomingReply, upcoming } from '../redis/scripts.generated.js';
import { newCursor } from '../schedule/cursor.js';
import { decodeCursor } from '../schedule/cursor-text.js';
import { decodeDefinition } from '../schedule/definition.js';
import { Kept } from '../schedule/kept.js';
import { type Found, forgotten, type MoveItem, postponed } from '../schedule/moves.js';
import { nextNominal } from '../schedule/nominal.js';
import { aheadMs } from '../schedule/step.js';

/** Of one look: Redis takes 1 to 2 ms for as many. */
const lookMax = 500;
const bytesMax = 256 * 1024;
/** How long one that can't be read here, of a newer version, is left alone. */
const strangerMs = 10_000;
const definitionsKept = { max: 10_000, charsMax: 32 * 1024 * 1024 };

type Read = Extract<UpcomingReply, { status: 'ok' }>['schedules'][number];

/** The schedules that want to be looked at. */
export interface Look {
  readonly nowMs: number;
  /** When the first of the others wants to be; null: there are no others. */
  readonly nextMs: number | null;
  /** Those that can be read here. */
  readonly found: Found[];
  /** What is to be done with the others. */
  readonly strange: MoveItem[];
}

/** Reads what is upcoming in a partition, and sorts out what this process can't deal with: that is left to others. */
export class ScheduleReader {
  readonly #partition: Partition;
  readonly #observe: Observe;
  /** By their texts: reading a rule costs far more than asking it for its next time. */
  readonly #definitions = new Kept(definitionsKept, decodeDefinition);

  constructor(parts: { partition: Partition; observe: Observe }) {
    this.#partition = parts.partition;
    this.#observe = parts.observe;
  }

  async look(): Promise<Look> {
    const { nowMs, nextMs, schedules } = await this.#partition.run(upcoming, { aheadMs, limit: lookMax, bytesMax });
    const look: Look = { nowMs, nextMs, found: [], strange: [] };
    for (const one of schedules) this.#sort(one, look);
    return look;
  }

  /** One that can't be worked out here, as a zone that this process does not know: the others are well. */
  setAside({ name, text }: { name: string; text: string }, error: unknown, nowMs: number): MoveItem {
    const message = `the schedule ${name} can not be worked out here: ${messageOf(error)}`;
    this.#observe({ type: 'error', queue: this.#partition.queue, where: 'schedule', error: new Error(message) });
    return postponed({ name, text }, nowMs + strangerMs);
  }

  #sort({ name, definition: rule, cursor: text }: Read, { nowMs, found, strange }: Look): void {
    if (rule === '') {
      strange.push(forgotten({ name, text }));
      return;
    }
    const definition = this.#definitions.of(rule);
    const known = decodeCursor(text);
    if (definition === undefined || (known === undefined && text !== '')) {
      strange.push(postponed({ name, text }, nowMs + strangerMs));
      return;
    }
    try {
      // One whose cursor somebody has taken away begins anew.
      const cursor = known ?? newCursor(definition.version, nowMs, nextNominal(definition.timing, nowMs));
      found.push({ name, definition, rule, cursor, text });
    } catch (error) {
      strange.push(this.setAside({ name, text }, error, nowMs));
    }
  }
}
