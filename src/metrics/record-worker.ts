import type { Settled } from '../task.js';
import type { LabelCap } from './label-cap.js';
import type { Part } from './recording.js';
import { lagBuckets, runBuckets, type Series, seconds } from './series.js';
import { WorkerLoads } from './worker-loads.js';

/** Every outcome; one that is added to Settled and not here does not compile. */
const outcomes = Object.keys({
  completed: true,
  retried: true,
  dead: true,
  cancelled: true,
  expired: true,
  handed_back: true,
} satisfies Record<Settled, true>);

type Seen = 'started' | 'settled' | 'recovered' | 'lease_lost' | 'settle_failed' | 'in_flight';

/** What workers run, how late, how long, and what becomes of it. */
export function recordWorker(series: Series, names: LabelCap): Part<Seen> {
  const tasks = taskSeries(series);
  const lost = lossSeries(series);
  const loads = new WorkerLoads(series);
  const meetName = (queue: string, name: string): void => {
    for (const outcome of outcomes) tasks.settled.inc({ queue, name, outcome }, 0);
    tasks.durations.zero({ queue, name });
  };
  return {
    record: {
      started: ({ queue, delayMs }) => tasks.delays.observe({ queue }, seconds(delayMs)),
      settled({ queue, name, outcome, durationMs }) {
        const { label, isNew } = names.admit(queue, name);
        if (isNew) meetName(queue, label);
        tasks.settled.inc({ queue, name: label, outcome });
        if (durationMs !== undefined) tasks.durations.observe({ queue, name: label }, seconds(durationMs));
      },
      recovered: ({ queue }) => lost.recovered.inc({ queue }),
      lease_lost: ({ queue }) => lost.leases.inc({ queue }),
      settle_failed: ({ queue }) => lost.settles.inc({ queue }),
      in_flight: (seen) => loads.set(seen),
    },
    meetQueue(queue) {
      for (const counter of Object.values(lost)) counter.inc({ queue }, 0);
      tasks.delays.zero({ queue });
      loads.meetQueue(queue);
    },
    meetName,
  };
}

function taskSeries(series: Series) {
  return {
    settled: series.counter('tasks_settled_total', 'Deliveries ended, by outcome.', ['queue', 'name', 'outcome']),
    durations: series.histogram('task_duration_seconds', 'How long handlers ran.', {
      labels: ['queue', 'name'],
      buckets: runBuckets,
    }),
    delays: series.histogram('task_start_delay_seconds', 'From the due time of a task to the start of its handler.', {
      labels: ['queue'],
      buckets: lagBuckets,
    }),
  };
}

function lossSeries(series: Series) {
  const labels = ['queue'] as const;
  return {
    recovered: series.counter('deliveries_recovered_total', 'Deliveries taken over from a lost consumer.', labels),
    leases: series.counter('lease_lost_total', 'Deliveries this process lost while it worked on them.', labels),
    settles: series.counter('settle_failures_total', 'Outcomes that could not be placed in time.', labels),
  };
}
