import { createHash } from 'node:crypto';
import { newToken } from '../random.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { schedule, tick } from '../redis/scripts.generated.js';
import { type Cursor, encodeCursor, type Moving } from '../schedule/cursor.js';
import { occurrenceId, placeOf } from '../schedule/definition.js';
import { type Found, postponed } from '../schedule/moves.js';
import { lookMs } from '../schedule/look.js';
import type { Reign } from './duty.js';
import { Occurrences } from './occurrences.js';

/**
 * Moves schedules to where they belong since the queue has grown, in three steps, for no script crosses partitions: the one
 * here is marked, and fires nothing from then on; the one there is made; the one here is taken away. Who is cut short leaves
 * the mark behind, and whoever leads goes on from it. The mark says where to, and has a name, by which the one there is made
 * once, whoever does it and however often: also when somebody has taken it away since.
 */
export class ScheduleMover {
  readonly #partition: Partition;
  readonly #partitions: Partitions;
  readonly #occurrences: Occurrences;

  constructor(parts: { partition: Partition; partitions: Partitions }) {
    this.#partition = parts.partition;
    this.#partitions = parts.partitions;
    this.#occurrences = new Occurrences(parts.partition);
  }

  /** Those that belong to another partition since the queue has grown. Who must wait for an occurrence here stays until then. */
  async leaving(found: readonly Found[], reign: Reign, nowMs: number): Promise<Found[]> {
    const strays = found.filter((one) => one.cursor.moving !== null || this.#whereTo(one) !== this.#partition);
    const areFree = await Promise.all(strays.map((one) => this.#isFree(one, reign, nowMs)));
    return strays.filter((_one, at) => areFree[at]);
  }

  async #isFree({ name, definition, cursor }: Found, reign: Reign, nowMs: number): Promise<boolean> {
    const lastMs = cursor.fired.at(-1);
    const { overlap } = definition.policy;
    if (cursor.moving !== null || overlap === 'allow' || lastMs === undefined) return true;
    if ((await this.#occurrences.endOf(name, lastMs)) !== 'open') return true;
    if (overlap !== 'cancelOther' || (cursor.nextMs ?? Number.POSITIVE_INFINITY) > nowMs) return false;
    await this.#occurrences.cancel(occurrenceId(name, lastMs), reign);
    return true;
  }

  async move(found: Found, reign: Reign, nowMs: number): Promise<void> {
    const { moving } = found.cursor;
    const marked = { ...found.cursor, moving: moving ?? { to: this.#whereTo(found).index, id: newToken() } };
    if (moving === null && !(await this.#mark(found, { marked, reign, nowMs }))) return;
    if (await this.#make(found, { marked, reign, nowMs })) await this.#takeAway(found, marked);
  }

  #whereTo({ name, definition }: Found): Partition {
    return this.#partitions.of(placeOf(name, definition));
  }

  /** False: somebody has changed it, and it is met again; or the seat is another's. */
  async #mark(found: Found, { marked, reign, nowMs }: Step): Promise<boolean> {
    const item = {
      ...postponed(found, lookMs({ ...found, cursor: marked }, nowMs) ?? nowMs),
      cursor: encodeCursor(marked),
    };
    const { term, token } = reign;
    const reply = await this.#partition.run(tick, { term: String(term), token, items: [item] });
    if (reply.status === 'stale_term') reign.refused('schedule');
    return reply.status === 'ok' && reply.marks === 'm';
  }

  /** False: our term is not claimed there yet, or another's is; that partition's own duties see to it. */
  async #make({ name, rule, definition }: Found, { marked, reign, nowMs }: Step): Promise<boolean> {
    const there = this.#partitions.all[marked.moving.to];
    if (there === undefined) return false; // this process has yet to hear of it
    const moved = { ...marked, moving: null };
    const againMs = lookMs({ definition, cursor: moved }, nowMs);
    const reply = await there.run(schedule, {
      lane: `move ${marked.moving.id}`,
      call: 1,
      name,
      wasSha1: '',
      definition: rule,
      cursor: encodeCursor(moved),
      lookMs: againMs === null ? '' : String(againMs),
      term: String(reign.term),
      token: reign.token,
    });
    return reply.status !== 'stale_term';
  }

  async #takeAway({ name, rule, cursor, text }: Found, marked: Cursor): Promise<void> {
    const mark = cursor.moving === null ? encodeCursor(marked) : text;
    const wasSha1 = createHash('sha1').update(`${rule}\n${mark}`).digest('hex');
    const nothing = { definition: '', cursor: '', lookMs: '', term: '', token: '' };
    await this.#partition.run(schedule, { lane: '', call: 0, name, wasSha1, ...nothing });
  }
}

interface Step {
  readonly marked: Cursor & { readonly moving: Moving };
  readonly reign: Reign;
  readonly nowMs: number;
}
