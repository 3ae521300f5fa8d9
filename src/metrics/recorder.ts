import type { Clock } from '../clock.js';
import type { Observation } from '../events.js';
import { LabelCap } from './label-cap.js';
import { recordLeader } from './record-leader.js';
import { recordProducer } from './record-producer.js';
import { recordRedis } from './record-redis.js';
import { recordSchedules } from './record-schedules.js';
import { recordUpkeep } from './record-upkeep.js';
import { recordWorker } from './record-worker.js';
import type { Part, Recording } from './recording.js';
import type { Series } from './series.js';

const namesPerQueueMax = 200;

/**
 * Turns observations into series. It keeps numbers, queue names, and a bounded number of task names; ids, errors and
 * payloads never reach a label. Nothing here does I/O or waits, for it runs inside the work that it counts.
 */
export class Recorder {
  readonly #recording: Recording;
  readonly #parts: readonly Part<never>[];
  readonly #worker: Part<never>;
  readonly #queues = new Set<string>();
  readonly #handled = new LabelCap(namesPerQueueMax);

  constructor(series: Series, clock: Clock) {
    const producer = recordProducer(series, new LabelCap(namesPerQueueMax));
    const leader = recordLeader(series, clock);
    const worker = recordWorker(series, this.#handled);
    const upkeep = recordUpkeep(series);
    const redis = recordRedis(series);
    const schedules = recordSchedules(series, clock);
    const ofQueues = { ...producer.record, ...leader.record, ...schedules.record, ...worker.record };
    this.#recording = { ...ofQueues, ...upkeep.record, ...redis.record };
    this.#parts = [producer, leader, schedules, worker, upkeep, redis];
    this.#worker = worker;
  }

  /** Starts the series of a queue and of the names handled there at 0. */
  expect(queue: string, names: readonly string[]): void {
    this.#meet(queue);
    for (const name of names) {
      if (this.#handled.expect(queue, name)) this.#worker.meetName?.(queue, name);
    }
  }

  record(seen: Observation): void {
    if ('queue' in seen) this.#meet(seen.queue);
    // The table has for each type what takes that type; TypeScript can't follow the pair through the look-up.
    (this.#recording[seen.type] as (seen: Observation) => void)(seen);
  }

  #meet(queue: string): void {
    if (this.#queues.has(queue)) return;
    this.#queues.add(queue);
    for (const part of this.#parts) part.meetQueue?.(queue);
  }
}
