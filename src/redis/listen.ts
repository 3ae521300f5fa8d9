import type { Common } from '../options.js';
import { parseSignal, type Signal } from '../signals.js';
import type { ConnectionOption } from './connection.js';
import type { Partitions } from './partition.js';
import type { Servers } from './servers.js';
import { Subscriber } from './subscriber.js';

/** Listens to the wake-up channels of a queue's partitions, on one connection. */
export function listen(
  common: Common<ConnectionOption>,
  { partitions, servers }: { partitions: Partitions; servers: Servers },
  hear: (signal: Signal) => void,
): Subscriber {
  const { clock, random } = common;
  const subscriber = new Subscriber({
    connection: servers.publisher,
    channels: partitions.all.map(({ keys }) => keys.wake),
    clock,
    random,
    onMessage: (_channel, message) => {
      const signal = parseSignal(message);
      if (signal) hear(signal);
    },
  });
  subscriber.start();
  return subscriber;
}
