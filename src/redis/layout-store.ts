import type { Clock } from '../clock.js';
import { partitionKeys } from '../keys.js';
import { type Caller, runScript } from './script.js';
import { create, type GrowReply, grow } from './scripts.generated.js';

export interface LayoutStoreParts {
  queue: string;
  prefix: string;
  /** Where a partition's key lives. A lost reply may be repeated: asking, settling and growing are safe to repeat. */
  callerFor: (key: string) => Caller;
  clock: Clock;
}

/** What the first partition has. */
export interface Root {
  readonly layout: string | undefined;
  readonly isPaused: boolean;
}

/** A server that has not answered for so long may be down. */
const awayMs = 2_000;

/** What those who are asked in its place have left when the first was waited for in vain. */
const restMs = 500;

/** Asked in place of the first: they may lie on other servers. */
const others = [1, 2, 3];
/** A partition that was never written to. */
const hasNone = new Error('it has no layout');

/** The layout as the partitions of a queue keep it, each in its `meta`. */
export class LayoutStore {
  readonly #parts: LayoutStoreParts;

  constructor(parts: LayoutStoreParts) {
    this.#parts = parts;
  }

  async root(): Promise<Root> {
    const { meta, caller } = this.#at(0);
    const [layout, paused] = (await caller.send(['HMGET', meta, 'layout', 'paused'])) as (string | null)[];
    return { layout: layout ?? undefined, isPaused: paused === '1' };
  }

  /**
   * What the queue has, from the first partition; when that is away, from another, which is as good for whoever uses it:
   * what that lacks is learned from those who have more. `isLost`: the first is there, and has none.
   */
  async find(): Promise<{ layout: string | undefined; isLost: boolean }> {
    const { clock } = this.#parts;
    const answered = new AbortController();
    const over = new AbortController();
    let isThere = false;
    let found: string | undefined;
    const root = this.root()
      .then((first) => {
        isThere = true;
        return first;
      })
      .finally(() => answered.abort());
    const first = root.then(
      () => undefined,
      () => clock.sleep(restMs, over.signal).then(() => found),
    );
    const other = clock
      .sleep(awayMs, answered.signal)
      .then(() => (isThere ? undefined : this.#ofOthers()))
      .then((layout) => {
        found = layout;
        return layout ?? Promise.reject(hasNone);
      })
      .finally(() => over.abort());
    const instead = await Promise.any([other, first]).catch(() => undefined);
    if (instead !== undefined) return { layout: instead, isLost: false };
    const { layout } = await root;
    return layout === undefined ? { layout: await this.#ofOthers(), isLost: true } : { layout, isLost: false };
  }

  /** Of so many partitions; undefined of those that have none, or can't be asked. */
  all(partitions: number): Promise<(string | undefined)[]> {
    const asked = Array.from({ length: partitions }, (_, index) => this.#of(index).catch(() => undefined));
    return Promise.all(asked);
  }

  /** Settles it, unless that is done; what holds from now on. */
  async create(layout: string): Promise<string> {
    const { keys, caller } = this.#at(0);
    return (await runScript(caller, create, { keys, args: { layout } })).layout;
  }

  /** Gives a partition a layout, if it has `from`. */
  grow(index: number, args: { layout: string; from: string; waits: string }): Promise<GrowReply> {
    const { keys, caller } = this.#at(index);
    return runScript(caller, grow, { keys, args: { ...args, nowMs: 0 } });
  }

  /** Undefined when those that were asked have none; rejects when some of them can't be asked, and the others have none. */
  async #ofOthers(): Promise<string | undefined> {
    try {
      return await Promise.any(others.map((index) => this.#of(index)));
    } catch (error) {
      const away = (error as AggregateError).errors.find((one) => one !== hasNone) as Error | undefined;
      if (away !== undefined) throw away;
      return undefined;
    }
  }

  async #of(index: number): Promise<string> {
    const { meta, caller } = this.#at(index);
    const layout = await caller.send(['HGET', meta, 'layout']);
    if (typeof layout !== 'string') throw hasNone;
    return layout;
  }

  #at(index: number): { keys: ReturnType<typeof partitionKeys>; meta: string; caller: Caller } {
    const { queue, prefix, callerFor } = this.#parts;
    const keys = partitionKeys(prefix, queue, index);
    return { keys, meta: keys.meta, caller: callerFor(keys.meta) };
  }
}
