import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Observe } from '../events.js';
import { newToken } from '../random.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { schedule, tick } from '../redis/scripts.generated.js';
import type { Cursor, Moving } from '../schedule/cursor.js';
import { encodeCursor } from '../schedule/cursor-text.js';
import { occurrenceId, placeOf } from '../schedule/definition.js';
import { lookMs } from '../schedule/look.js';
import { type Found, type MoveItem, postponed } from '../schedule/moves.js';
import type { Reign } from './duty.js';
import { Occurrences } from './occurrences.js';

/** When those are met again that could not be moved: after the others, however many they are. */
const againMs = 1_000;
/** For so long that is told of. */
const troubleMs = 5_000;

/**
 * Moves schedules to where they belong since the queue has grown, in three steps, for no script crosses partitions: the one
 * here is marked, and fires nothing from then on; the one there is made; the one here is taken away. Who is cut short leaves
 * the mark behind, and whoever leads goes on from it. The mark says where to, and has a name, by which the one there is made
 * once, whoever does it and however often: also when somebody has taken it away since.
 */
export class ScheduleMover {
  readonly #partition: Partition;
  readonly #partitions: Partitions;
  readonly #observe: Observe;
  readonly #clock: Clock;
  readonly #occurrences: Occurrences;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: { partition: Partition; partitions: Partitions; observe: Observe; clock: Clock }) {
    this.#partition = parts.partition;
    this.#partitions = parts.partitions;
    this.#observe = parts.observe;
    this.#clock = parts.clock;
    this.#occurrences = new Occurrences(parts.partition);
  }

  /** In words, while some can't be moved. */
  get trouble(): string | undefined {
    if (this.#clock.monotonicMs() - this.#failedAtMs > troubleMs) return undefined;
    return `schedules can not be moved from partition ${this.#partition.index} to where they belong since the queue grew`;
  }

  /** Those that belong to another partition since the queue has grown. Who must wait for an occurrence here stays until then. */
  async leaving(found: readonly Found[], nowMs: number): Promise<Found[]> {
    const strays = found.filter((one) => one.cursor.moving !== null || this.#whereTo(one) !== this.#partition);
    const areFree = await Promise.all(strays.map((one) => this.#isFree(one, nowMs)));
    return strays.filter((_one, at) => areFree[at]);
  }

  /** Returns what puts off those that could not be moved, for their new partition is away, say: that is told. */
  async moveAll(leaving: readonly Found[], reign: Reign, nowMs: number): Promise<MoveItem[]> {
    const putOff = await Promise.all(leaving.map((found) => this.#move({ found, reign, nowMs })));
    return putOff.filter((one) => one !== undefined);
  }

  async #isFree({ name, definition, cursor }: Found, nowMs: number): Promise<boolean> {
    const lastMs = cursor.fired.at(-1);
    const { overlap } = definition.policy;
    if (cursor.moving !== null || overlap === 'allow' || lastMs === undefined) return true;
    const makesRoom = overlap === 'cancelOther' && (cursor.nextMs ?? Number.POSITIVE_INFINITY) <= nowMs;
    return makesRoom || (await this.#occurrences.endOf(name, lastMs)) !== 'open';
  }

  #whereTo({ name, definition }: Found): Partition {
    return this.#partitions.of(placeOf(name, definition));
  }

  /** What puts it off; undefined: it is moved, or somebody has changed it, and it is met again. */
  async #move({ found, reign, nowMs }: Errand): Promise<MoveItem | undefined> {
    const { moving } = found.cursor;
    const marked = { ...found.cursor, moving: moving ?? { to: this.#whereTo(found).index, id: newToken() } };
    const text = moving === null ? encodeCursor(marked) : found.text;
    const step = { found, marked, text, reign, nowMs };
    if (moving === null && !(await this.#mark(step))) return undefined;
    try {
      if (await this.#make(step)) {
        await this.#makeRoom(found, reign);
        await this.#takeAway(step);
        return undefined;
      }
    } catch (error) {
      this.#observe({ type: 'error', queue: this.#partition.queue, where: 'schedule', error });
    }
    this.#failedAtMs = this.#clock.monotonicMs();
    return postponed({ name: found.name, text }, nowMs + againMs);
  }

  /** False: somebody has changed it; or the seat is another's. */
  async #mark({ found, marked, text, reign, nowMs }: Step): Promise<boolean> {
    const item = { ...postponed(found, lookMs({ ...found, cursor: marked }, nowMs) ?? nowMs), cursor: text };
    const { term, token } = reign;
    const reply = await this.#partition.run(tick, { term: String(term), token, items: [item] });
    if (reply.status === 'stale_term') reign.refused('schedule');
    return reply.status === 'ok' && reply.marks === 'm';
  }

  /** False: our term is not claimed there yet, or another's is; that partition's own duties see to it. */
  async #make({ found, marked, reign, nowMs }: Step): Promise<boolean> {
    const { name, rule, definition } = found;
    const there = this.#partitions.all[marked.moving.to];
    if (there === undefined) return false; // this process has yet to hear of it
    const moved = { ...marked, moving: null };
    const lookAtMs = lookMs({ definition, cursor: moved }, nowMs);
    const reply = await there.run(schedule, {
      lane: `move ${marked.moving.id}`,
      call: 1,
      name,
      wasSha1: '',
      definition: rule,
      cursor: encodeCursor(moved),
      lookMs: lookAtMs === null ? '' : String(lookAtMs),
      term: String(reign.term),
      token: reign.token,
    });
    return reply.status !== 'stale_term';
  }

  /** Once the one there stands, which does not see what runs here. */
  async #makeRoom({ name, definition, cursor }: Found, reign: Reign): Promise<void> {
    const lastMs = cursor.fired.at(-1);
    if (definition.policy.overlap !== 'cancelOther' || lastMs === undefined) return;
    await this.#occurrences.cancel(occurrenceId(name, lastMs), reign);
  }

  async #takeAway({ found, text }: Step): Promise<void> {
    const { name, rule } = found;
    const wasSha1 = createHash('sha1').update(`${rule}\n${text}`).digest('hex');
    const nothing = { definition: '', cursor: '', lookMs: '', term: '', token: '' };
    await this.#partition.run(schedule, { lane: '', call: 0, name, wasSha1, ...nothing });
  }
}

interface Errand {
  readonly found: Found;
  readonly reign: Reign;
  readonly nowMs: number;
}

interface Step extends Errand {
  readonly marked: Cursor & { readonly moving: Moving };
  /** The cursor with the mark, as Redis has it. */
  readonly text: string;
}
