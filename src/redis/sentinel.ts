import { type Clock, systemClock } from '../clock.js';
import { messageOf } from '../errors.js';
import { reasonOf } from './call.js';
import type { ConnectionOption } from './connection.js';
import { deadline } from './deadlines.js';
import type { Host } from './hosts.js';
import { Life } from './life.js';
import { wrongKind } from './server-kind.js';

const answerMs = 1_000;

export interface SentinelParts {
  connection: ConnectionOption;
  /** For messages. */
  shown: string;
  /** Whether the connection is kept for the next question. */
  keeps: () => boolean;
  clock?: Clock;
}

/**
 * One Sentinel, that is asked where a master is. An answer takes a second at most, the connecting included. What it is
 * asked on is kept from question to question while `keeps` says so; after anything but an answer it is never used again.
 */
export class Sentinel {
  readonly #parts: SentinelParts;
  readonly #clock: Clock;
  #life: Life | undefined;
  #asking: Promise<Host> | undefined;

  constructor(parts: SentinelParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  /** Rejects when it does not know, or does not answer in time. Who asks meanwhile gets the same answer. */
  ask(master: string): Promise<Host> {
    this.#asking ??= this.#ask(master);
    return this.#asking;
  }

  /** Hangs up, unless it is being asked: then after that. */
  rest(): void {
    if (this.#asking !== undefined || this.#parts.keeps()) return;
    this.#life?.end(new Error('nobody asks any more'));
    this.#life = undefined;
  }

  async #ask(master: string): Promise<Host> {
    const isNew = this.#life === undefined || this.#life.endedBy !== undefined;
    const life = isNew ? this.#newLife() : (this.#life as Life);
    const late = new Error(`no answer within ${answerMs} ms`);
    const cancel = deadline(this.#clock, answerMs, () => life.end(late));
    try {
      if (isNew) await life.open();
      const question = life.client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]);
      const reply = await question.catch((error: unknown) => this.#refused(error, life));
      life.heardAtMs = this.#clock.monotonicMs();
      return addressIn(reply);
    } catch (error) {
      const reason = life.endedBy ?? (error as Error);
      life.end(reason);
      throw new Error(`${this.#parts.shown}: ${reasonOf(reason)}`, { cause: error });
    } finally {
      cancel();
      this.#asking = undefined;
      this.rest();
    }
  }

  /** What answers is one, whatever it calls itself; what does not know the question is none. */
  #refused(error: unknown, { kind = 'standalone' }: Life): never {
    const isStranger = /unknown command .?SENTINEL\b/i.test(messageOf(error));
    throw (isStranger && wrongKind(kind, { shown: this.#parts.shown, kind: 'sentinel' })) || error;
  }

  /** PING and not ECHO, which a Sentinel does not know. */
  #newLife(): Life {
    const { shown, connection } = this.#parts;
    this.#life = new Life({
      target: { shown, kind: 'sentinel', locate: () => Promise.resolve(connection) },
      clock: this.#clock,
      probe: 'PING',
      expectsAnswers: () => true,
      onEnd: () => {},
    });
    return this.#life;
  }
}

function addressIn(reply: unknown): Host {
  if (reply === null) throw new Error('it knows no master of that name');
  const [host, digits] = Array.isArray(reply) ? (reply as unknown[]) : [];
  const port = Number(digits);
  if (typeof host !== 'string' || host === '' || !(port >= 1)) throw new Error('its answer is no address');
  return { host, port };
}
