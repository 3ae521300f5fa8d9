import type { Clock } from '../clock.js';
import type { Part } from './recording.js';
import { lagBuckets, type Series, seconds } from './series.js';

const outcomes = ['fired', 'coalesced', 'overlap', 'missed', 'paused'] as const;

/** What became of the times of schedules, as the leader decided. */
export function recordSchedules(series: Series, clock: Clock): Part<'occurrences'> {
  const labels = ['queue'] as const;
  const occurrences = series.counter(
    'schedule_occurrences_total',
    'Times of schedules that were fired, or were not, and why.',
    ['queue', 'outcome'],
  );
  const lastFired = series.gauge(
    'schedule_last_fired_timestamp_seconds',
    'When this process last fired an occurrence.',
    {
      labels,
    },
  );
  const lateness = series.histogram(
    'schedule_lateness_seconds',
    'How long after it was due an occurrence was handed to the queue; 0 when it was before.',
    { labels, buckets: lagBuckets },
  );
  return {
    record: {
      occurrences({ queue, outcome, count, lateMs }) {
        occurrences.inc({ queue, outcome }, count);
        if (lateMs === undefined) return;
        lateness.observe({ queue }, seconds(lateMs));
        lastFired.set({ queue }, seconds(clock.wallMs()));
      },
    },
    meetQueue(queue) {
      for (const outcome of outcomes) occurrences.inc({ queue, outcome }, 0);
      lateness.zero({ queue });
    },
  };
}
