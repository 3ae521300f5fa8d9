import { invalid } from '../errors.js';
import { checkOptions, wholeNumber } from '../options.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { Reply } from '../redis/reply.js';
import { get, list } from '../redis/scripts.generated.js';
import type { TaskInfo, TaskState } from '../task.js';
import { type Page, pageOver, type ReadPage } from './pages.js';
import type { TaskPage } from './results.js';
import { fieldsOf, fromFields, toTaskInfo } from './task-info.js';
import { askWhereItIs, type TaskPlace } from './task-place.js';

const livingStates: readonly TaskState[] = ['scheduled', 'ready', 'active'];
/** What a place in a partition looks like: 'score id' among the scheduled, else the number of a stream's entry. */
const scheduledPlace = /^\d{1,16} ./;
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

interface From {
  readonly state: TaskState;
  readonly from: string;
  readonly limit: number;
}

/** A state alone, as in `list('ready')`, would be read letter by letter. */
function checkIsNoState(options: unknown): void {
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

  async get(place: TaskPlace): Promise<TaskInfo | null> {
    const { id } = place;
    const at = { partitions: this.#partitions, readable: this.#partitions };
    return toTaskInfo(id, await askWhereItIs(place, at, (partition) => partition.run(get, { id })));
  }

  async list(options: ListOptions): Promise<TaskPage> {
    checkIsNoState(options);
    checkOptions(options, ['state', 'after', 'limit']);
    const { state = 'scheduled', after = '', limit = 100 } = options;
    wholeNumber(limit, 'limit', { min: 1, max: 1_000 });
    const place = state === 'scheduled' ? scheduledPlace : streamPlace;
    const read = this.#reader(state);
    const page = await pageOver(this.#partitions, { after, limit, place }, read);
    return { tasks: page.items, after: page.after };
  }

  #reader(state: TaskState): ReadPage<TaskInfo> {
    if (livingStates.includes(state))
      return (partition, from, limit) => this.#listLiving(partition, { state, from, limit });
    if (endedStates.includes(state))
      return (partition, from, limit) => this.#listEnded(partition, { state, from, limit });
    if (state === 'dead') throw invalid('dead letters have a list of their own: queue.dead.list');
    throw invalid(`state must be one of ${[...livingStates, ...endedStates].join(', ')}`);
  }

  async #listLiving(partition: Partition, { state, from, limit }: From): Promise<Page<TaskInfo>> {
    const page = await partition.run(list, { state, after: from, limit });
    const infos = await Promise.all(page.ids.map(async (id) => toTaskInfo(id, await partition.run(get, { id }))));
    const items = infos.filter((info) => info !== null && info.state === state) as TaskInfo[];
    return { items, after: page.after === '' ? null : page.after };
  }

  async #listEnded({ caller, keys }: Partition, page: From): Promise<Page<TaskInfo>> {
    const items: TaskInfo[] = [];
    let { from } = page;
    while (items.length < page.limit) {
      const start = from === '' ? '-' : `(${from}`;
      const entries = (await caller.send(['XRANGE', keys.ended, start, '+', 'COUNT', '500'])) as [string, Reply[]][];
      for (const [number, flat] of entries) {
        from = number;
        const fields = fieldsOf(flat);
        if (fields['state'] === page.state) items.push(fromFields(fields['id'] ?? '', page.state, fields));
        if (items.length === page.limit) return { items, after: from };
      }
      if (entries.length < 500) break;
    }
    return { items, after: null };
  }
}
