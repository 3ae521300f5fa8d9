import type { Common } from '../options.js';
import { parseSignal, type Signal } from '../signals.js';
import type { ConnectionOption } from './connection.js';
import type { Partition, Partitions } from './partition.js';
import type { Servers } from './servers.js';
import { Subscriber } from './subscriber.js';

/** Listens to the wake-up channels of a queue's partitions, on one connection. */
export function listen(
  common: Common<ConnectionOption>,
  { partitions, servers }: { partitions: Partitions; servers: Servers },
  hear: (signal: Signal, partition: Partition) => void,
): Subscriber {
  const { clock, random } = common;
  const byChannel = new Map(partitions.all.map((partition) => [partition.keys.wake, partition]));
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
  });
  subscriber.start();
  return subscriber;
}
