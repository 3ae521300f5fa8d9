import { onTestFinished } from 'vitest';
import { Subscriber, type SubscriberEvent, type SubscriberOptions } from '../../src/redis/subscriber.js';
import { EventLog } from './redis.js';

export interface Ear {
  subscriber: Subscriber;
  /** `channel: message`, in the order they came. */
  heard: string[];
  events: EventLog<SubscriberEvent>;
}

/** Hears the channels one and two, once it is started; stopped when the test is over. */
export function listenTo(connection: SubscriberOptions['connection'], options: Partial<SubscriberOptions> = {}): Ear {
  const heard: string[] = [];
  const events = new EventLog<SubscriberEvent>();
  const subscriber = new Subscriber({
    connection,
    channels: ['one', 'two'],
    onMessage: (channel, message) => heard.push(`${channel}: ${message}`),
    random: () => 0,
    onEvent: events.add,
    ...options,
  });
  onTestFinished(() => subscriber.stop());
  return { subscriber, heard, events };
}
