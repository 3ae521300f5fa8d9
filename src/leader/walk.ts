import type { Partition } from '../redis/partition.js';
import { has, scan } from '../redis/scripts.generated.js';
import { keyIn } from '../task.js';

const pageMax = 100;
const pageBytesMax = 128 * 1024;

/** A pass over the tasks of one partition, on one server. */
interface Pass {
  readonly partition: Partition;
  cursor: string;
  /** Its run_id; undefined before the first page. */
  server: string | undefined;
}

/**
 * Goes over all tasks of some partitions, one partition after the other, to see whether any belongs elsewhere: `met`, while
 * one does that it has found; `done`, when it has been everywhere and found none. It goes on from where it met one, for
 * where it has been none comes to life again.
 *
 * A cursor means nothing to another server, nor to the same after a restart: then that partition is walked over anew; and
 * before it is done it sees whether all are still where they were.
 */
export class Walk {
  readonly #belongsElsewhere: (keyOrId: string, index: number) => boolean;
  readonly #passes: Pass[];
  #at = 0;
  #met: string | undefined;

  constructor(partitions: readonly Partition[], belongsElsewhere: (keyOrId: string, index: number) => boolean) {
    this.#passes = partitions.map((partition) => ({ partition, cursor: '0', server: undefined }));
    this.#belongsElsewhere = belongsElsewhere;
  }

  /** One call to Redis; at the end, one for each partition. */
  async step(): Promise<'met' | 'more' | 'done'> {
    const pass = this.#passes[this.#at];
    if (pass === undefined) return this.#confirm();
    if (this.#met !== undefined) {
      const { marks } = await pass.partition.run(has, { items: [{ id: this.#met }] });
      if (marks === 'y') return 'met';
      this.#met = undefined;
    }
    return this.#page(pass);
  }

  async #page(pass: Pass): Promise<'met' | 'more'> {
    const { partition, cursor, server } = pass;
    const page = await partition.run(scan, { cursor, count: pageMax, bytesMax: pageBytesMax });
    const isAnother = server !== undefined && server !== page.server;
    pass.server = page.server;
    if (isAnother) {
      pass.cursor = '0';
      return 'more';
    }
    const met = page.tasks.find(({ id, key, record }) =>
      this.#belongsElsewhere(placeOf(id, key, record), partition.index),
    );
    this.#met = met?.id;
    if (met !== undefined) return 'met';
    pass.cursor = page.cursor;
    if (page.cursor === '0') this.#at += 1;
    return 'more';
  }

  async #confirm(): Promise<'more' | 'done'> {
    const replies = await Promise.all(
      this.#passes.map(({ partition }) => partition.run(scan, { cursor: '0', count: 1, bytesMax: 1 })),
    );
    const moved = this.#passes.findIndex(({ server }, at) => server !== replies[at]?.server);
    if (moved === -1) return 'done';
    this.#passes.forEach((pass, at) => {
      if (pass.server !== replies[at]?.server) Object.assign(pass, { cursor: '0', server: undefined });
    });
    this.#at = moved;
    return 'more';
  }
}

/** What says where the task belongs. */
function placeOf(id: string, key: string, record: string): string {
  if (key !== '') return JSON.parse(key) as string;
  return (record === '' ? undefined : keyIn(record)) ?? id;
}
