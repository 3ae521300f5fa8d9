import type { Clock } from '../clock.js';
import type { SeatEvent } from '../events.js';
import type { Part } from './recording.js';
import { callBuckets, lagBuckets, type Series, seconds } from './series.js';

/** Every event of a seat; one that is added to SeatEvent and not here does not compile. */
const seatEvents = Object.keys({
  elected: true,
  resigned: true,
  lost: true,
  refused: true,
} satisfies Record<SeatEvent, true>);

/** Who leads, and how well due tasks are promoted. */
export function recordLeader(
  series: Series,
  clock: Clock,
): Part<'seat' | 'trusted' | 'promoted' | 'stale_write_refused'> {
  const seat = seatSeries(series);
  const promotion = promotionSeries(series);
  const staleWrites = series.counter(
    'stale_writes_refused_total',
    'Writes of a leader that Redis refused, for another term was accepted.',
    ['queue', 'op'],
  );
  return {
    record: {
      seat({ queue, event, leading, term }) {
        seat.elected.set({ queue }, leading ? 1 : 0);
        if (leading) seat.term.set({ queue }, term);
        seat.transitions.inc({ queue, event });
      },
      trusted() {}, // leader_elected says as much
      promoted({ queue, count, dropped, lagMs, durationMs, withoutLeader }) {
        promotion.tasks.inc({ queue }, count);
        promotion.dropped.inc({ queue }, dropped);
        promotion.durations.observe({ queue }, seconds(durationMs));
        promotion.lastSuccess.set({ queue }, seconds(clock.wallMs()));
        if (count > 0) promotion.lag.observe({ queue }, seconds(lagMs));
        if (count > 0 && withoutLeader) promotion.withoutLeader.inc({ queue });
      },
      stale_write_refused: ({ queue, op }) => staleWrites.inc({ queue, op }),
    },
    meetQueue(queue) {
      for (const event of seatEvents) seat.transitions.inc({ queue, event }, 0);
      for (const gauge of [seat.elected, seat.term]) gauge.set({ queue }, 0);
      for (const counter of [promotion.tasks, promotion.dropped, promotion.withoutLeader]) counter.inc({ queue }, 0);
      for (const histogram of [promotion.lag, promotion.durations]) histogram.zero({ queue });
      staleWrites.inc({ queue, op: 'promote' }, 0);
    },
  };
}

function seatSeries(series: Series) {
  const labels = ['queue'] as const;
  return {
    elected: series.gauge('leader_elected', '1 while this process leads the queue.', { labels }),
    term: series.gauge('leader_term', 'The newest term in which this process led the queue; 0 before it led.', {
      labels,
    }),
    transitions: series.counter('leader_transitions_total', 'What happened to the seat of this process.', [
      'queue',
      'event',
    ]),
  };
}

function promotionSeries(series: Series) {
  const labels = ['queue'] as const;
  return {
    tasks: series.counter('tasks_promoted_total', 'Due tasks moved to the stream.', labels),
    dropped: series.counter(
      'due_members_dropped_total',
      'Members of the schedule removed by a promotion, for they had no record or ran already.',
      labels,
    ),
    withoutLeader: series.counter(
      'promotions_without_leader_total',
      'Promotions done by this process while nobody led.',
      labels,
    ),
    lag: series.histogram('promotion_lag_seconds', 'How late a promotion was for the first of its tasks.', {
      labels,
      buckets: lagBuckets,
    }),
    durations: series.histogram('promotion_duration_seconds', 'How long a promotion took, network included.', {
      labels,
      buckets: callBuckets,
    }),
    lastSuccess: series.gauge(
      'promotion_last_success_timestamp_seconds',
      'When this process last promoted, or found nothing due.',
      { labels },
    ),
  };
}
