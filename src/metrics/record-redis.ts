import type { Observation } from '../events.js';
import { LabelCap } from './label-cap.js';
import type { Part } from './recording.js';
import { callBuckets, type Series, seconds } from './series.js';

/** Every kind of error; one that is added to the observation and not here does not compile. */
const errorKinds = Object.keys({
  connect: true,
  lost: true,
  timeout: true,
  reply: true,
} satisfies Record<Extract<Observation, { type: 'redis_error' }>['kind'], true>);

/** Far more than there are scripts: it only holds off a caller that puts something unbounded into `op`. */
const opsMax = 100;

type Kind = 'redis_up' | 'redis_closed' | 'redis_reconnected' | 'redis_error' | 'redis_command' | 'at_risk';

/** The connections. `redis_up` is 0 as long as any of them is down, and before the first is up. */
export function recordRedis(series: Series): Part<Kind> {
  const up = series.gauge('redis_up', '1 while every connection of this process to Redis works.');
  const errors = series.counter('redis_errors_total', 'Faults of connections and commands.', ['kind']);
  const reconnects = series.counter('redis_reconnects_total', 'Broken connections that were replaced.');
  const durations = series.histogram('redis_command_duration_seconds', 'How long Redis took to answer.', {
    labels: ['op'],
    buckets: callBuckets,
  });
  const ops = new LabelCap(opsMax);
  const down = new Set<string>();
  for (const kind of errorKinds) errors.inc({ kind }, 0);
  return {
    record: {
      redis_up(seen) {
        if (seen.up) down.delete(seen.connection);
        else down.add(seen.connection);
        up.set(down.size === 0 ? 1 : 0);
      },
      // One that was down when it was closed will not come up to say so.
      redis_closed(seen) {
        if (down.delete(seen.connection)) up.set(down.size === 0 ? 1 : 0);
      },
      redis_reconnected: () => reconnects.inc(),
      redis_error: ({ kind }) => errors.inc({ kind }),
      at_risk: () => {}, // words for a person, once
      redis_command: ({ op, durationMs }) => durations.observe({ op: ops.admit('', op).label }, seconds(durationMs)),
    },
  };
}
