import type { Observation } from '../events.js';
import type { Series } from './series.js';

type Load = Extract<Observation, { type: 'in_flight' }>;

/**
 * What the workers of this process carry, summed per queue: a label per worker would leave a series behind for each
 * worker ever started. A worker that stops says a concurrency of 0, and is forgotten.
 */
export class WorkerLoads {
  readonly #inFlight;
  readonly #concurrency;
  readonly #loads = new Map<string, Map<string, Load>>();

  constructor(series: Series) {
    const labels = ['queue'] as const;
    this.#inFlight = series.gauge('worker_tasks_in_flight', 'Handlers at work in this process.', { labels });
    this.#concurrency = series.gauge('worker_concurrency', 'Handlers this process runs at most.', { labels });
  }

  meetQueue(queue: string): void {
    this.#inFlight.set({ queue }, 0);
    this.#concurrency.set({ queue }, 0);
  }

  set(load: Load): void {
    const { queue, worker } = load;
    const workers = this.#loads.get(queue) ?? new Map<string, Load>();
    this.#loads.set(queue, workers);
    if (load.concurrency === 0 && load.inFlight === 0) workers.delete(worker);
    else workers.set(worker, load);
    const loads = [...workers.values()];
    this.#inFlight.set({ queue }, sum(loads.map(({ inFlight }) => inFlight)));
    this.#concurrency.set({ queue }, sum(loads.map(({ concurrency }) => concurrency)));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
