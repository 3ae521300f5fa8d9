import { invalid } from '../errors.js';
import { wholeNumber } from '../options.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import { get, list } from '../redis/scripts.generated.js';
import type { TaskInfo, TaskState } from '../task.js';
import type { TaskPage } from './results.js';
import { fieldsOf, fromFields, toTaskInfo } from './task-info.js';

const livingStates: readonly TaskState[] = ['scheduled', 'ready', 'active'];
/** What `after` looks like: 'score id' among the scheduled, else the number of a stream's entry. */
const scheduledPlace = /^\S+ ./;
const streamPlace = /^\d+-\d+$/;
const endedStates: readonly TaskState[] = ['cancelled', 'expired'];

export interface ListOptions {
  /** Default `scheduled`. For dead ones there is `queue.dead.list`. */
  readonly state?: TaskState;
  /** What the last page gave. */
  readonly after?: string;
  /** 1 to 1,000, default 100. */
  readonly limit?: number;
}

/** A state alone, as in `list('ready')`, would be read letter by letter. */
function checkIsObject(options: unknown): void {
  if (typeof options === 'object' && options !== null) return;
  const state = typeof options === 'string' ? options.slice(0, 40) : 'scheduled';
  throw invalid(`list takes an object such as { state: ${JSON.stringify(state)} }`);
}

/** Reads what a queue holds; writes nothing. A page is a look at something that moves: what leaves meanwhile is left out. */
export class Inspector {
  readonly #partitions: Partitions;

  constructor(partitions: Partitions) {
    this.#partitions = partitions;
  }

  async get(id: string): Promise<TaskInfo | null> {
    return toTaskInfo(id, await this.#partitions.of(id).run(get, { id }));
  }

  async list(options: ListOptions): Promise<TaskPage> {
    checkIsObject(options);
    const { state = 'scheduled', after = '', limit = 100 } = options;
    const unknown = Object.keys(options).find((key) => !['state', 'after', 'limit'].includes(key));
    if (unknown !== undefined) throw invalid(`unknown option "${unknown}": expected state, after or limit`);
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
    const place = state === 'scheduled' ? scheduledPlace : streamPlace;
    if (typeof after !== 'string' || (after !== '' && !place.test(after)))
      throw invalid('after must be what the last page gave');
    const [partition] = this.#partitions.all as [Partition];
    if (livingStates.includes(state)) {
      const page = await partition.run(list, { state, after, limit });
      const infos = await Promise.all(page.ids.map((id) => this.get(id)));
      const tasks = infos.filter((info) => info !== null && info.state === state) as TaskInfo[];
      return { tasks, after: page.after === '' ? null : page.after };
    }
    if (endedStates.includes(state)) return this.#listEnded(partition, { state, after, limit });
    if (state === 'dead') throw invalid('dead letters have a list of their own: queue.dead.list');
    throw invalid(`state must be one of ${[...livingStates, ...endedStates].join(', ')}`);
  }

  async #listEnded({ caller, keys }: Partition, page: Required<ListOptions>): Promise<TaskPage> {
    const tasks: TaskInfo[] = [];
    let from = page.after;
    while (tasks.length < page.limit) {
      const start = from === '' ? '-' : `(${from}`;
      const entries = (await caller.send(['XRANGE', keys.ended, start, '+', 'COUNT', '500'])) as [string, Reply[]][];
      for (const [number, flat] of entries) {
        from = number;
        const fields = fieldsOf(flat);
        if (fields['state'] === page.state) tasks.push(fromFields(fields['id'] ?? '', page.state, fields));
        if (tasks.length === page.limit) return { tasks, after: from };
      }
      if (entries.length < 500) break;
    }
    return { tasks, after: null };
  }
}
