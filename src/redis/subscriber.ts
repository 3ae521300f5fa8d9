import { type Clock, systemClock } from '../clock.js';
import { invalid } from '../errors.js';
import { type Random, systemRandom } from '../random.js';
import type { ConnectionOption, RedisConnection } from './connection.js';
import type { LinkEvent } from './link.js';
import { Supervisor, tell } from './supervisor.js';
import { type Target, targetOf } from './target.js';

export interface SubscriberOptions {
  connection: ConnectionOption | Target;
  channels: readonly string[];
  /** One message. Never called inside the client's decoder, so it may stop the subscriber. */
  onMessage: (channel: string, message: string) => void;
  clock?: Clock;
  random?: Random;
  onEvent?: (event: SubscriberEvent) => void;
}

/** `connected` is told when the channels are subscribed: look then for what was missed while there was no connection. */
export type SubscriberEvent = LinkEvent | { type: 'handler_failed'; channel: string; error: unknown };

/**
 * Hears what is published, on a connection of its own, with the same discipline as a link: a new client for every
 * connection, subscribed anew, probed by PING when it is silent. Publishing reaches only those who listen at that
 * moment, so a message is a hint: whoever relies on it also looks by itself.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #supervisor: Supervisor;
  readonly #clock: Clock;
  #stopped = false;

  constructor(options: SubscriberOptions) {
    const { connection, channels, clock = systemClock, random = systemRandom } = options;
    if (channels.length === 0) throw invalid('a subscriber needs at least one channel');
    this.#options = options;
    this.#clock = clock;
    this.#supervisor = new Supervisor({
      target: targetOf(connection),
      clock,
      random,
      probe: 'PING',
      expectsAnswers: () => true,
      prepare: (client) => this.#subscribe(client),
      onUp: () => this.#tell({ type: 'connected', life: this.life }),
      onDown: (error) => this.#tell({ type: 'lost', life: this.life, error }),
      onFailed: (error) => this.#tell({ type: 'connect_failed', error }),
    });
  }

  /** 0 before the first connection, and one more with each. */
  get life(): number {
    return this.#supervisor.lives;
  }

  /** Connected, and subscribed. */
  get isUp(): boolean {
    return this.#supervisor.isUp;
  }

  start(): void {
    if (!this.#stopped) this.#supervisor.start();
  }

  /** After this no message is handed over. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#supervisor.stop();
  }

  /** A message is handed over in a microtask: stopping inside the decoder of node-redis would bring down the process. */
  #subscribe(client: RedisConnection): Promise<unknown> {
    return client.subscribe([...this.#options.channels], (message, channel) => {
      queueMicrotask(() => this.#deliver(channel, message));
    });
  }

  #deliver(channel: string, message: string): void {
    if (this.#stopped) return;
    const { life } = this.#supervisor;
    if (life) life.heardAtMs = this.#clock.monotonicMs();
    try {
      this.#options.onMessage(channel, message);
    } catch (error) {
      this.#tell({ type: 'handler_failed', channel, error });
    }
  }

  #tell(event: SubscriberEvent): void {
    tell(this.#options.onEvent, event);
  }
}
