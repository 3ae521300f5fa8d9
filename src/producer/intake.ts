import { DuestreamError, invalid } from '../errors.js';
import type { Layout } from '../redis/layout.js';
import { introduce, type Servers } from '../redis/servers.js';
import type { TaskLimits } from '../task.js';
import type { AddStatus } from './adder.js';
import type { Adders } from './adders.js';
import { type AddItem, type NewTask, newTask, type TaskOptions, toItem } from './new-task.js';
import type { AddResult } from './results.js';

export interface IntakeParts {
  queue: string;
  prefix: string;
  servers: Servers;
  layout: Layout;
  adders: Adders;
  limits: TaskLimits;
  /** Throws ERR_CLOSED. */
  assertOpen: () => void;
}

/** Takes in new tasks: checks all of them before anything is sent, learns how many partitions there are, and adds them. */
export class Intake {
  readonly #parts: IntakeParts;
  #isIntroduced = false;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  async add(name: string, payload: unknown, options?: TaskOptions): Promise<AddResult> {
    const { assertOpen, layout, adders } = this.#parts;
    assertOpen();
    const task = newTask(name, payload, options);
    const item = layout.isSettled ? this.#item(task) : await this.#settled(() => this.#item(task));
    if (!this.#isIntroduced) void this.introduce();
    return { id: item.id, status: await adders.add(item) };
  }

  async addMany(tasks: readonly NewTask[]): Promise<AddResult[]> {
    if (!Array.isArray(tasks)) throw invalid('addMany takes an array of tasks');
    const { layout, adders } = this.#parts;
    const make = (): AddItem[] => this.#items(tasks);
    const items = layout.isSettled ? make() : await this.#settled(make);
    if (!this.#isIntroduced) void this.introduce();
    const statuses = await adders.addAll(items);
    return items.map(({ id }, at) => ({ id, status: statuses[at] as AddStatus }));
  }

  /** Makes the queue's name known; a failure is no reason not to add, but one to try again with the next task. */
  async introduce(): Promise<void> {
    const { queue, prefix, servers } = this.#parts;
    this.#isIntroduced = true;
    this.#isIntroduced = await introduce(servers, prefix, queue);
  }

  #items(tasks: readonly NewTask[]): AddItem[] {
    return tasks.map((task, at) => {
      try {
        return this.#item(task);
      } catch (error) {
        if (tasks.length > 1 && error instanceof DuestreamError) {
          throw new DuestreamError(error.code, `task ${at + 1} of ${tasks.length}: ${error.message}`, { cause: error });
        }
        throw error;
      }
    });
  }

  /** Makes it for a check before anything is sent, and again when it is known how many partitions there are. */
  async #settled<T>(make: () => T): Promise<T> {
    make();
    await this.#parts.layout.settle();
    return make();
  }

  #item(task: NewTask): AddItem {
    const { limits, layout } = this.#parts;
    return toItem(task, limits, Math.max(1, layout.partitions));
  }
}
