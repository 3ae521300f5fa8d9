import type { Part } from './recording.js';
import type { Series } from './series.js';

/** What was repaired, held back or went wrong in a queue: each of these should stay where it is. */
export function recordUpkeep(series: Series): Part<'swept' | 'stale_entries' | 'recovery_on_hold' | 'error'> {
  const labels = ['queue'] as const;
  const swept = series.counter('swept_total', 'Tasks that had fallen out of schedule and stream, put back.', labels);
  const stale = series.counter('stale_entries_total', 'Stream entries that no longer counted, ended.', labels);
  const onHold = series.gauge('recovery_on_hold', '1 while lost deliveries are not taken over, after an outage.', {
    labels,
  });
  const errors = series.counter('errors_total', 'Failures that were reported and survived, by where they came up.', [
    'queue',
    'where',
  ]);
  return {
    record: {
      swept: ({ queue, count }) => swept.inc({ queue }, count),
      stale_entries: ({ queue, count }) => stale.inc({ queue }, count),
      recovery_on_hold: (seen) => onHold.set({ queue: seen.queue }, seen.onHold ? 1 : 0),
      error: ({ queue, where }) => errors.inc({ queue, where }),
    },
    meetQueue(queue) {
      swept.inc({ queue }, 0);
      stale.inc({ queue }, 0);
      onHold.set({ queue }, 0);
    },
  };
}
