import { DuestreamError } from '../errors.js';
import type { Common } from '../options.js';
import { parseSignal, type Signal } from '../signals.js';
import type { ConnectionOption } from './connection.js';
import type { Partition, Partitions } from './partition.js';
import type { Servers } from './servers.js';
import { Subscriber } from './subscriber.js';

type Hear = (signal: Signal, partition: Partition) => void;

/** Until it is stopped. */
export interface Listening {
  stop(): Promise<void>;
}

/** Listens to the wake-up channels of a queue's partitions, on one connection; to those of more when the queue grows. */
export function listen(
  common: Common<ConnectionOption>,
  of: { partitions: Partitions; servers: Servers },
  hear: Hear,
): Listening {
  let isStopped = false;
  let subscriber = subscribe(common, of, hear);
  let former = Promise.resolve();
  of.partitions.layout.onGrown(() => {
    if (isStopped) return;
    former = Promise.all([former, subscriber.stop()]).then(() => {});
    subscriber = subscribe(common, of, hear);
  });
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all([former, subscriber.stop()]);
    },
  };
}

/**
 * Where Redis does not allow to listen, all goes on, a little later: it is observed once. Whatever else it refuses the other
 * connections are refused as well.
 */
function subscribe(
  common: Common<ConnectionOption>,
  { partitions, servers }: { partitions: Partitions; servers: Servers },
  hear: Hear,
): Subscriber {
  const { clock, random, observe } = common;
  const byChannel = new Map(partitions.all.map((partition) => [partition.keys.wake, partition]));
  let isTold = false;
  const subscriber = new Subscriber({
    connection: servers.publisher,
    channels: [...byChannel.keys()],
    clock,
    random,
    onMessage: (channel, message) => {
      const signal = parseSignal(message);
      const partition = byChannel.get(channel);
      if (signal && partition) hear(signal, partition);
    },
    onEvent: (event) => {
      if (event.type === 'connected') {
        isTold = false;
        // What was said before is lost, and of a new schedule nobody would hear for long.
        for (const partition of byChannel.values()) hear({ kind: 'schedule', lookMs: 0 }, partition);
      }
      if (isTold || event.type !== 'connect_failed' || !event.error.message.startsWith('NOPERM')) return;
      isTold = true;
      const error = new DuestreamError('ERR_REDIS_REPLY', event.error.message, { cause: event.error });
      observe({ type: 'error', queue: partitions.home.queue, where: 'listen', error });
    },
  });
  subscriber.start();
  return subscriber;
}
