import type { LabelCap } from './label-cap.js';
import type { Part } from './recording.js';
import type { Series } from './series.js';

const statuses = ['scheduled', 'ready', 'duplicate'] as const;

/** What producers add. */
export function recordProducer(series: Series, names: LabelCap): Part<'added'> {
  const added = series.counter('tasks_added_total', 'Tasks given to add, by what became of them.', [
    'queue',
    'name',
    'status',
  ]);
  return {
    record: {
      added({ queue, name, status, count }) {
        const { label, isNew } = names.admit(queue, name);
        if (isNew) for (const each of statuses) added.inc({ queue, name: label, status: each }, 0);
        added.inc({ queue, name: label, status }, count);
      },
    },
  };
}
